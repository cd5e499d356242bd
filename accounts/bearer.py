"""Whom a bearer token stands for, where either kind will do: a JWT or a personal token."""

from __future__ import annotations

from dataclasses import dataclass

from rest_framework.exceptions import APIException
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import TokenError

from accounts import tokens
from accounts.models import PersonalToken, User


@dataclass(frozen=True, slots=True)
class Caller:
    user: User
    #: None for somebody who signed in.
    token: PersonalToken | None


def caller(token: str) -> Caller | None:
    """The active user behind a token that is still good. What the user may is not looked at. Queries the database."""
    if not token.isascii():
        return None
    if token.startswith(tokens.PREFIX):
        found = tokens.find(token, tokens.API)
        return Caller(found.user, found) if found else None
    jwt = JWTAuthentication()
    try:
        user = jwt.get_user(jwt.get_validated_token(token.encode()))
    except (APIException, TokenError):
        return None
    return Caller(user, None) if isinstance(user, User) else None
