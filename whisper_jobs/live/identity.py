"""Who opened a socket: a signed-in browser of this site, or a program with a JWT or a personal token."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from rest_framework.exceptions import APIException
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import TokenError

from accounts import tokens
from accounts.models import User

Scope = dict[str, Any]


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
    owner = tokens.owner_of(token, "provider_whisper_api")
    if owner is not None:
        return owner if owner.has_perm("whisper.api") else None
    jwt = JWTAuthentication()
    try:
        user = jwt.get_user(jwt.get_validated_token(token.encode()))
    except (APIException, TokenError):
        return None
    return user if isinstance(user, User) else None


def again(user: User, scope: Scope) -> User | None:
    """The same user as they are now, without what was cached of their permissions; None once deactivated or signed out."""
    session = scope.get("session")
    if (
        bearer(scope) is None
        and session is not None
        and session.session_key
        and not session.exists(session.session_key)
    ):
        return None
    return User.objects.filter(pk=user.pk, is_active=True).first()


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
