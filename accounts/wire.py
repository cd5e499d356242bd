"""Lets the libraries that speak through `requests` (allauth's OpenID Connect) out by the guarded door only."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import httpx2
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from whisper_jobs.errors import JobError
from whisper_jobs.outbound import Guard

TIMEOUT_SECONDS = 10.0
#: Discovery documents and key sets have some kilobytes.
ANSWER_MAX_BYTES = 1 << 20


class GuardedAdapter(BaseAdapter):
    def __init__(self, guard: Guard) -> None:
        super().__init__()
        self._guard = guard

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        try:
            return _answered(request, *self._exchange(request))
        except (JobError, httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL) as error:
            raise requests.ConnectionError(str(error), request=request) from error

    def close(self) -> None:
        """Nothing is kept open."""

    def _exchange(self, request: requests.PreparedRequest) -> tuple[httpx2.Response, bytes]:
        method, url = request.method or "GET", request.url or ""
        headers = {name: str(value) for name, value in request.headers.items()}
        body = request.body if isinstance(request.body, str | bytes) else None
        with (
            self._guard.client(timeout=TIMEOUT_SECONDS, total_timeout=TIMEOUT_SECONDS) as client,
            client.stream(method, url, headers=headers, content=body) as answer,
        ):
            return answer, _read(answer)


def session(guard: Guard) -> requests.Session:
    """A session that reaches what the guard admits and follows no redirect: none belongs into these exchanges."""
    made = requests.Session()
    made.trust_env = False
    made.max_redirects = 0
    for scheme in ("http://", "https://"):
        made.mount(scheme, GuardedAdapter(guard))
    return made


def _read(answer: httpx2.Response) -> bytes:
    content = b""
    for chunk in answer.iter_bytes():
        content += chunk
        if len(content) > ANSWER_MAX_BYTES:
            raise httpx2.StreamError("The answer is too long.")
    return content


def _answered(request: requests.PreparedRequest, answer: httpx2.Response, content: bytes) -> requests.Response:
    made = requests.Response()
    made.status_code = answer.status_code
    made.reason = answer.reason_phrase
    made.headers = CaseInsensitiveDict(answer.headers)
    made.url = str(answer.url)
    made.request = request
    made.encoding = answer.encoding
    made.raw = io.BytesIO(content)
    return made
