"""The media children of a process, whatever else a test run has started besides."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path


def media_children(pid: int | None = None) -> list[int]:
    """Pids of decode and fetch children that `pid` (else this process) has now; what they are forked from is none."""
    found = dict(_children(pid or os.getpid()))
    templates = [child for child, command in found.items() if b"decode_template" in command]
    forked = [child for template in templates for child, _command in _children(template)]
    return [
        child for child, command in found.items() if b"whisper_jobs.media" in command and child not in templates
    ] + forked


def _children(pid: int) -> Iterator[tuple[int, bytes]]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return ((int(child), Path(f"/proc/{child}/cmdline").read_bytes()) for child in listed)


def started_children() -> list[int]:
    """The same, when there must be one: just started, it has no name for a moment."""
    give_up_at = time.monotonic() + 10
    while not (found := media_children()) and time.monotonic() < give_up_at:
        time.sleep(0.01)
    return found
