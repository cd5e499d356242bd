"""Where zipfile writes what is sent while it is made: a stream that can't go back, emptied as it fills."""

from __future__ import annotations

import io
from typing import Any


class Outlet(io.RawIOBase):
    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._written += data
        return len(data)

    def taken(self) -> bytes:
        taken, self._written = bytes(self._written), bytearray()
        return taken
