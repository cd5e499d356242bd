"""A real HTTP server on loopback that speaks OpenAI's audio protocol, reads requests strictly, and answers as a test wants."""

from __future__ import annotations

import contextlib
import email.policy
import io
import json
import threading
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import numpy.typing as npt

KEY = "sk-relay-0123456789"
PATHS = ("/v1/audio/transcriptions", "/v1/audio/translations")
FIELDS = {"file", "model", "prompt", "response_format", "temperature", "language", "timestamp_granularities[]"}
#: What the protocol has for one and not for the other.
NOT_FOR_TRANSLATIONS = {"language", "timestamp_granularities[]"}


@dataclass(frozen=True)
class Asked:
    """One request as the server read it; `samples` are the file's."""

    path: str
    fields: dict[str, list[str]]
    samples: npt.NDArray[np.int16]

    def one(self, name: str) -> str | None:
        values = self.fields.get(name, [])
        assert len(values) < 2, f"{name} came more than once"
        return values[0] if values else None


@dataclass(frozen=True)
class Reply:
    """`hold` is waited for before the answer; `cut` leaves out so many bytes of its end and drops the connection."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hold: threading.Event | None = None
    cut: int = 0
    content_type: str = "application/json"


Behaviour = Callable[[Asked], Reply]


def said(told: Any, **reply: Any) -> Reply:
    return Reply(body=json.dumps(told).encode(), **reply)


def refused(status: int, message: str = "no", *, param: str = "", code: str = "", **headers: str) -> Reply:
    error = {"message": message, "type": "invalid_request_error", "param": param or None, "code": code or None}
    return Reply(status, json.dumps({"error": error}).encode(), headers)


def verbose(*segments: dict[str, Any], **more: Any) -> dict[str, Any]:
    text = " ".join(each["text"] for each in segments)
    return {
        "task": "transcribe",
        "language": "english",
        "duration": 2.0,
        "text": text,
        "segments": list(segments),
        **more,
    }


def segment(start: float, end: float, text: str, **more: Any) -> dict[str, Any]:
    decoding = {"avg_logprob": -0.25, "compression_ratio": 1.1, "no_speech_prob": 0.02, "temperature": 0.0}
    return {"id": 0, "seek": 0, "start": start, "end": end, "text": text, "tokens": [1], **decoding, **more}


def word(start: float, end: float, text: str, **more: Any) -> dict[str, Any]:
    return {"start": start, "end": end, "word": text, **more}


HELLO = verbose(segment(0.5, 1.5, " Hello, world."), words=[word(0.5, 0.9, "Hello"), word(1.0, 1.5, "world")])


class RelayServer:
    """`behaviour` decides; what was asked is kept in `asked`. A request that breaks the protocol is in `complaints`."""

    def __init__(self) -> None:
        self.behaviour: Behaviour = lambda asked: said(HELLO)
        self.asked: list[Asked] = []
        self.complaints: list[str] = []
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer._busy():
                    try:
                        asked = _read(self.path, dict(self.headers), body)
                    except AssertionError as error:
                        outer.complaints.append(str(error))
                        reply = refused(418, str(error))
                    else:
                        outer.asked.append(asked)
                        reply = outer.behaviour(asked)
                    if reply.hold is not None:
                        reply.hold.wait(30)
                    # Whoever gave the call up does not hear the answer.
                    with contextlib.suppress(ConnectionError):
                        self._answer(reply)

            def _answer(self, reply: Reply) -> None:
                self.send_response(reply.status)
                for name, value in {"Content-Type": reply.content_type, **reply.headers}.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body[: len(reply.body) - reply.cut])

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    @contextmanager
    def _busy(self) -> Iterator[None]:
        with self._lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            yield
        finally:
            with self._lock:
                self._now -= 1

    def then(self, *replies: Reply) -> None:
        """One after the other; the last one stays."""
        left = list(replies)
        self.behaviour = lambda asked: left.pop(0) if len(left) > 1 else left[0]

    @contextmanager
    def running(self) -> Iterator[RelayServer]:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()


def _read(path: str, headers: dict[str, str], body: bytes) -> Asked:
    assert path in PATHS, f"no such address: {path}"
    assert headers.get("Authorization") in (None, f"Bearer {KEY}"), "another key"
    fields, files = _parts(headers["Content-Type"], body)
    assert fields.keys() <= FIELDS, f"unknown fields: {fields.keys() - FIELDS}"
    assert not (path.endswith("translations") and fields.keys() & NOT_FOR_TRANSLATIONS), "not for translations"
    assert len(fields.get("model", [])) == 1, "no model"
    assert set(fields.get("timestamp_granularities[]", [])) <= {"word", "segment"}
    assert list(files) == ["file"], f"no file, or too many: {list(files)}"
    return Asked(path, fields, _samples(files["file"]))


def _parts(content_type: str, body: bytes) -> tuple[dict[str, list[str]], dict[str, bytes]]:
    assert content_type.startswith("multipart/form-data; boundary="), content_type
    head = f"MIME-Version: 1.0\r\nContent-Type: {content_type}\r\n\r\n".encode()
    message = BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    assert not message.defects, message.defects
    fields: dict[str, list[str]] = {}
    files: dict[str, bytes] = {}
    for part in message.iter_parts():
        assert not part.defects, part.defects
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        assert isinstance(name, str) and isinstance(content, bytes)
        if part.get_filename() is None:
            fields.setdefault(name, []).append(content.decode())
        else:
            assert part.get_content_type() == "audio/wav", part.get_content_type()
            files[name] = content
    return fields, files


def _samples(file: bytes) -> npt.NDArray[np.int16]:
    with wave.open(io.BytesIO(file)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 16_000)
        frames = sound.readframes(sound.getnframes())
    assert len(frames) >= 3200, "less than 0.1 s"
    return np.frombuffer(frames, dtype="<i2")
