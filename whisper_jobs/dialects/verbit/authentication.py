"""Who calls: a personal token in the header, `Authorization: ApiToken …`, or as the parameter `api_token`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from rest_framework.request import Request

from whisper_jobs.dialects.calling import TokenAuthentication, after_scheme

SCHEME, PARAMETER = "ApiToken", "api_token"


class ApiTokenAuthentication(TokenAuthentication):
    challenge: ClassVar[str] = f'{SCHEME} realm="verbit"'

    def told(self, request: Request) -> Iterator[str | None]:
        yield after_scheme(request, SCHEME)
        yield request.query_params.get(PARAMETER)
        # Read last: nobody's large file is looked at for a token that stands elsewhere.
        body = request.data
        told = body.get(PARAMETER) if isinstance(body, Mapping) else None
        yield told if told is None or isinstance(told, str) else ""
