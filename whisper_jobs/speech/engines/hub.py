"""Files of one repository of the Hugging Face Hub → a folder, whole or not at all, each file checked.

Called by what knows which files make a model. Opens no connection itself: `fetch` is passed in. What the Hub says of the files,
their checksums with it, is kept beside them in `origin.json`, so that they can be checked later.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines.downloads import Fetch, Progress, digest_of, fetch_file, refuse_status

ADDRESS = "https://huggingface.co"
_ORIGIN = "origin.json"
_MOST_BYTES_OF_AN_ANSWER = 4 << 20


@dataclass(frozen=True, slots=True)
class File:
    """One file as the Hub lists it. Large ones have a SHA-256, small ones the SHA-1 by which git knows them."""

    name: str
    size_bytes: int
    digest: str
    git_blob: bool

    def is_whole(self, folder: Path) -> bool:
        path = folder / self.name
        return path.is_file() and digest_of(path, git_blob=self.git_blob) == self.digest


@dataclass(frozen=True, slots=True)
class Listing:
    """Files of a repository at one revision, the small ones first."""

    repo: str
    revision: str
    files: tuple[File, ...]


def listed(repo: str, fetch: Fetch, *, is_wanted: Callable[[str], bool]) -> Listing:
    """The present revision, and of its files those that are wanted. Raises JobError."""
    answer = _asked(repo, fetch)
    try:
        files = [_file(each) for each in answer["siblings"] if is_wanted(each["rfilename"])]
        revision = str(answer["sha"])
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(repo) from error
    return Listing(repo, revision, tuple(sorted(files, key=lambda file: file.size_bytes)))


def fetch_all(listing: Listing, folder: Path, *, name: str, fetch: Fetch, progress: Progress) -> None:
    """Fetches what is not in the folder yet, and then writes down what it should be. `name` is the model's. Raises JobError."""
    total, before = sum(file.size_bytes for file in listing.files), 0
    for file in listing.files:
        if not file.is_whole(folder):
            fetch_file(
                folder / file.name,
                f"{ADDRESS}/{listing.repo}/resolve/{listing.revision}/{file.name}",
                name=name,
                digest=file.digest,
                git_blob=file.git_blob,
                fetch=fetch,
                progress=_within(progress, before, total),
            )
        before += file.size_bytes
        progress(before, total)
    origin = {"repo": listing.repo, "files": [asdict(file) for file in listing.files]}
    (folder / _ORIGIN).write_text(json.dumps(origin))


def origin(folder: Path) -> list[File]:
    """What the Hub said of the files; empty for a folder that was not fetched here."""
    path = folder / _ORIGIN
    return [File(**each) for each in json.loads(path.read_text())["files"]] if path.is_file() else []


def _file(told: dict[str, Any]) -> File:
    """Keys as in huggingface_hub's `ModelInfo`."""
    large = told.get("lfs")
    if isinstance(large, dict):
        return File(str(told["rfilename"]), int(large["size"]), str(large["sha256"]), git_blob=False)
    return File(str(told["rfilename"]), int(told["size"]), str(told["blobId"]), git_blob=True)


def _asked(repo: str, fetch: Fetch) -> dict[str, Any]:
    with fetch(f"{ADDRESS}/api/models/{repo}?blobs=true", 0) as (status_code, _total, chunks):
        if status_code in (401, 403, 404):
            raise JobError("model_unavailable", f"The Hub has no model “{repo}” that everybody may download.")
        refuse_status(status_code)
        text = bytearray()
        for chunk in chunks:
            text += chunk
            if len(text) > _MOST_BYTES_OF_AN_ANSWER:
                break
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise _unreadable(repo)
    return answer


def _unreadable(repo: str) -> JobError:
    return JobError("model_unavailable", f"The Hub's answer about “{repo}” could not be read.")


def _within(progress: Progress, before: int, total: int) -> Progress:
    """One file's progress as the whole model's."""
    return lambda here, _total: progress(before + here, total)
