"""A personal token where a tool that knows no keys can be given one: in a header, or in the address itself."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

from rest_framework.request import Request

from whisper_jobs.dialects.calling import TokenAuthentication, after_scheme

HEADER, PARAMETER = "X-Api-Key", "apikey"


class AnyKeyAuthentication(TokenAuthentication):
    """`Authorization: Bearer`, or Basic with the token as user, or as password of any user; else header or parameter."""

    def told(self, request: Request) -> Iterable[str | None]:
        yield _basic(request) or after_scheme(request, "Bearer")
        yield request.headers.get(HEADER)
        yield request.query_params.get(PARAMETER)


def _basic(request: Request) -> str | None:
    """What https://TOKEN:@host becomes; None for another scheme, or no header."""
    try:
        told = base64.b64decode(after_scheme(request, "Basic") or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    user, _colon, password = told.partition(":")
    return password or user or None
