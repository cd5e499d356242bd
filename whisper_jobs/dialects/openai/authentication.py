"""Who calls: the official clients send their API key as a bearer, which here is a personal token."""

from __future__ import annotations

from rest_framework.request import Request

from whisper_jobs.dialects.calling import TokenAuthentication, after_scheme


class KeyAuthentication(TokenAuthentication):
    """`Authorization: Bearer`."""

    challenge = 'Bearer realm="OpenAI API"'

    def told(self, request: Request) -> tuple[str | None]:
        return (after_scheme(request, "Bearer"),)
