"""Shares in Django's admin: to look at and to revoke. The link itself is not shown, for it opens the transcript."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.administration import ReadOnlyAdmin, column
from sharing import owning
from sharing.models import Share
from whisper_jobs.pen import Gone

_LABELS = {
    "created_at": _("Created"),
    "expires_at": _("Expires"),
    "revoked_at": _("Revoked"),
    "allow_audio": _("With the sound"),
    "show_analysis": _("With the analysis"),
    "views": _("Views"),
    "last_viewed_at": _("Last viewed"),
}


class ShareForm(forms.ModelForm):  # type: ignore[type-arg]
    """Names for what is shown; nothing of it can be changed."""

    class Meta:
        model = Share
        fields: tuple[str, ...] = ()
        labels = _LABELS


@admin.register(Share)
class ShareAdmin(ReadOnlyAdmin):
    form = ShareForm
    list_display = (
        "id",
        "of_job",
        "owner",
        *(column(name, _LABELS[name]) for name in ("created_at", "expires_at", "revoked_at", "views")),
    )
    list_select_related = ("job__owner",)
    search_fields = ("id",)
    search_help_text = _("The number of a job.")
    fields = ("of_job", "owner", "guarded", *_LABELS)
    actions = ("revoke_chosen",)

    @admin.display(description=_("Job"))
    def of_job(self, share: Share) -> str:
        return share.job.title[:80]

    @admin.display(description=_("Owner"))
    def owner(self, share: Share) -> str:
        return share.job.owner.email

    @admin.display(description=_("Passcode"), boolean=True)
    def guarded(self, share: Share) -> bool:
        return bool(share.passcode)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Share], search_term: str
    ) -> tuple[QuerySet[Share], bool]:
        asked = search_term.strip()
        if not asked:
            return queryset, False
        number = int(asked) if asked.isdecimal() and len(asked) < 19 else 0
        return queryset.filter(job=number), False

    @admin.action(description=_("Revoke the chosen links"))
    def revoke_chosen(self, request: HttpRequest, queryset: QuerySet[Share]) -> None:
        done = sum(self._revoked(request, share) for share in self.chosen(request, queryset.filter(revoked_at=None)))
        told = ngettext("%(n)d link was revoked.", "%(n)d links were revoked.", done) % {"n": done}
        self.message_user(request, told, messages.SUCCESS)

    def _revoked(self, request: HttpRequest, share: Any) -> bool:
        try:
            owning.revoke(share.job_id)
        except (Gone, owning.NotShared):
            return False
        self.log_change(request, share, "Revoked.")
        return True
