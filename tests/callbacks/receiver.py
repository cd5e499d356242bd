"""A receiver of callbacks on loopback: a real web server that answers as told and remembers what came."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Call:
    """One POST. Names of headers are lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        call = Call(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        self.server.calls.append(call)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.server.answer(self, call)

    do_GET = do_POST

    def reply(self, status: int = 200, body: bytes = b"OK", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


Answer = Callable[[Handler, Call], None]


class Receiver(ThreadingHTTPServer):
    """`answers` are used up one by one, then everything is taken. `connections` counts them, `end` ends what hangs."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str = "127.0.0.1") -> None:
        super().__init__((host, 0), Handler)
        self.host = host
        self.calls: list[Call] = []
        self.answers: list[Answer] = []
        self.connections = 0
        self.closing = threading.Event()
        self._turn = threading.Lock()

    def get_request(self) -> Any:
        self.connections += 1
        return super().get_request()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.server_port}/hook"

    def answer(self, handler: Handler, call: Call) -> None:
        with self._turn:
            answer = self.answers.pop(0) if self.answers else status(200)
        answer(handler, call)

    def handle_error(self, request: object, client_address: object) -> None:
        pass


def status(code: int, body: bytes = b"OK", **headers: str) -> Answer:
    return lambda handler, call: handler.reply(code, body, **headers)


def hang(handler: Handler, call: Call) -> None:
    """Takes the request and says nothing until the test is over."""
    handler.server.closing.wait(60)
    handler.close_connection = True


def flood(handler: Handler, call: Call) -> None:
    """An answer without an end."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    while not handler.server.closing.is_set():
        handler.wfile.write(b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n")


def nonsense(handler: Handler, call: Call) -> None:
    handler.wfile.write(b"this is no HTTP\r\n\r\n")
    handler.close_connection = True


@contextlib.contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        receiver.shutdown()
        receiver.server_close()
        thread.join()
