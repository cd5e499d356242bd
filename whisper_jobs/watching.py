"""A folder whose recordings are handed in by themselves: one look at a time. The command `watch` looks again and again.

Files are moved, never deleted: to handed-in/ when there is a job, to refused/ when there can't be one. The job of a file is
written down before the file is moved, and the request carries the file's checksum, so that a process that dies at any moment
and is started again makes no second job. A file that is written to meanwhile is left alone until it rests.
"""

from __future__ import annotations

import hashlib
import logging
import mimetypes
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile

from accounts.models import User
from whisper_jobs import intake, limits, results, uploads
from whisper_jobs.intake import Idempotency, Repeated, Submission
from whisper_jobs.models import Channel, Job
from whisper_jobs.speech.formats import FORMATS
from whisper_jobs.states import Stage

log = logging.getLogger(__name__)
HANDED_IN, REFUSED, DONE = "handed-in", "refused", "done"
#: Beside a file that was handed in: the number of its job, until its transcript is written.
NOTE = ".job"
#: Known by few systems as what they are.
FURTHER_ENDINGS = {
    ".amr",
    ".m4a",
    ".m4b",
    ".mka",
    ".mkv",
    ".mts",
    ".oga",
    ".ogg",
    ".opus",
    ".weba",
    ".webm",
    ".wma",
    ".caf",
}
#: Lists of recordings are called audio, too.
LISTS = {".m3u", ".m3u8", ".pls", ".ram", ".wax", ".wvx"}
PIECE_BYTES = 1 << 20
#: Of a name to which something is added.
MOST_BYTES = 200
Look = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Orders:
    """Whose recordings these are, how they are transcribed, and which formats are written when they are done."""

    owner: User
    model: str = "auto"
    language: str = ""
    formats: tuple[str, ...] = ()


@dataclass
class Watch:
    folder: Path
    orders: Orders
    #: Size and time of change of each file at the last look.
    seen: dict[str, Look] = field(default_factory=dict)
    #: What was told about a file last, so that it is not told at every look.
    told: dict[str, str] = field(default_factory=dict)

    def look(self) -> Iterator[Job]:
        """Hands in what rests since the last look; gives each job when its file has been moved."""
        found = dict(_media_in(self.folder))
        resting = [name for name, now in found.items() if self.seen.get(name) == now]
        self.seen, self.told = found, {name: said for name, said in self.told.items() if name in found}
        for name in sorted(resting):
            job = self._take(name)
            if job is not None:
                yield job

    def _take(self, name: str) -> Job | None:
        """A file that vanishes or can't be read now is looked at again; nothing that happens to one stops the others."""
        try:
            with _opened(self.folder / name) as handle:
                return self._hand_in(name, handle)
        except FileNotFoundError:
            return None
        except limits.LimitReached as reached:
            self._tell(name, str(reached))
        except OSError as error:
            self._tell(name, error.strerror or str(error))
        return None

    def _hand_in(self, name: str, handle: BinaryIO) -> Job | None:
        before = _look_of(os.fstat(handle.fileno()))
        if before[0] > uploads.limit().configured_mb * uploads.MB:
            self._refuse(name, f"The file is larger than this server takes ({uploads.limit().configured_mb} MB).")
            return None
        if reason := uploads.limit().refuses(before[0]):
            self._tell(name, reason)
            return None
        digest = _sha256(handle)
        if _look_of(os.fstat(handle.fileno())) != before:
            return None
        job = self._job_of(name, handle, digest)
        _write_note(self.folder / HANDED_IN, name, job.pk)
        _move(self.folder / name, self.folder / HANDED_IN)
        return job

    def _job_of(self, name: str, handle: BinaryIO, digest: str) -> Job:
        """The job of this recording, which an earlier look may have made before its process died."""
        orders = self.orders
        made = Job.objects.filter(
            owner=orders.owner,
            source_sha256=digest,
            requested_model=orders.model,
            language=orders.language,
            source_filename=_shown(name),
            trashed_at=None,
        )
        earlier = made.order_by("-pk").first()
        if earlier is not None:
            return earlier
        asked = hashlib.sha256(f"{digest} {orders.model} {orders.language} {_shown(name)}".encode()).hexdigest()
        handle.seek(0)
        media = UploadedFile(
            file=File(handle, name=_shown(name)),
            name=_shown(name),
            content_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
            size=os.fstat(handle.fileno()).st_size,
        )
        media.sha256 = digest  # type: ignore[attr-defined]
        submission = Submission(
            owner=orders.owner,
            media_file=media,
            channel=Channel.WEB,
            model=orders.model,
            language=orders.language,
            use_glossary=True,
            idempotency=Idempotency(f"watch-{asked}", asked),
        )
        try:
            return intake.submit(submission)
        except Repeated as repeated:
            # Deleted since: whoever puts the file here once more wants it transcribed once more.
            made_now = made.filter(pk=repeated.job_id).first()
            return made_now or intake.submit(replace(submission, idempotency=None))

    def _refuse(self, name: str, reason: str) -> None:
        target = _move(self.folder / name, self.folder / REFUSED)
        _write_whole(target.with_name(f"{_fitting(target.name)}.txt"), f"{reason}\n".encode())
        log.warning("%s is refused: %s", name, reason)

    def _tell(self, name: str, sentence: str) -> None:
        if self.told.get(name) != sentence:
            log.warning("%s waits: %s", name, sentence)
            self.told[name] = sentence

    def write_back(self) -> Iterator[Path]:
        """Writes the transcripts of what is done since into done/; gives each file. Forgets jobs that were deleted."""
        notes = {note: number for note in _notes_in(self.folder / HANDED_IN) if (number := _number_in(note))}
        jobs = Job.objects.in_bulk(notes.values())
        for note, number in notes.items():
            job = jobs.get(number)
            if job is None:
                note.unlink(missing_ok=True)
            # By a note of their own, whoever may write into the folder would read other people's. One in the trash may come back.
            elif job.owner_id == self.orders.owner.pk and job.stage == Stage.COMPLETED and job.trashed_at is None:
                yield from self._write(job, note)

    def _write(self, job: Job, note: Path) -> Iterator[Path]:
        name = note.name.removeprefix(".").removesuffix(f".{job.pk}{NOTE}")
        try:
            for form in self.orders.formats:
                yield _write_transcript(job, form, self.folder / DONE, name)
        except OSError as error:
            # The note stays, so that the next look tries again.
            self._tell(note.name, error.strerror or str(error))
            return
        note.unlink(missing_ok=True)


