"""A URL → a file: direct media or any page that yt-dlp knows, fetched in a child process that the guard confines.

Called by the fetch step. Whatever happens, nothing is left beside `target` but a complete file.
"""

from __future__ import annotations

import json
import logging
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whisper_jobs.addresses import Network
from whisper_jobs.errors import JobError
from whisper_jobs.media.launching import Child, child
from whisper_jobs.media.naming import plain_text

_log = logging.getLogger(__name__)
_MAX_LINE_BYTES = 1 << 20
_READ_BYTES = 1 << 16


@dataclass(frozen=True)
class FetchLimits:
    """`max_seconds` is the length of the recording; a server slower than `min_rate` bytes a second is given up."""

    max_bytes: int = 4 << 30
    max_seconds: float = 12 * 3600.0
    total_timeout: float = 3 * 3600.0
    connect_timeout: float = 10.0
    stall_seconds: float = 45.0
    min_rate: float = 1024.0
    rate_window: float = 20.0
    memory_bytes: int = 2 << 30
    cpu_seconds: int = 1800


@dataclass(frozen=True)
class FetchProgress:
    bytes_done: int
    bytes_total: int | None
    detail: str


@dataclass(frozen=True)
class Fetched:
    """What came. `filename` is safe to show and to store under; `extractor` is yt-dlp's name or "direct"."""

    title: str
    description: str
    duration_seconds: float | None
    mime: str
    size_bytes: int
    sha256: str
    filename: str
    extractor: str


def fetch(
    url: str,
    target: Path,
    *,
    limits: FetchLimits | None = None,
    allow: tuple[Network, ...] = (),
    on_progress: Callable[[FetchProgress], None] = lambda progress: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Fetched:
    """Fetch `url` into `target`. Every failure is a JobError; `on_progress` hears of it about twice a second."""
    limits = limits or FetchLimits()
    folder = Path(tempfile.mkdtemp(prefix=".fetch-", dir=target.parent))
    try:
        options = {
            "url": url,
            "folder": str(folder),
            "allow": [str(network) for network in allow],
            "limits": vars(limits),
        }
        with child("whisper_jobs.media.fetch_child", options, should_stop=should_stop, home=folder) as running:
            fetched = _followed(running, limits, on_progress)
        (folder / "media").replace(target)
        return fetched
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _followed(running: Child, limits: FetchLimits, on_progress: Callable[[FetchProgress], None]) -> Fetched:
    for event in _events(running, limits):
        kind = event.pop("event")
        if kind == "progress":
            on_progress(FetchProgress(**event))
        elif kind == "done":
            return Fetched(**{name: _stranger(value) for name, value in event.items()})
        else:
            if event.get("detail"):
                _log.error("the fetching child failed: %s", event["detail"])
            raise JobError(event["code"], plain_text(event["message"]), retry=event["retry"])
    raise _death(running.death())


def _stranger(value: Any) -> Any:
    return plain_text(value) if isinstance(value, str) else value


def _events(running: Child, limits: FetchLimits) -> Iterator[dict[str, Any]]:
    end = time.monotonic() + limits.total_timeout
    pending = b""
    while len(pending) < _MAX_LINE_BYTES:
        left = end - time.monotonic()
        if left <= 0:
            raise JobError("timeout", "The media server took too long. Restart the job later.")
        part = running.read(_READ_BYTES, min(left, limits.stall_seconds))
        if not part:
            return
        *lines, pending = (pending + part).split(b"\n")
        for line in lines:
            yield json.loads(line)


def _death(status: int) -> JobError:
    if status == -signal.SIGXCPU:
        return JobError("timeout", "Reading this page took too long. Submit the address of the recording itself.")
    return JobError("internal_error", retry=True)
