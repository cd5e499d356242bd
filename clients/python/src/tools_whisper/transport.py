"""Calls → httpx2, and back. What the two clients have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import IO, Any
from urllib.parse import urlsplit

import httpx2

from tools_whisper.errors import ToolsWhisperError
from tools_whisper.wire import Answer, Call

#: Nothing had been sent yet.
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


@dataclass(frozen=True, slots=True)
class Place:
    """Which server, and as whom."""

    base_url: str
    token: str = field(repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ToolsWhisperError(f"“{self.base_url}” is no address of a server, such as https://tools.example.com.")
        if not (self.token.isascii() and self.token.isprintable()):
            raise ToolsWhisperError("The token has characters that no token has.")

    @property
    def root(self) -> str:
        return self.base_url.rstrip("/")

    @property
    def socket_root(self) -> str:
        return "ws" + self.root.removeprefix("http")

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def request(self, call: Call) -> dict[str, Any]:
        """The arguments of httpx2's `stream`."""
        return {
            "method": call.method,
            "url": self.root + call.path,
            "params": dict(call.params) or None,
            "json": call.json,
            "content": call.content,
            "headers": {"Accept": "application/json, */*", **self.authorization, **call.headers},
        }


def answer(response: httpx2.Response, body: bytes) -> Answer:
    return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, body)


def lost(error: httpx2.TransportError) -> Answer:
    """Some of them have no words of their own."""
    told = error if str(error) else type(error)(type(error).__name__)
    return Answer(lost=told, is_sent=not isinstance(error, _NEVER_SENT))


def target(call: Call, response: httpx2.Response) -> IO[bytes] | None:
    """Where the body goes, from its beginning: an attempt before may have written half of it."""
    if call.into is None or not response.is_success:
        return None
    if call.into.seekable():
        call.into.seek(0)
        call.into.truncate()
    return call.into
