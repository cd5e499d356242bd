"""How programs name themselves with a personal token. A JWT is no such token, and a token is no JWT."""

from __future__ import annotations

from collections.abc import Iterator

from rest_framework.request import Request

from whisper_jobs.dialects.calling import TokenAuthentication, after_scheme

LEGACY_HEADER, LEGACY_PARAMETER = "X-Api-Key", "apikey"
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


class PersonalTokenAuthentication(TokenAuthentication):
    """`Authorization: Bearer`, else the header or the parameter that older clients send."""

    def told(self, request: Request) -> Iterator[str | None]:
        yield after_scheme(request, "Bearer")
        yield request.headers.get(LEGACY_HEADER)
        yield request.query_params.get(LEGACY_PARAMETER)
        yield _from_form(request)


def _from_form(request: Request) -> str | None:
    """Reads the body, so only of those who have told nothing in a better place."""
    if not (request.content_type or "").lower().startswith(_FORMS):
        return None
    given = request.data.get(LEGACY_PARAMETER) if isinstance(request.data, dict) else None
    return given if isinstance(given, str) else None