# --- files ----------------------------------------------------------------------------------------


def _media_in(folder: Path) -> Iterator[tuple[str, Look]]:
    """Plain files that are recordings by their names. No links, no hidden ones, nothing empty."""
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                told = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(told.st_mode) and told.st_size and is_media(entry.name):
                    yield entry.name, _look_of(told)


def is_media(name: str) -> bool:
    if name.startswith("."):
        return False
    kind, ending = mimetypes.guess_type(name)[0] or "", Path(name).suffix.lower()
    return ending not in LISTS and (kind.startswith(("audio/", "video/")) or ending in FURTHER_ENDINGS)


def _look_of(told: os.stat_result) -> Look:
    return told.st_size, told.st_mtime_ns


def _opened(path: Path) -> BinaryIO:
    """Not through a link, should somebody have put one in its place, and without waiting for one who writes into a pipe."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")


def _sha256(handle: BinaryIO) -> str:
    digest = hashlib.sha256()
    while piece := handle.read(PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def _shown(name: str) -> str:
    """As text: bytes that are none have a sign in their place."""
    return os.fsencode(name).decode(errors="replace")[:255]


def _fitting(name: str) -> str:
    """Cut where what is added to it would make it longer than file systems take, which is 255 bytes."""
    path, whole = Path(name), os.fsencode(name)
    return name if len(whole) <= MOST_BYTES else whole[:MOST_BYTES].decode(errors="ignore") + path.suffix


def _move(path: Path, folder: Path) -> Path:
    """Under a name of its own: what has come before is not replaced."""
    folder.mkdir(exist_ok=True)
    target, number = folder / path.name, 2
    while target.exists():
        target, number = folder / f"{Path(_fitting(path.name)).stem} ({number}){path.suffix}", number + 1
    path.rename(target)
    return target


def _write_note(folder: Path, name: str, job_id: int) -> None:
    _write_whole(folder / f".{_fitting(name)}.{job_id}{NOTE}", str(job_id).encode())


def _notes_in(folder: Path) -> list[Path]:
    with suppress(FileNotFoundError):
        return sorted(path for path in folder.iterdir() if path.name.startswith(".") and path.name.endswith(NOTE))
    return []


def _number_in(note: Path) -> int:
    with suppress(OSError, ValueError), _opened(note) as file:
        return int(file.read(18))
    return 0


def _write_transcript(job: Job, form: str, folder: Path, name: str) -> Path:
    """`talk.mp3` gives `talk.txt`, or `talk (17).txt` with the job's number where that is taken by another transcript."""
    file, stem = FORMATS[form], Path(name).stem
    content = b"".join(file.render(results.transcript_of(job)))
    target = folder / f"{stem}{file.extension}"
    if target.exists() and target.read_bytes() != content:
        target = folder / f"{stem} ({job.pk}){file.extension}"
    _write_whole(target, content)
    return target


def _write_whole(target: Path, content: bytes) -> None:
    """All of it or nothing, even if this process dies."""
    target.parent.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", delete=False) as new:
        try:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
            Path(new.name).rename(target)
        except BaseException:
            Path(new.name).unlink(missing_ok=True)
            raise
