"""Whisper models converted for CTranslate2, which faster-whisper runs: a folder each, from the Hugging Face Hub or elsewhere.

Called by `choose`, the faster-whisper engine and the models command. Opens no connection itself: `fetch` is passed in.
"""

from __future__ import annotations

import re
import shutil
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines import hub
from whisper_jobs.speech.engines.downloads import Fetch, Progress, unseen
from whisper_jobs.speech.engines.weights import ALIASES, State, Status

#: As the library takes them from the Hub.
_WANTED = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*")
_NEEDED = ("model.bin", "config.json", "tokenizer.json")
_HUB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
#: Bytes of a number, by the id of its type: float32, int8, int16, int32, float16, bfloat16.
_NUMBER_BYTES = (4, 1, 2, 4, 2, 2)


@dataclass(frozen=True, slots=True)
class Converted:
    """`size_bytes` is about right: what the Hub says when it is downloaded counts."""

    name: str
    repo: str
    size_bytes: int

    @property
    def folder_name(self) -> str:
        return f"faster-whisper-{self.name}" if self.name in CATALOGUE else self.repo.replace("/", "--")

    @property
    def english_only(self) -> bool:
        """Distilled models were taught with English speech alone, although some have all the languages' tokens."""
        return self.name.endswith(".en") or self.name.startswith("distil-")


CATALOGUE: dict[str, Converted] = {
    each.name: each
    for each in (
        Converted("tiny.en", "Systran/faster-whisper-tiny.en", 78_000_000),
        Converted("tiny", "Systran/faster-whisper-tiny", 78_000_000),
        Converted("base.en", "Systran/faster-whisper-base.en", 148_000_000),
        Converted("base", "Systran/faster-whisper-base", 148_000_000),
        Converted("small.en", "Systran/faster-whisper-small.en", 486_000_000),
        Converted("distil-small.en", "Systran/faster-distil-whisper-small.en", 336_000_000),
        Converted("small", "Systran/faster-whisper-small", 486_000_000),
        Converted("medium.en", "Systran/faster-whisper-medium.en", 1_531_000_000),
        Converted("distil-medium.en", "Systran/faster-distil-whisper-medium.en", 792_000_000),
        Converted("medium", "Systran/faster-whisper-medium", 1_531_000_000),
        Converted("distil-large-v2", "Systran/faster-distil-whisper-large-v2", 1_517_000_000),
        Converted("distil-large-v3", "Systran/faster-distil-whisper-large-v3", 1_517_000_000),
        Converted("distil-large-v3.5", "distil-whisper/distil-large-v3.5-ct2", 1_517_000_000),
        Converted("large-v1", "Systran/faster-whisper-large-v1", 3_090_000_000),
        Converted("large-v2", "Systran/faster-whisper-large-v2", 3_090_000_000),
        Converted("large-v3", "Systran/faster-whisper-large-v3", 3_091_000_000),
        Converted("large-v3-turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo", 1_622_000_000),
    )
}


def named(name: str) -> Converted | None:
    """By the model's name, its alias or its id on the Hub."""
    by_repo = (each for each in CATALOGUE.values() if each.repo == name)
    return CATALOGUE.get(ALIASES.get(name, name)) or next(by_repo, None)


def is_hub_id(name: str) -> bool:
    return _HUB_ID.fullmatch(name) is not None


def custom_names(models_dir: Path) -> list[str]:
    """Models beyond the catalogue in the models folder: `owner/name` for those from the Hub, else the folder's name."""
    if not models_dir.is_dir():
        return []
    known = {each.folder_name for each in CATALOGUE.values()}
    found = (path.name for path in models_dir.iterdir() if path.name not in known and _SAFE_NAME.fullmatch(path.name))
    return sorted(name.replace("--", "/", 1) for name in found if (models_dir / name / "model.bin").is_file())


def status(name: str, folders: Iterable[Path]) -> Status:
    """A quick look that reads no large file."""
    known, folders = _any(name), tuple(folders)
    for folder in places(name, folders):
        if not fault(folder):
            return Status(known.name, "present", folder, sum(path.stat().st_size for path in folder.iterdir()))
    state: State = "missing"
    if any(places(name, folders)):
        state = "damaged"
    elif _part_of(folders[0] / known.folder_name).is_dir():
        state = "incomplete"
    return Status(known.name, state, None, 0)


def find(name: str, folders: Iterable[Path]) -> Path | None:
    """The folder of a whole model; checksums, where they are known, are looked at once per process."""
    return next((folder for folder in places(name, folders) if not fault(folder) and _verified(folder)), None)


def fault(folder: Path) -> str:
    """What is in the way of a model's use, as far as a quick look tells; empty when nothing is."""
    for name in _NEEDED:
        if not (folder / name).is_file():
            return f"The folder of the model “{folder.name}” has no {name}."
    if not any(folder.glob("vocabulary.*")):
        return f"The folder of the model “{folder.name}” has no vocabulary.json."
    if _kind_of(folder / "model.bin") != "WhisperSpec":
        return f"The model.bin of “{folder.name}” is no Whisper model for CTranslate2."
    if not _has_all_variables(folder / "model.bin"):
        return f"The model.bin of the model “{folder.name}” is incomplete."
    short = next((file for file in _origin(folder) if (folder / file.name).stat().st_size != file.size_bytes), None)
    return f"The {short.name} of the model “{folder.name}” is incomplete." if short else ""


