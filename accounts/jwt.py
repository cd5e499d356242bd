"""JSON web tokens: a pair at sign-in, a new pair for each refresh token, once; ended one by one or all of a person's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from django.db import transaction
from django.utils.crypto import constant_time_compare
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.utils import get_md5_hash_password

from accounts.models import User


class Refused(Exception):
    """This refresh token is used up, revoked, expired or none of ours."""


@dataclass(frozen=True, slots=True)
class Pair:
    access: str
    refresh: str


def issue(user: User) -> Pair:
    return _pair(RefreshToken.for_user(user))


@transaction.atomic
def rotate(refresh: str) -> tuple[User, Pair]:
    """A new pair in place of a refresh token; of two that come with the same one, the first gets it. Raises Refused."""
    used = _read(refresh)
    user = _owner(used)
    if user is None or not _end(used):
        raise Refused
    return user, issue(user)


def revoke(refresh: str) -> None:
    """Raises Refused."""
    _end(_read(refresh))


def revoke_all(user: User) -> None:
    """Ends every refresh token; what they have opened ends with the access tokens, which live for minutes."""
    living = OutstandingToken.objects.filter(user=user, blacklistedtoken=None)
    BlacklistedToken.objects.bulk_create([BlacklistedToken(token=token) for token in living], ignore_conflicts=True)


def _end(token: RefreshToken) -> bool:
    """Whether it was still alive."""
    _row, alive = cast(tuple[BlacklistedToken, bool], token.blacklist())
    return alive


def _read(text: str) -> RefreshToken:
    try:
        return RefreshToken(text)  # type: ignore[arg-type]  # takes the text, whatever its stubs say
    except TokenError as error:
        raise Refused from error


def _owner(token: RefreshToken) -> User | None:
    """The active user, unless the password was changed since."""
    user = User.objects.filter(pk=str(token.payload.get(api_settings.USER_ID_CLAIM, "0")), is_active=True).first()
    if user is None:
        return None
    then = str(token.payload.get(api_settings.REVOKE_TOKEN_CLAIM, ""))
    return user if constant_time_compare(then, get_md5_hash_password(user.password)) else None


def _pair(refresh: RefreshToken) -> Pair:
    return Pair(str(refresh.access_token), str(refresh))
