"""Gets what a URL names into storage, through a child process that can only reach public addresses."""

from __future__ import annotations

import glob
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File

from whisper_jobs import lifecycle, presence, uploads
from whisper_jobs.media import fetching
from whisper_jobs.pipeline.heart import Watch
from whisper_jobs.runs import Run

MB = 1 << 20
#: Progress is stored at most this often.
REPORT_SECONDS = 1.0


class _Local(File):  # type: ignore[type-arg]
    """A finished temporary file that local storage may move instead of copying."""

    def temporary_file_path(self) -> str:
        return str(self.name)


def fetch(run: Run, watch: Watch) -> None:
    with room(presence.me().name) as folder:
        target = Path(folder) / "media"
        fetched = fetching.fetch(
            run.job.source_url,
            target,
            limits=_limits(),
            allow=settings.TOOLS.outbound_allow,
            on_progress=_Reporter(run),
            should_stop=watch.stopping,
        )
        watch.check()
        media = _store(target)
    try:
        lifecycle.finish_fetch(run, media=media, **_source(fetched))
    except BaseException:
        uploads.remove_unless_kept(media)
        raise


def room(process: str) -> tempfile.TemporaryDirectory[str]:
    """A folder for one download, named after the process, so that it can be told whose it is."""
    return tempfile.TemporaryDirectory(prefix=f"{process}-", dir=settings.FILE_UPLOAD_TEMP_DIR)


def clear_after(process: str) -> None:
    """Deletes what a download left that died with its process."""
    for folder in Path(settings.FILE_UPLOAD_TEMP_DIR).glob(f"{glob.escape(process)}-*"):
        shutil.rmtree(folder, ignore_errors=True)


def _limits() -> fetching.FetchLimits:
    tools = settings.TOOLS
    return fetching.FetchLimits(
        max_bytes=tools.download_max_mb * MB,
        max_seconds=tools.max_duration_hours * 3600,
        total_timeout=tools.download_timeout_hours * 3600,
    )


def _store(target: Path) -> str:
    with target.open("rb") as file:
        return uploads.store_original(_Local(file, name=str(target)))


def _source(fetched: fetching.Fetched) -> dict[str, Any]:
    return {
        "source_title": fetched.title[:500],
        "source_description": fetched.description,
        "source_duration_seconds": fetched.duration_seconds,
        "source_mime": fetched.mime[:100],
        "source_size_bytes": fetched.size_bytes,
        "source_sha256": fetched.sha256,
        "source_filename": fetched.filename[:255],
    }


class _Reporter:
    """Stores the download's progress about once a second."""

    def __init__(self, run: Run) -> None:
        self._run, self._next = run, 0.0

    def __call__(self, progress: fetching.FetchProgress) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + REPORT_SECONDS
        total = progress.bytes_total
        fraction = progress.bytes_done / total if total else 0.0
        done = f"{progress.bytes_done / MB:.1f} MB"
        lifecycle.report(self._run, fraction, f"{done} of {total / MB:.1f} MB" if total else done)
