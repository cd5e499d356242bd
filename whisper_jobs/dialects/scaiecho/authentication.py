"""Who calls: a program with a JWT or a personal token. Pages of this site come with their session instead (see access)."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import bearer
from accounts.language import speak_to
from accounts.models import PersonalToken, User


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer`. `request.auth` is the PersonalToken, or the JWT as text."""

    def authenticate(self, request: Request) -> tuple[User, PersonalToken | str] | None:
        authorization = request.headers.get("Authorization")
        if authorization is None:
            return None
        kind, _space, token = authorization.partition(" ")
        found = bearer.caller(token.strip()) if kind.lower() == "bearer" else None
        if found is None:
            raise AuthenticationFailed(_("This token is not known, or is no longer good."))
        speak_to(found.user)
        return found.user, found.token or token.strip()

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="scaiecho"'
