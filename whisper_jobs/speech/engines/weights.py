"""OpenAI's Whisper weights by name: where they are on disk, whether they are whole, how they are fetched and removed.

Called by `choose`, the Whisper engine and the models command. Opens no connection itself: `fetch` is passed in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines.downloads import Fetch, Progress, digest_of, fetch_file, part_of, unseen

_BASE_URL = "https://openaipublic.azureedge.net/main/whisper/models"
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

State = Literal["missing", "incomplete", "present", "damaged"]


@dataclass(frozen=True, slots=True)
class Weights:
    name: str
    sha256: str
    size_bytes: int

    @property
    def file_name(self) -> str:
        return f"{self.name}.pt"

    @property
    def url(self) -> str:
        return f"{_BASE_URL}/{self.sha256}/{self.file_name}"

    @property
    def english_only(self) -> bool:
        return self.name.endswith(".en")


@dataclass(frozen=True, slots=True)
class Status:
    """`present` says that a file of about the right size is there, not yet that its hash is right: see `verified`."""

    name: str
    state: State
    path: Path | None
    size_bytes: int


CATALOGUE: dict[str, Weights] = {
    each.name: each
    for each in (
        Weights("tiny.en", "d3dd57d32accea0b295c96e26691aa14d8822fac7d9d27d5dc00b4ca2826dd03", 75_571_315),
        Weights("tiny", "65147644a518d12f04e32d6f3b26facc3f8dd46e5390956a9424a650c0ce22b9", 75_572_083),
        Weights("base.en", "25a8566e1d0c1e2231d1c762132cd20e0f96a85d16145c3a00adf5d1ac670ead", 145_261_783),
        Weights("base", "ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e", 145_262_807),
        Weights("small.en", "f953ad0fd29cacd07d5a9eda5624af0f6bcf2258be67c92b79389873d91e0872", 483_615_683),
        Weights("small", "9ecf779972d90ba49c06d968637d720dd632c55bbf19d441fb42bf17a411e794", 483_617_219),
        Weights("medium.en", "d7440d1dc186f76616474e0ff0b3b6b879abc9d1a4926b7adfa41db2d497ab4f", 1_528_006_491),
        Weights("medium", "345ae4da62f9b3d59415adc60127b97c714f32e89e936602e85993674d08dcb1", 1_528_008_539),
        Weights("large-v1", "e4b87e7e0bf463eb8e6956e646f1e277e901512310def2c24bf0e11bd3c28e9a", 3_086_999_982),
        Weights("large-v2", "81f7c96c852ee8fc832187b0132e569d6c3065a3252ed18e56effd0b6a73e524", 3_086_999_982),
        Weights("large-v3", "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb", 3_087_371_615),
        Weights("large-v3-turbo", "aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a", 1_617_941_637),
    )
}
ALIASES = {"large": "large-v3", "turbo": "large-v3-turbo"}


def named(name: str) -> Weights | None:
    return CATALOGUE.get(ALIASES.get(name, name))


def custom_names(models_dir: Path) -> list[str]:
    """Checkpoints that an administrator put into the models folder, by their bare names."""
    if not models_dir.is_dir():
        return []
    names = (path.stem for path in models_dir.glob("*.pt") if path.is_file())
    return sorted(name for name in names if _SAFE_NAME.fullmatch(name) and named(name) is None)


def status(name: str, folders: Iterable[Path]) -> Status:
    """A quick look that reads no file."""
    weights = _known(name)
    state: State = "missing"
    for folder in folders:
        path = folder / weights.file_name
        if path.is_file():
            found = path.stat().st_size
            # The exact size isn't asked for: the hash decides, and that when the file is used.
            state = "damaged" if found < weights.size_bytes * 0.95 or _known_as_damaged(path) else "present"
            if state == "present":
                return Status(weights.name, state, path, found)
        elif state == "missing" and part_of(path).is_file():
            state = "incomplete"
    return Status(weights.name, state, None, 0)


def find(name: str, folders: Iterable[Path]) -> Path | None:
    """The whole file of known weights (its hash is checked once per process), or an administrator's own checkpoint."""
    folders = tuple(folders)
    weights = named(name)
    if weights is None:
        return folders[0] / f"{name}.pt" if name in custom_names(folders[0]) else None
    paths = (folder / weights.file_name for folder in folders)
    return next((path for path in paths if path.is_file() and verified(path, weights.sha256)), None)


def verified(path: Path, sha256: str) -> bool:
    whole = digest_of(path) == sha256
    (_damaged.discard if whole else _damaged.add)((path, path.stat().st_mtime_ns))
    return whole


def download(name: str, models_dir: Path, *, fetch: Fetch, progress: Progress = unseen) -> Path:
    """Fetches the weights into the folder unless they are there; goes on where an earlier attempt stopped.

    Raises JobError: `source_unreachable` (what came is kept), `model_unavailable` (wrong hash, no room, no such file).
    """
    weights = _known(name)
    target = models_dir / weights.file_name
    if target.is_file() and verified(target, weights.sha256):
        return target
    fetch_file(target, weights.url, name=name, digest=weights.sha256, fetch=fetch, progress=progress)
    return target


def remove(name: str, models_dir: Path) -> bool:
    """Deletes the weights, and what there is of an unfinished download. False if there was nothing."""
    target = models_dir / (f"{name}.pt" if name in custom_names(models_dir) else _known(name).file_name)
    found = [path for path in (target, part_of(target)) if path.is_file()]
    for path in found:
        path.unlink()
    return bool(found)


def _known(name: str) -> Weights:
    if weights := named(name):
        return weights
    raise JobError(
        "model_unavailable", f"There is no Whisper model called “{name}”. Known are: {', '.join(CATALOGUE)}."
    )


_damaged: set[tuple[Path, int]] = set()


def _known_as_damaged(path: Path) -> bool:
    return (path, path.stat().st_mtime_ns) in _damaged
