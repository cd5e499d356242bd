"""Calls of OpenAI's API as its clients make them, for the figure of the same name."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

from benchmarks.server import ADMIN, PASSWORD, Server, python

PATH = "/v1/audio/transcriptions"


@dataclass(frozen=True, slots=True)
class Answer:
    """`seconds` from the first byte sent to the last one received; `first_seconds` to the first delta of a stream."""

    status: int
    body: bytes
    headers: dict[str, str]
    seconds: float
    first_seconds: float = 0.0


class Caller:
    """Somebody with a key. Any thread may call; each `client` of it keeps one connection, as the official client does."""

    def __init__(self, server: Server, email: str) -> None:
        self.port = server.port
        made = _manage(server, "create_token", email, "--provider", "provider_whisper_api")
        self.key = json.loads(made)["token"]

    @contextlib.contextmanager
    def client(self) -> Iterator[Client]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=1800)) as connection:
            yield Client(connection, self.key)


class Client:
    def __init__(self, connection: http.client.HTTPConnection, key: str) -> None:
        self._connection, self._key = connection, key

    def transcribe(self, clip: bytes, **fields: str) -> Answer:
        body, kind = _form(clip, {"model": "whisper-1", "language": "en", **fields})
        began = time.perf_counter()
        self._connection.request("POST", PATH, body, {**self._headers, "Content-Type": kind})
        answer = self._connection.getresponse()
        first, text = self._read(answer, began) if fields.get("stream") else (0.0, answer.read())
        return Answer(answer.status, text, dict(answer.headers), time.perf_counter() - began, first)

    def models(self) -> Answer:
        began = time.perf_counter()
        self._connection.request("GET", "/v1/models", headers=self._headers)
        answer = self._connection.getresponse()
        return Answer(answer.status, answer.read(), dict(answer.headers), time.perf_counter() - began)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"}

    def _read(self, answer: http.client.HTTPResponse, began: float) -> tuple[float, bytes]:
        lines, first = [], 0.0
        for line in answer:
            if not first and b"transcript.text.delta" in line:
                first = time.perf_counter() - began
            lines.append(line)
        return first, b"".join(lines)


def _form(clip: bytes, fields: dict[str, str]) -> tuple[bytes, str]:
    edge = uuid4().hex
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="clip.wav"\r\nContent-Type: audio/wav\r\n\r\n'
    )
    return "".join(parts).encode() + clip + f"\r\n--{edge}--\r\n".encode(), f"multipart/form-data; boundary={edge}"


def admin(server: Server) -> Caller:
    return Caller(server, ADMIN)


def somebody(server: Server, name: str) -> Caller:
    """A new user of the API who is no admin."""
    email = f"{name}@example.test"
    _manage(server, "create_user", email, "--password", PASSWORD, "--perm", "whisper.use", "--perm", "whisper.api")
    return Caller(server, email)


def _manage(server: Server, *words: str) -> str:
    maker = python("manage.py", *words, **server.variables)
    told, _ = maker.communicate(timeout=120)
    if maker.returncode:
        raise RuntimeError(told)
    return told
