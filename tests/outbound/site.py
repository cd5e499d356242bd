"""A real web server on loopback whose pages misbehave as told. Shared by the tests of outbound and media."""

from __future__ import annotations

import contextlib
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SO_LINGER, SOL_SOCKET


class Visit(BaseHTTPRequestHandler):
    """One request. Pages answer through these verbs."""

    protocol_version = "HTTP/1.1"
    server: Site

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.seen.append(self.path)
        page = self.server.pages.get(path)
        self.close_connection = True
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if page is None:
                self.answer(b"nothing here", status=404, kind="text/plain")
            else:
                page(self)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass

    def begin(self, status: int = 200, /, **headers: str | int) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Connection", "close")
        self.end_headers()

    def answer(self, body: bytes, *, status: int = 200, kind: str = "audio/wav", **headers: str | int) -> None:
        self.begin(status, Content_Type=kind, Content_Length=str(len(body)), **headers)
        if self.command == "GET":
            self.wfile.write(body)

    def answer_part(self, body: bytes, *, kind: str = "audio/wav") -> None:
        """Honour a Range header."""
        asked = self.headers.get("Range")
        if asked is None:
            self.answer(body, kind=kind, Accept_Ranges="bytes")
            return
        start = int(asked.removeprefix("bytes=").rstrip("-").partition("-")[0])
        told = f"bytes {start}-{len(body) - 1}/{len(body)}"
        self.answer(body[start:], status=206, kind=kind, Content_Range=told)

    def drip(self, body: bytes, *, seconds: float) -> None:
        for index in range(len(body)):
            self.wfile.write(body[index : index + 1])
            self.wfile.flush()
            if self.server.closing.wait(seconds):
                return

    def reset(self) -> None:
        """Break the connection off the hard way."""
        self.wfile.flush()
        time.sleep(0.05)
        self.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


Page = Callable[[Visit], None]


class Site(ThreadingHTTPServer):
    """`pages` maps a path to what it does; `seen` lists the requests."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host: str = "127.0.0.1") -> None:
        super().__init__((host, 0), Visit)
        self.host = host
        self.pages: dict[str, Page] = {}
        self.seen: list[str] = []
        self.closing = threading.Event()

    def url(self, path: str = "/") -> str:
        return f"http://{self.host}:{self.server_port}{path}"

    def serve(self, path: str, body: bytes, kind: str = "audio/wav", **headers: str) -> str:
        def page(visit: Visit) -> None:
            visit.begin(200, Content_Type=kind, Content_Length=len(body), **headers)
            if visit.command == "GET":
                visit.wfile.write(body)

        self.pages[path] = page
        return self.url(path)

    def redirect(self, path: str, to: str, status: int = 302) -> str:
        self.pages[path] = lambda visit: visit.answer(b"", status=status, kind="text/plain", Location=to)
        return self.url(path)

    def handle_error(self, request: object, client_address: object) -> None:
        pass


@dataclass
class Resolver:
    """Answers names from a script, one answer after the other, and counts."""

    answers: dict[str, list[list[str]]]
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, port: int, **how: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        self.asked.append(host)
        script = self.answers[host]
        addresses = script.pop(0) if len(script) > 1 else script[0]
        return [(10 if ":" in address else 2, 1, 6, "", (address, port)) for address in addresses]


@contextlib.contextmanager
def running(server: Site) -> Iterator[Site]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