def download(name: str, models_dir: Path, *, fetch: Fetch, progress: Progress = unseen) -> Path:
    """Fetches a model of the catalogue or any of the Hub, `owner/name`, unless it is there; goes on where it stopped.

    Raises JobError: `source_unreachable` (what came is kept), `model_unavailable` (wrong checksum, no room, no such model).
    """
    if named(name) is None and not is_hub_id(name):
        raise _unknown(name)
    known = _any(name)
    target = models_dir / known.folder_name
    if target.is_dir() and not fault(target) and _verified(target):
        return target
    part = _part_of(target)
    hub.fetch_all(_listed(known, fetch), part, name=known.name, fetch=fetch, progress=progress)
    if problem := fault(part):
        raise JobError("model_unavailable", problem)
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)
    return target


def remove(name: str, models_dir: Path) -> bool:
    """Deletes the model, and what there is of an unfinished download. False if there was nothing."""
    target = models_dir / _any(name).folder_name
    found = [path for path in (target, _part_of(target)) if path.is_dir()]
    for path in found:
        shutil.rmtree(path)
    return bool(found)


def _any(name: str) -> Converted:
    """Of the catalogue, of the Hub, or a folder's bare name. Raises JobError `model_unavailable` for what can't be one."""
    if known := named(name):
        return known
    if is_hub_id(name) or _SAFE_NAME.fullmatch(name):
        return Converted(name, name, 0)
    raise _unknown(name)


def _unknown(name: str) -> JobError:
    shown = " ".join(name.split())[:60]
    return JobError(
        "model_unavailable", f"There is no Whisper model called “{shown}”. Known are: {', '.join(CATALOGUE)}."
    )


def places(name: str, folders: Iterable[Path]) -> Iterator[Path]:
    """Where it may be: under its own name, or as the Hub's cache keeps it."""
    known = _any(name)
    for folder in folders:
        snapshots = folder / f"models--{known.repo.replace('/', '--')}" / "snapshots"
        newest_first = sorted(snapshots.glob("*/"), key=lambda path: path.stat().st_mtime, reverse=True)
        yield from (path for path in (folder / known.folder_name, *newest_first) if path.is_dir())


def _part_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _origin(folder: Path) -> list[hub.File]:
    """What the Hub said of the files; of its cache no more than the names under which that keeps large ones."""
    blob = (folder / "model.bin").resolve()
    if _SHA256.fullmatch(blob.name):
        return [hub.File("model.bin", blob.stat().st_size, blob.name, git_blob=False)]
    return hub.origin(folder)


def _verified(folder: Path) -> bool:
    return all(file.is_whole(folder) for file in _origin(folder))


def _kind_of(model: Path) -> str:
    """The name of the specification that the file begins with: a version in 4 bytes, a length in 2, the name, a NUL.

    See `ModelSpec._serialize` in ctranslate2/specs/model_spec.py.
    """
    with model.open("rb") as file:
        head = file.read(6)
        if len(head) < 6:
            return ""
        _version, length = struct.unpack("<IH", head)
        return file.read(min(length, 64)).rstrip(b"\0").decode("ascii", "replace")


def _has_all_variables(model: Path) -> bool:
    found = model.stat()
    return _walks_to_the_end(model, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=64)
def _walks_to_the_end(model: Path, size: int, _changed: int) -> bool:
    """Reads the heads of the variables and passes over their numbers, which are nearly all of the file.

    Each has its name, its number of dimensions, these, the id of its type, a count of bytes; then other names of some follow. See
    `ModelSpec._serialize`. Kept for as long as the file's size and time of change are the same.
    """
    try:
        with model.open("rb") as file:
            _version, length = _values(file, "<IH")
            _values(file, f"<{length}s")
            _revision, variables = _values(file, "<II")
            for _ in range(variables):
                _pass_variable(file, size)
            (aliases,) = _values(file, "<I")
            for _ in range(2 * aliases):
                _pass_name(file)
    except (struct.error, ValueError):
        return False
    return bool(variables)


def _pass_variable(file: BinaryIO, size: int) -> None:
    """Raises ValueError or struct.error where the file, of `size` bytes, holds no such variable."""
    _pass_name(file)
    (rank,) = _values(file, "<B")
    *dimensions, kind, count = _values(file, f"<{rank}IBI")
    if kind >= len(_NUMBER_BYTES) or prod(dimensions) * _NUMBER_BYTES[kind] != count:
        raise ValueError("The numbers do not fill the dimensions.")
    if file.seek(count, 1) > size:
        raise ValueError("The file ends before the variable does.")


def _pass_name(file: BinaryIO) -> None:
    (length,) = _values(file, "<H")
    _values(file, f"<{length}s")


def _values(file: BinaryIO, form: str) -> tuple[Any, ...]:
    """Raises struct.error at the end of the file."""
    return struct.unpack(form, file.read(struct.calcsize(form)))


def _listed(known: Converted, fetch: Fetch) -> hub.Listing:
    """The Hub's present revision of a model. Raises JobError when a file is missing that is needed."""
    listing = hub.listed(known.repo, fetch, is_wanted=_is_wanted)
    if missing := [name for name in _NEEDED if name not in {file.name for file in listing.files}]:
        message = f"“{known.repo}” is no Whisper model for faster-whisper: it has no {missing[0]}."
        raise JobError("model_unavailable", message)
    return listing


def _is_wanted(name: str) -> bool:
    return "/" not in name and any(fnmatch(name, pattern) for pattern in _WANTED)
