"""A server of model files on the loopback, whose answers break off when they are told to."""

from __future__ import annotations

import re
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from whisper_jobs.speech.engines.downloads import Response


class FileServer(ThreadingHTTPServer):
    """`cuts`: after how many bytes each of the next files breaks off."""

    #: What every address that is fetched begins with.
    origin = "https://"

    def __init__(self, handler: type[FileHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.cuts: list[int] = []

    @contextmanager
    def serving(self) -> Iterator[None]:
        with self:
            thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            yield
            self.shutdown()
            thread.join()

    @contextmanager
    def fetch(self, url: str, offset: int) -> Iterator[Response]:
        """What the guard of the product supplies, here to the loopback."""
        assert url.startswith(self.origin)
        here = urlsplit(url)._replace(scheme="http", netloc=f"127.0.0.1:{self.server_port}").geturl()
        request = urllib.request.Request(here, headers={"Range": f"bytes={offset}-"} if offset else {})
        try:
            answer = urllib.request.urlopen(request, timeout=10)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            length = answer.headers.get("Content-Length")
            total = int(length) + (offset if answer.status == 206 else 0) if length else None
            yield answer.status, total, iter(lambda: answer.read(9_000), b"")


class FileHandler(BaseHTTPRequestHandler):
    @property
    def offset(self) -> int:
        """Where what is asked for begins."""
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(wanted[1]) if wanted else 0

    def send(self, status: int, body: bytes, *, cuts: list[int] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if cuts:
            self.wfile.write(body[: cuts.pop(0)])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
