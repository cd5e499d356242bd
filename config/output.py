"""What the server's processes print: each line with the name of its process to the terminal, and to a file of bounded size."""

from __future__ import annotations

import os
import select
from pathlib import Path

LOG_BYTES = 5 << 20
#: A pipe that select calls writable takes this much without blocking.
SAFE_WRITE_BYTES = 4096


class Output:
    """Never blocks and never fails: a terminal that is stopped or a disk that is full must not hold up the server."""

    def __init__(self, folder: Path, terminal: int | None = 1) -> None:
        self._folder = folder
        self._terminal = terminal

    def say(self, text: str) -> None:
        """A line of the supervisor's own."""
        self._show(f"{text}\n".encode())
        self._keep("server", f"{text}\n".encode())

    def line(self, name: str, line: bytes) -> None:
        """A line that the process `name` printed."""
        self._show(b"%-16s| %s\n" % (name.encode(), line))
        self._keep(name, line + b"\n")

    def _show(self, line: bytes) -> None:
        if self._terminal is None:
            return
        try:
            _, writable, _ = select.select([], [self._terminal], [], 0)
            if writable:
                shown = line if len(line) < SAFE_WRITE_BYTES else line[: SAFE_WRITE_BYTES - 1] + b"\n"
                os.write(self._terminal, shown)
        except OSError:
            self._terminal = None

    def _keep(self, name: str, line: bytes) -> None:
        path = self._folder / f"{name}.log"
        try:
            with path.open("ab") as file:
                file.write(line)
                full = file.tell() > LOG_BYTES
            if full:
                path.replace(path.with_suffix(".log.1"))
        except OSError:
            return
