"""Sound that is kept while it is sent, so that it can be sent again: written by one thread, read by another."""

from __future__ import annotations

import tempfile
import threading

#: More than this is on the disk.
IN_MEMORY_BYTES = 8 << 20


class Tape:
    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115
        self._size = 0
        self._is_finished = self._is_closed = False
        self._changed = threading.Condition()

    def write(self, sound: bytes) -> None:
        """What comes after the end is nobody's."""
        with self._changed:
            if self._is_closed:
                return
            self._file.seek(self._size)
            self._file.write(sound)
            self._size += len(sound)
            self._changed.notify_all()

    def finish(self) -> None:
        """No more comes."""
        with self._changed:
            self._is_finished = True
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._is_finished = self._is_closed = True
            self._file.close()
            self._changed.notify_all()

    def read(self, offset: int, most: int, wait: float) -> bytes | None:
        """What there is from `offset` on; empty where none came within `wait` seconds, None where none will."""
        with self._changed:
            self._changed.wait_for(lambda: self._size > offset or self._is_finished, wait)
            if self._is_closed or self._size <= offset:
                return None if self._is_finished else b""
            self._file.seek(offset)
            return self._file.read(most)
