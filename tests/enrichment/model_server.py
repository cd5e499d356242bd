"""A real HTTP server on loopback that speaks the chat completions protocol, and does it as badly as a test wants."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Asked = dict[str, Any]
#: What becomes of a request: its body → what is answered.
Behaviour = Callable[[Asked], "Reply"]


@dataclass(frozen=True)
class Reply:
    """`body` is sent as it is; `hold` is waited for before."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hold: threading.Event | None = None
    content_type: str = "application/json"


def said(content: Any, **choice: Any) -> Reply:
    """A completion with this content; anything but a string is sent as JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    told = {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "model-of-the-server",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}, **choice}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
    }
    return Reply(body=json.dumps(told).encode())


def refused(status: int, code: str = "", **headers: str) -> Reply:
    return Reply(
        status, json.dumps({"error": {"message": "no", "type": "error", "code": code or None}}).encode(), headers
    )


def shape_of(asked: Asked) -> str:
    return str((asked.get("response_format") or {}).get("type", "text"))


def captions_of(asked: Asked) -> list[Asked]:
    """The captions that a translation asks for."""
    told: list[Asked] = json.loads(asked["messages"][-1]["content"])["segments"]
    return told


def is_translation(asked: Asked) -> bool:
    return str(asked["messages"][-1]["content"]).startswith("{")


def translated(asked: Asked) -> Reply:
    """Every caption in capitals: as good as any other language."""
    return said({"translations": [{"id": one["id"], "text": one["text"].upper()} for one in captions_of(asked)]})


ANALYSIS = {
    "summary": "They talked about the budget.",
    "key_points": ["Costs have grown."],
    "decisions": ["The price goes up."],
    "action_items": [{"text": "Write to the customers", "owner": "Eva", "due": None}],
    "chapters": [{"title": "Welcome", "start": "0:00:00"}, {"title": "Budget", "start": "0:00:10"}],
}


def helpful(asked: Asked) -> Reply:
    """What a good model answers."""
    return translated(asked) if is_translation(asked) else said(ANALYSIS)


class ModelServer:
    """`behaviour` decides; what was asked is kept in `asked`, with what came along in `headers`."""

    def __init__(self) -> None:
        self.behaviour: Behaviour = helpful
        self.asked: list[Asked] = []
        self.headers: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                pass

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append(asked)
                outer.headers.append({name.lower(): value for name, value in self.headers.items()})
                reply = outer.behaviour(asked) if self.path == "/v1/chat/completions" else refused(404)
                if reply.hold is not None:
                    reply.hold.wait(30)
                self.send_response(reply.status)
                for name, value in {"Content-Type": reply.content_type, **reply.headers}.items():
                    self.send_header(name.replace("_", "-"), value)
                if "Content-Length" not in reply.headers:
                    self.send_header("Content-Length", str(len(reply.body)))
                # Whoever gave the call up does not hear the answer.
                with contextlib.suppress(ConnectionError):
                    self.end_headers()
                    self.wfile.write(reply.body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def then(self, *behaviours: Behaviour) -> None:
        """One after the other; the last one stays."""
        left = list(behaviours)
        self.behaviour = lambda asked: (left.pop(0) if len(left) > 1 else left[0])(asked)

    @contextmanager
    def running(self) -> Iterator[ModelServer]:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
