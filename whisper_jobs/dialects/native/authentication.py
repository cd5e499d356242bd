"""How programs name themselves with a personal token. A JWT is no such token, and a token is no JWT."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import tokens
from accounts.language import speak_to
from accounts.models import PersonalToken, User

LEGACY_HEADER, LEGACY_PARAMETER = "X-Api-Key", "apikey"
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


class PersonalTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer`, else the header or the parameter that older clients send. `request.auth` is the token."""

    def authenticate(self, request: Request) -> tuple[User, PersonalToken] | None:
        clear = _told(request)
        if clear is None:
            return None
        found = tokens.find(clear, tokens.API) if clear.isascii() else None
        if found is None:
            raise AuthenticationFailed(_("This API token is not known, or is no longer good."), "token_rejected")
        speak_to(found.user)
        return found.user, found

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="whisper"'


def _told(request: Request) -> str | None:
    """The token that came along; None where none did. An empty one counts as told, and is refused."""
    authorization = request.headers.get("Authorization")
    if authorization is not None:
        kind, _space, token = authorization.partition(" ")
        return token.strip() if kind.lower() == "bearer" else ""
    for given in (request.headers.get(LEGACY_HEADER), request.query_params.get(LEGACY_PARAMETER)):
        if given is not None:
            return given
    return _from_form(request)


def _from_form(request: Request) -> str | None:
    """Reads the body, so only of those who have told nothing in a better place."""
    if not (request.content_type or "").lower().startswith(_FORMS):
        return None
    given = request.data.get(LEGACY_PARAMETER) if isinstance(request.data, dict) else None
    return given if isinstance(given, str) else None
