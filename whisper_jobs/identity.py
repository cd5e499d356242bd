"""Who opened a socket: a signed-in browser of this site, or a program with a JWT or a personal token."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils.crypto import constant_time_compare

from accounts import bearer as bearers
from accounts import tokens
from accounts.models import User
from whisper_jobs.models import Channel

Scope = dict[str, Any]
#: Where a socket keeps the token that came in its first message.
TOLD = "tools.token"


def of_session(scope: Scope) -> User | None:
    """The session's user, unless the page that opened the socket is another site's."""
    user = scope.get("user")
    if not isinstance(user, User) or not user.is_authenticated:
        return None
    return user if _same_site(scope) else None


def _same_site(scope: Scope) -> bool:
    origin, host = _header(scope, b"origin"), _header(scope, b"host")
    return not origin or urlsplit(origin).netloc == host


def bearer(scope: Scope) -> str | None:
    """The token of the Authorization header; None without that header."""
    value = _header(scope, b"authorization")
    if not value:
        return None
    kind, _, token = value.partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def of_token(token: str) -> User | None:
    """The active user whom a JWT or a personal token stands for. Queries the database."""
    found = bearers.caller(token)
    if found is None or (found.token and not found.user.has_perm("whisper.api")):
        return None
    return found.user


def channel_of(scope: Scope) -> str | None:
    """What a program with a personal token may watch is what its API shows it; None for all that its user sees."""
    return Channel.API.value if (_told(scope) or "").startswith(tokens.PREFIX) else None


def _told(scope: Scope) -> str | None:
    """The token that opened the socket, wherever it came."""
    token: str | None = scope.get(TOLD) or bearer(scope)
    return token


def again(user: User, scope: Scope) -> User | None:
    """The same user as they are now, without what was cached of their permissions.

    None once deactivated or signed out, when the password was changed elsewhere, or the personal token is no longer good.
    """
    token = _told(scope)
    if token is not None and token.startswith(tokens.PREFIX):
        return of_token(token)
    now = User.objects.filter(pk=user.pk, is_active=True).first()
    if now is None:
        return None
    # A JWT is good for one password, as a session is.
    still = now.password == user.password if token is not None else _is_signed_in(now, scope)
    return now if still else None


def _is_signed_in(user: User, scope: Scope) -> bool:
    """As Django looks at a session with every request; a session that was ended holds nothing."""
    kept = SessionStore(scope["session"].session_key).load().get(HASH_SESSION_KEY, "")
    good = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return any(constant_time_compare(kept, one) for one in good)


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
