"""A session's folder → a recording and its job. Also for folders of sessions whose process died: nothing but the folder is needed.

The sound is not copied where storage is on the same disk: a second name of the file is moved there, and the folder goes only
when the job is in the database. So a process that dies on any line leaves the folder, and at worst a file that nobody knows.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from whisper_jobs import heard, uploads
from whisper_jobs.hearing import spool
from whisper_jobs.hearing.spool import Head, Journal
from whisper_jobs.lifecycle import NewWindow
from whisper_jobs.models import Job
from whisper_jobs.models.live_session import SessionState
from whisper_jobs.pipeline.decode import as_wav
from whisper_jobs.speech.peaks import PeakMeter, Shape
from whisper_jobs.speech.windows import Window, WindowCutter

log = logging.getLogger(__name__)
LATER = "What was heard is kept and becomes a recording as soon as the server can."
_COPY = "recording.wav"
_PIECE = 1 << 20


class _Movable(File):  # type: ignore[type-arg]  # generic in its stubs alone
    """A file that storage may take away instead of copying it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.open("rb"), name=path.name)
        self._path = path

    def temporary_file_path(self) -> str:
        return str(self._path)


def finish(session_id: UUID, folder: Path, state: SessionState, note: str = "") -> Job | None:
    """Makes the job of what is in the folder, and deletes the folder. None where there was no sound, or it was made before.

    Raises OSError and database errors; the folder is then left for another try.
    """
    job = None
    if spool.sound_bytes(folder):
        job = _keep(session_id, folder, state, note)
    else:
        heard.close_without(session_id, state)
    spool.discard(folder)
    return job


def _keep(session_id: UUID, folder: Path, state: SessionState, note: str) -> Job | None:
    media = _store(spool.seal(folder), folder / _COPY)
    try:
        recording = _recording(folder, media, note)
        return heard.keep(session_id, recording, state)
    except heard.Superseded:
        uploads.remove_unless_kept(media)
        return None
    except BaseException:
        uploads.remove_unless_kept(media)
        raise


def _store(sound: Path, copy: Path) -> str:
    copy.unlink(missing_ok=True)
    try:
        os.link(sound, copy)
    except OSError:
        shutil.copyfile(sound, copy)
    with _Movable(copy) as file:
        media = uploads.store_original(file)
    copy.unlink(missing_ok=True)
    return media


def _recording(folder: Path, media: str, note: str) -> heard.Recording:
    journal = spool.read(folder)
    digest, shape = _measure(folder)
    language, probability = journal.language
    return heard.Recording(
        media=media,
        size_bytes=(folder / "sound.wav").stat().st_size,
        sha256=digest,
        seconds=spool.sound_bytes(folder) / spool.BYTES_PER_SECOND,
        shape=shape,
        started_at=_started(journal.head, folder),
        engine=_engine(journal.head),
        read=journal.windows,
        unread=_unread(folder, journal, media),
        language=language,
        language_probability=probability,
        note=note,
    )


def _engine(head: Head | None) -> heard.Engine | None:
    if head is None:
        return None
    return heard.Engine(head.backend, head.engine, head.model, head.quality, head.reason)


def _started(head: Head | None, folder: Path) -> datetime:
    return datetime.fromtimestamp(head.started_at if head else folder.stat().st_ctime, UTC)


def _measure(folder: Path) -> tuple[str, Shape]:
    """SHA-256 of the file, and what it looks like."""
    digest, meter = hashlib.sha256(), PeakMeter(spool.SAMPLE_RATE)
    with (folder / "sound.wav").open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    for samples in spool.sound(folder):
        meter.feed(samples)
    return digest.hexdigest(), meter.finish()


def _unread(folder: Path, journal: Journal, media: str) -> list[NewWindow]:
    """What was said behind the last words that are final, cut for workers."""
    if journal.is_done:
        return []
    start = journal.heard_until
    return [_stored(window, start, media) for window in _cut(folder, start)]


def _cut(folder: Path, start: float) -> Iterator[Window]:
    cutter = WindowCutter()
    for samples in spool.sound(folder, start=start):
        yield from cutter.feed(samples)
    yield from cutter.finish()


def _stored(window: Window, shift: float, media: str) -> NewWindow:
    name = uploads.beside(media, f"live-{round((window.start + shift) * 1000)}.wav")
    audio = default_storage.save(name, ContentFile(as_wav(window)))
    speech = tuple((start + shift, end + shift) for start, end in window.speech)
    return NewWindow(start=window.start + shift, end=window.end + shift, speech=speech, audio=audio)
