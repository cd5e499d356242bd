"""By what a Realtime client shows who it is: a personal token in a header or, of a browser, in a subprotocol; or a client secret.

A client secret is for a page that should not have the token itself: it names the token and a session, is signed, and is good for
opening sessions until it expires, and no longer than the token is. Nothing of it is stored.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from django.core import signing

from accounts import tokens
from accounts.models import PersonalToken
from whisper_jobs import identity
from whisper_jobs.dialects.openai.realtime_session import Setup, Vad

#: How client secrets begin, which no personal token does.
PREFIX = "ek_"
SUBPROTOCOL = "realtime"
_KEY, _BEFORE = "openai-insecure-api-key.", "openai-beta.realtime-v1"
#: A subprotocol may have no colon in it, which is what Django writes between the parts.
_SIGNER = signing.TimestampSigner(sep=".", salt="openai.realtime.client-secret")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """`is_before`: the client speaks the version before."""

    key: str
    subprotocol: str | None
    is_before: bool


@dataclass(frozen=True, slots=True)
class Key:
    """`setup` is what the session is to be, where a client secret says so."""

    token: PersonalToken
    setup: Setup | None = None


def told(scope: Json) -> Told:
    offered = [str(one) for one in scope.get("subprotocols", ())]
    key = identity.bearer(scope)
    if key is None:
        key = next((one.removeprefix(_KEY) for one in offered if one.startswith(_KEY)), "")
    version = next((value for name, value in scope["headers"] if name.lower() == b"openai-beta"), b"")
    is_before = b"realtime=v1" in version or _BEFORE in offered
    return Told(key, SUBPROTOCOL if SUBPROTOCOL in offered else None, is_before)


def find(key: str) -> Key | None:
    """Queries the database."""
    if not (key.isascii() and key.isprintable()):
        return None
    if key.startswith(PREFIX):
        return _of_secret(key.removeprefix(PREFIX))
    found = tokens.find(key, tokens.API)
    return Key(found) if found else None


def again(token: PersonalToken) -> PersonalToken | None:
    """As it is now; None once it is no longer good. Queries the database."""
    return tokens.live(token.user, tokens.API).filter(pk=token.pk, user__is_active=True).first()


def secret(token: PersonalToken, setup: Setup, *, expires_at: int) -> str:
    """`expires_at` in seconds since 1970."""
    return PREFIX + _SIGNER.sign_object({"token": token.pk, "until": expires_at, "setup": asdict(setup)}, compress=True)


def _of_secret(signed: str) -> Key | None:
    try:
        told = _SIGNER.unsign_object(signed)
    except signing.BadSignature:
        return None
    if told["until"] <= time.time():
        return None
    named = PersonalToken.objects.select_related("user").filter(pk=told["token"], provider=tokens.API).first()
    found = again(named) if named else None
    return Key(found, _setup(told["setup"])) if found else None


def _setup(told: Json) -> Setup:
    vad = Vad(**told["vad"]) if told["vad"] else None
    return Setup(**{**told, "vad": vad, "keywords": tuple(told["keywords"])})
