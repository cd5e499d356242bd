"""The media children of a process, whatever else a test run has started besides."""

from __future__ import annotations

import os
import time
from pathlib import Path


def media_children(pid: int | None = None) -> list[int]:
    """Pids of decode and fetch children that `pid` (else this process) has now."""
    pid = pid or os.getpid()
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed if b"whisper_jobs.media" in Path(f"/proc/{child}/cmdline").read_bytes()]


def started_children() -> list[int]:
    """The same, when there must be one: just started, it has no name for a moment."""
    give_up_at = time.monotonic() + 10
    while not (found := media_children()) and time.monotonic() < give_up_at:
        time.sleep(0.01)
    return found
