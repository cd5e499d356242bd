"""Makes and checks personal tokens. The clear text leaves this module once, when it is made."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from accounts.models import PersonalToken, User, digest_of, new_webhook_secret

PROVIDERS = ("provider_whisper_api", "provider_openai")
#: `last_used_at` is for people; writing it at every request would be a write per read.
LAST_USED_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewToken:
    """What its owner is shown once."""

    token: str
    webhook_secret: str


def create(user: User, provider: str, *, name: str = "", expires_at: datetime | None = None) -> NewToken:
    token, secret = "tw_" + secrets.token_urlsafe(32), new_webhook_secret()
    PersonalToken.objects.create(
        user=user,
        provider=provider,
        name=name,
        digest=digest_of(token),
        webhook_secret=secret,
        expires_at=expires_at,
    )
    return NewToken(token, secret)


def owner_of(token: str, provider: str) -> User | None:
    """The active user whose live token of this provider this is, or None."""
    now = timezone.now()
    found = (
        PersonalToken.objects.select_related("user")
        .filter(digest=digest_of(token), provider=provider, revoked_at=None, user__is_active=True)
        .filter(Q(expires_at=None) | Q(expires_at__gt=now))
        .first()
    )
    if found is None:
        return None
    if found.last_used_at is None or now - found.last_used_at > LAST_USED_STEP:
        PersonalToken.objects.filter(pk=found.pk).update(last_used_at=now)
    return found.user
