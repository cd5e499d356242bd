"""A request body on its way in: written to a temporary file by the web server, read from it piece by piece by the application.

Knows neither Twisted nor Django. What is over the limit, or does not fit on the disk, is counted but not kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

#: Bodies up to here stay in memory.
SMALL_BYTES = 100_000
CHUNK_BYTES = 256 * 1024
#: The free space is looked at again after this many bytes.
CHECK_EVERY_BYTES = 16 << 20
#: The ASGI extension that says that the body was not kept, and why; whisper_jobs.uploads reads it.
BODY_DISCARDED = "tools.body_discarded"
TOO_LARGE = "too_large"
DISK_FULL = "disk_full"


@dataclass(frozen=True)
class Room:
    """Where bodies are kept, and how much of the disk they must leave free."""

    folder: Path
    reserve_bytes: int

    def has(self, wanted_bytes: int) -> bool:
        return shutil.disk_usage(self.folder).free - self.reserve_bytes >= wanted_bytes


class Body:
    """The file that Twisted takes for the content of a request.

    `read` gives nothing: Twisted and Daphne read a whole body into memory, so the application reads by `take` instead.
    """

    def __init__(self, room: Room, limit_bytes: int, declared_bytes: int | None) -> None:
        self.size = 0
        self.limit_bytes = limit_bytes
        self.declared_bytes = declared_bytes
        #: TOO_LARGE or DISK_FULL when the body was not kept, else empty.
        self.discarded = ""
        self._room = room
        self._file: IO[bytes] = io.BytesIO()
        self._taken = 0
        if (declared_bytes or 0) > limit_bytes:
            self._discard(TOO_LARGE)
        elif declared_bytes is None or declared_bytes > SMALL_BYTES:
            self._open(declared_bytes or 0)

    def _open(self, wanted_bytes: int) -> None:
        try:
            if not self._room.has(wanted_bytes):
                return self._discard(DISK_FULL)
            self._file = tempfile.TemporaryFile(dir=self._room.folder)  # noqa: SIM115 - closed with the request
        except OSError:
            self._discard(DISK_FULL)

    def _discard(self, reason: str) -> None:
        self.discarded = self.discarded or reason
        self.close()

    def write(self, data: bytes) -> None:
        before, self.size = self.size, self.size + len(data)
        if self.discarded:
            return None
        if self.size > self.limit_bytes:
            return self._discard(TOO_LARGE)
        try:
            if before // CHECK_EVERY_BYTES != self.size // CHECK_EVERY_BYTES and not self._room.has(0):
                return self._discard(DISK_FULL)
            self._file.write(data)
        except OSError:
            self._discard(DISK_FULL)

    def finish(self) -> None:
        """The last byte is in; from here on it is only read."""
        if self.discarded:
            return
        try:
            self._file.flush()
            self._file.seek(0)
        except OSError:
            self._discard(DISK_FULL)

    def take(self) -> tuple[bytes, bool]:
        """The next piece, and whether more follow."""
        if self.discarded or self._file.closed:
            return b"", False
        piece = self._file.read(CHUNK_BYTES)
        self._taken += len(piece)
        return piece, self._taken < self.size and bool(piece)

    def own_file(self) -> IO[bytes]:
        """The whole body as a file of the caller's, who closes it whenever the request ends."""
        if self.discarded or self._file.closed:
            return io.BytesIO()
        if isinstance(self._file, io.BytesIO):
            return io.BytesIO(self._file.getvalue())
        return open(os.dup(self._file.fileno()), "rb")

    @property
    def closed(self) -> bool:
        return self._file.closed and not self.discarded

    def close(self) -> None:
        # What is still to be written may not fit on the disk.
        with contextlib.suppress(OSError):
            self._file.close()

    def tell(self) -> int:
        return self.size

    def seek(self, *place: int) -> None:
        """Twisted and Daphne rewind before they read; here nothing is read by them."""

    def read(self, *size: int) -> bytes:
        return b""


class Inbox:
    """The application's queue of messages: the body, read when it is asked for, then the disconnect."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._more = True
        self._gone = asyncio.Event()

    def put_nowait(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.disconnect":
            self._gone.set()

    def hand_over(self) -> IO[bytes] | None:
        """The body as a file instead of as messages; None when the client has left."""
        self._more = False
        return None if self._gone.is_set() else self._body.own_file()

    async def get(self) -> dict[str, Any]:
        if not self._more:
            await self._gone.wait()
        if self._gone.is_set():
            return {"type": "http.disconnect"}
        # Other requests get their turn between two pieces of a large body.
        await asyncio.sleep(0)
        piece, self._more = self._body.take()
        return {"type": "http.request", "body": piece, "more_body": self._more}
