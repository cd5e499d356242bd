"""Makes, checks and ends personal tokens. The clear text of one leaves this module once, when it is made."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import PersonalToken, User
from accounts.permissions import PUBLISHED
from accounts.seal import seal, unseal

API, OPENAI = "provider_whisper_api", "provider_openai"
PROVIDERS = (API, OPENAI)
#: How personal tokens begin, which no JWT does.
PREFIX = "tw_"
#: What its owner must be allowed to, by provider; as Django names it.
NEEDED = {API: ("whisper.use", "whisper.api"), OPENAI: ("accounts.provider_openai",)}
#: `last_used_at` is for people; writing it at every request would be a write per read.
LAST_USED_STEP = timedelta(minutes=1)
#: How long callbacks carry the signatures of both secrets after a rotation.
ROTATION_OVERLAP = timedelta(hours=24)
HINT_CHARACTERS = 4


@dataclass(frozen=True, slots=True)
class NewToken:
    """What its owner is shown once."""

    token: str
    webhook_secret: str


def create(
    user: User,
    provider: str,
    *,
    name: str = "",
    expires_at: datetime | None = None,
    thin_callbacks: bool = False,
    is_sandbox: bool = False,
) -> NewToken:
    token, secret = PREFIX + secrets.token_urlsafe(32), _new_webhook_secret()
    PersonalToken.objects.create(
        user=user,
        provider=provider,
        name=name,
        digest=_digest(token),
        hint=token[-HINT_CHARACTERS:],
        sealed_webhook_secret=seal(secret),
        expires_at=expires_at,
        thin_callbacks=thin_callbacks,
        is_sandbox=is_sandbox,
    )
    return NewToken(token, secret)


@transaction.atomic
def store_provider_key(
    user: User, key: str, *, provider: str = OPENAI, name: str = "", expires_at: datetime | None = None
) -> PersonalToken:
    """Keeps a person's own key of a provider, in place of the one before."""
    for old in live(user, provider):
        revoke(old)
    return PersonalToken.objects.create(
        user=user,
        provider=provider,
        name=name,
        sealed_key=seal(key),
        hint=key[-HINT_CHARACTERS:],
        expires_at=expires_at,
    )


def missing_permissions(user: User, provider: str) -> list[str]:
    """The published names of the permissions that `user` lacks for a token of this provider."""
    published = {django: name for name, django in PUBLISHED.items()}
    return [published[name] for name in NEEDED[provider] if not user.has_perm(name)]


def find(token: str, provider: str) -> PersonalToken | None:
    """The live token of this provider with its active user, or None. Looked up by digest, so no timing tells a part of it.

    The user of a token of the sandbox is confined to it, whatever asks who they are.
    """
    found = _live(PersonalToken.objects.filter(digest=_digest(token), provider=provider, user__is_active=True)).first()
    if found is not None:
        _note_use(found)
        found.user.in_sandbox = found.is_sandbox
    return found


def is_good(token: PersonalToken) -> bool:
    """Whether a token that was found before is live still, and its user active."""
    return _live(PersonalToken.objects.filter(pk=token.pk, user__is_active=True)).exists()


def live(user: User, provider: str) -> QuerySet[PersonalToken]:
    """The tokens of a provider that are neither revoked nor expired, newest first."""
    return _live(user.personal_tokens.filter(provider=provider)).order_by("-created_at", "-pk")


def provider_key(user: User, provider: str = OPENAI) -> str | None:
    """The person's own key of a provider, in clear, or None."""
    if not user.is_active:
        return None
    found = live(user, provider).exclude(sealed_key="").first()
    if found is None:
        return None
    _note_use(found)
    return unseal(found.sealed_key)


@transaction.atomic
def rotate_secret(token: PersonalToken) -> str:
    """A new signing secret; the one before signs along for ROTATION_OVERLAP."""
    kept = PersonalToken.objects.select_for_update().get(pk=token.pk)
    secret, until = _new_webhook_secret(), timezone.now() + ROTATION_OVERLAP
    PersonalToken.objects.filter(pk=token.pk).update(
        sealed_previous_secret=kept.sealed_webhook_secret,
        previous_secret_until=until,
        sealed_webhook_secret=seal(secret),
    )
    token.refresh_from_db()
    return secret


def revoke(token: PersonalToken) -> None:
    """Ends it at once and forgets a provider's key. The signing secret stays: callbacks of its jobs are still signed."""
    now = timezone.now()
    PersonalToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now, sealed_key="")
    token.refresh_from_db()


def signing_secrets(token: PersonalToken) -> list[str]:
    """`whsec_…` secrets that sign a callback now, the newest first; two while a rotation overlaps."""
    sealed = [token.sealed_webhook_secret]
    if token.is_rotating:
        sealed.append(token.sealed_previous_secret)
    return [clear for one in sealed if one and (clear := unseal(one)) is not None]


def _live(tokens: QuerySet[PersonalToken]) -> QuerySet[PersonalToken]:
    unexpired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return tokens.filter(unexpired, revoked_at=None).select_related("user", "user__tenant")


def _note_use(token: PersonalToken) -> None:
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > LAST_USED_STEP:
        PersonalToken.objects.filter(pk=token.pk).update(last_used_at=now)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _new_webhook_secret() -> str:
    """As Standard Webhooks writes it: `whsec_` and base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
