"""Uploads that have begun, noted on the disk: after a crash, another process goes on with one instead of beginning again."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Note:
    """Of one file for one server; a file that has changed is another one. With no `place` nothing is noted."""

    place: Path | None

    def read(self) -> str:
        """The path of the upload on the server; empty where none has begun."""
        try:
            return self.place.read_text() if self.place else ""
        except (OSError, ValueError):
            return ""

    def write(self, path: str) -> None:
        """A disk that is full costs going on later, not the upload."""
        if self.place is None:
            return
        with contextlib.suppress(OSError):
            self.place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.place.write_text(path)

    def forget(self) -> None:
        if self.place is not None:
            with contextlib.suppress(OSError):
                self.place.unlink()


def note_of(folder: Path | None, server: str, file: Path) -> Note:
    if folder is None:
        return Note(None)
    known = file.stat()
    named = "\n".join([server, os.fspath(file.resolve()), str(known.st_size), str(known.st_mtime_ns)])
    return Note(folder / hashlib.sha256(named.encode(errors="surrogateescape")).hexdigest())
