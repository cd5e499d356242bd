"""Which diarizer tells speakers apart on this machine, and why. Called by the diarize step and by what describes the machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from whisper_jobs.speech.diarizers import bundled, pyannote
from whisper_jobs.speech.diarizers.base import Diarizer, Unavailable
from whisper_jobs.speech.kept import Kept


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """`reason` is a sentence for the job's log."""

    diarizer: Diarizer
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a diarizer could work here; `reason` is a sentence. Nothing is loaded to find out."""

    name: str
    usable: bool
    reason: str


_kept: Kept[Choice] = Kept()


@contextmanager
def using(folders: Sequence[Path], *, threads: int) -> Iterator[Choice]:
    """pyannote where its model is on this machine, else the one that needs no model. Stays loaded, as engines do.

    Raises Unavailable.
    """
    found = pyannote.find(folders)
    with _kept.using((found, threads), lambda: _load(found, threads)) as choice:
        yield choice


def release_idle(after_seconds: float) -> bool:
    """Frees the diarizer that nobody has used for so long; True when it did. Any thread may ask."""
    return _kept.release_idle(after_seconds)


def unload() -> None:
    """Frees the diarizer that is loaded, if there is one."""
    _kept.unload()


def _load(found: Path | None, threads: int) -> Choice:
    if found is None:
        return Choice(
            _clustering(threads), "Speakers are told apart by clustering: pyannote's model is not on this machine."
        )
    try:
        return Choice(pyannote.PyannoteDiarizer(found, threads=threads), "Speakers are told apart by pyannote.")
    except Unavailable as error:
        return Choice(_clustering(threads), f"Speakers are told apart by clustering. {error}")


def standings(folders: Sequence[Path]) -> tuple[Standing, ...]:
    """The best one first."""
    found = pyannote.find(folders)
    model = f"Its model is in {found}." if found else pyannote.MISSING
    ours = "Its weights come with a package." if bundled.present() else bundled.MISSING
    return (
        Standing("pyannote", found is not None, model),
        Standing("clustering", bundled.present(), ours),
    )


def _clustering(threads: int) -> Diarizer:
    # Late: torch takes seconds.
    from whisper_jobs.speech.diarizers.clustering import ClusteringDiarizer

    return ClusteringDiarizer(None, threads=threads)
