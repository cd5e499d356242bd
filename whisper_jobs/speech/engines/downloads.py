"""Fetching one file of weights: it goes on where it was cut, and takes its place only when its checksum is right.

Called by `weights` and `converted`. Opens no connection itself: `fetch` is passed in.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from whisper_jobs.errors import JobError

_CHUNK_BYTES = 1 << 20
#: How often a download that was cut is taken up again without a single new byte before it is given up.
ATTEMPTS_WITHOUT_PROGRESS = 3

#: HTTP status, bytes of the whole file if the server said so, and the bytes from the offset on.
Response = tuple[int, int | None, Iterator[bytes]]
#: `fetch(url, offset)`: asks for the bytes from `offset` on (a Range header when it isn't 0).
Fetch = Callable[[str, int], AbstractContextManager[Response]]
#: `progress(bytes_here, bytes_in_all)`
Progress = Callable[[int, int | None], None]


def unseen(_here: int, _total: int | None) -> None:
    """The `progress` of a caller that shows none."""


def part_of(target: Path) -> Path:
    """Where a download gathers until it is whole."""
    return target.with_name(f"{target.name}.part")


def fetch_file(
    target: Path, url: str, *, name: str, digest: str, fetch: Fetch, progress: Progress, git_blob: bool = False
) -> None:
    """Fetches `url` to `target`. `digest` is its SHA-256, or with `git_blob` the SHA-1 by which git knows it.

    Raises JobError: `source_unreachable` (what came is kept), `model_unavailable` (wrong checksum, no room, no such file).
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with _opened(part_of(target)) as part:
        _fill(part, url, name=name, fetch=fetch, progress=progress)
        if _digest_of_stream(part, git_blob=git_blob) != digest:
            part_of(target).unlink(missing_ok=True)
            raise JobError("model_unavailable", f"What was downloaded for “{name}” has the wrong checksum. Try again.")
        part_of(target).replace(target)


def digest_of(path: Path, *, git_blob: bool = False) -> str:
    """The SHA-256 or git's SHA-1 of a file; read once per process as long as the file stays the same."""
    details = path.stat()
    return _digest(path, details.st_size, details.st_mtime_ns, git_blob)


def _fill(part: BinaryIO, url: str, *, name: str, fetch: Fetch, progress: Progress) -> None:
    """Asks again for the rest as long as each answer brings something."""
    fruitless, problem = 0, ""
    while fruitless < ATTEMPTS_WITHOUT_PROGRESS:
        before = part.seek(0, 2)
        try:
            with fetch(url, before) as response:
                if _receive(part, response, progress=progress):
                    return
        except (OSError, JobError) as error:
            if isinstance(error, JobError) and not error.retry:
                raise
            problem = f" ({error})"
        fruitless = 0 if part.seek(0, 2) > before else fruitless + 1
    message = f"The download of “{name}” was cut off{problem}. Start it again: it goes on where it stopped."
    raise JobError("source_unreachable", message, retry=True)


def _receive(part: BinaryIO, response: Response, *, progress: Progress) -> bool:
    """Appends what comes; True when the file is as long as the server said."""
    status_code, total, chunks = response
    if status_code == 416:  # nothing behind what is here: the hash will tell whether it is all
        return True
    refuse_status(status_code)
    if status_code == 200:  # it ignored the range and starts from the beginning
        part.seek(0)
        part.truncate()
    here = part.seek(0, 2)
    if total is not None and total - here > shutil.disk_usage(Path(part.name).parent).free:
        raise JobError("model_unavailable", f"There is no room on the disk for {total / 1e9:.1f} GB.")
    for chunk in chunks:
        here += part.write(chunk)
        progress(here, total)
    part.flush()
    return total is None or here >= total


def refuse_status(status_code: int) -> None:
    if status_code not in (200, 206):
        busy = status_code == 429 or status_code >= 500
        raise JobError("model_unavailable", f"The server of the models answered with status {status_code}.", retry=busy)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file of an unfinished download, held by one process at a time."""
    with path.open("a+b") as part:
        try:
            fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = path.stat().st_ino == os.fstat(part.fileno()).st_ino
        except (BlockingIOError, FileNotFoundError):
            held = False
        if not held:
            raise JobError("model_unavailable", f"{path.stem} is being downloaded already.", retry=True)
        yield part


@lru_cache(maxsize=256)
def _digest(path: Path, _size: int, _mtime_ns: int, git_blob: bool) -> str:
    """Size and time are only there to forget the answer when the file changes."""
    with path.open("rb") as file:
        return _digest_of_stream(file, git_blob=git_blob)


def _digest_of_stream(file: BinaryIO, *, git_blob: bool) -> str:
    length = file.seek(0, 2)
    file.seek(0)
    digest = hashlib.sha1(f"blob {length}\0".encode(), usedforsecurity=False) if git_blob else hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()
