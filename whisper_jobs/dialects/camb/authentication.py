"""A personal token in the header that Camb.ai's clients send."""

from __future__ import annotations

from collections.abc import Iterable

from rest_framework.request import Request

from whisper_jobs.dialects.calling import TokenAuthentication


class KeyAuthentication(TokenAuthentication):
    challenge = 'APIKey header="x-api-key"'

    def told(self, request: Request) -> Iterable[str | None]:
        return (request.headers.get("X-Api-Key"),)
