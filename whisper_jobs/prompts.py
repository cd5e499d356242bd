"""People's own instructions for analyses: kept, changed, and one of them chosen for new recordings."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from whisper_jobs.models import PromptTemplate

#: One person's; a bound against scripts gone wild.
MOST_TEMPLATES = 200


def of(user: User) -> QuerySet[PromptTemplate]:
    return PromptTemplate.objects.filter(owner=user).order_by("name", "pk")


@transaction.atomic
def save(template: PromptTemplate) -> None:
    """Raises IntegrityError when its owner has another one of this name."""
    if template.is_default:
        # Two at once would else both see none that is chosen.
        User.objects.select_for_update(no_key=True).get(pk=template.owner_id)
        others = PromptTemplate.objects.filter(owner_id=template.owner_id, is_default=True).exclude(pk=template.pk)
        others.update(is_default=False)
    template.save()
