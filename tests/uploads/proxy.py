"""A bad network between a client and a server: a TCP proxy that is cut, or falls silent, when so many bytes have gone up."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

BLOCK_BYTES = 65_536
RESET = b"\1\0\0\0\0\0\0\0"


class Proxy:
    """`sent` counts the bytes that went to the server. `cut_at` is when every connection is reset, once; at `mute_at` the
    connection that gets there passes on nothing any more, and is not closed either.
    """

    def __init__(self, port: int) -> None:
        self.sent, self.cut_at, self.is_down = 0, 0, False
        self.bytes_per_second = self.mute_at = 0
        self.is_mute = False
        self._closed = threading.Event()
        self._to = port
        self._ends: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BLOCK_BYTES)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                if self.is_down:
                    _reset(client)
                else:
                    self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._to), timeout=30)
        except OSError:
            _reset(client)
            return
        server.settimeout(None)
        self._ends |= {client, server}
        for one, other, up in ((client, server, True), (server, client, False)):
            threading.Thread(target=self._pump, args=(one, other, up), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket, up: bool) -> None:
        try:
            while data := one.recv(BLOCK_BYTES):
                other.sendall(data)
                if up:
                    self._count(len(data))
            other.shutdown(socket.SHUT_WR)
        except OSError:
            _reset(one)
            _reset(other)

    def _count(self, size: int) -> None:
        self.sent += size
        if self.bytes_per_second:
            time.sleep(size / self.bytes_per_second)
        if self.mute_at and self.sent >= self.mute_at:
            self.mute_at, self.is_mute = 0, True
            self._closed.wait()
        if self.cut_at and self.sent >= self.cut_at:
            self.cut()

    def cut(self) -> None:
        """Resets every connection; none is made until `is_down` is taken back."""
        self.cut_at, self.is_down = 0, True
        # The server has the chance to read what is on its way to it.
        time.sleep(0.2)
        ends, self._ends = self._ends, set()
        for end in ends:
            _reset(end)

    def close(self) -> None:
        self._listener.close()
        self._closed.set()
        self.cut()


def _reset(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    end.close()


@contextlib.contextmanager
def bad_network(port: int) -> Iterator[Proxy]:
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
