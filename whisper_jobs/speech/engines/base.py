"""What every speech engine is: the sound of windows in, segments with times out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import numpy.typing as npt

from whisper_jobs.speech.transcript import Segment

if TYPE_CHECKING:
    from whisper_jobs.outbound import Guard

SAMPLE_RATE = 16_000

Quality = Literal["draft", "full"]
Task = Literal["transcribe", "translate"]
Samples = npt.NDArray[np.float32]


def never() -> bool:
    """The `should_stop` of a caller that never stops early."""
    return False


Tell = Callable[[str], None]


def unheard(_sentence: str) -> None:
    """The `tell` of a caller that keeps no log."""


@dataclass(frozen=True, slots=True)
class Relay:
    """An OpenAI-compatible server that transcribes for this one: backend B."""

    base_url: str
    api_key: str = field(repr=False)
    model: str
    guard: Guard
    timeout_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Setup:
    """What an engine is made with: the machine's side of it. `folders` hold weights, the first one those that were downloaded.

    `device` and `compute_type` are faster-whisper's names, `auto` for the best that works; `batch` is the most windows at
    once, None for what the memory allows.
    """

    folders: tuple[Path, ...] = ()
    threads: int = 1
    device: Literal["auto", "cpu", "cuda"] = "auto"
    compute_type: str = "auto"
    batch: int | None = None
    relay: Relay | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """`language` is a code of `languages.LANGUAGES`, or None: find out. `should_stop` is asked now and then while
    the engine works; when it says yes the engine raises JobError `cancelled`.

    `hotwords` are names and terms that are likely to occur. `temperatures` are tried in turn when the text repeats itself or
    is improbable; None for the engine's own. `tell` takes sentences for the job's log. Without `word_times` those of words may be
    rough, if that is faster. An engine ignores what it can't do.
    """

    language: str | None = None
    task: Task = "transcribe"
    initial_prompt: str = ""
    hotwords: tuple[str, ...] = ()
    temperatures: tuple[float, ...] | None = None
    should_stop: Callable[[], bool] = never
    tell: Tell = unheard
    word_times: bool = True


@dataclass(frozen=True, slots=True)
class Result:
    """Segment times are seconds from the first sample; they are ordered and lie inside the samples."""

    segments: tuple[Segment, ...]
    language: str | None
    language_probability: float | None = None


class Engine(Protocol):
    """Made as `Class(model, setup)`, loaded once per process, then called again and again by one thread at a time."""

    name: str
    quality: Quality

    @property
    def batch(self) -> int:
        """How many windows it takes at once with profit; 1 for engines that know no batches. May fall when memory runs out."""

    def transcribe(self, windows: Sequence[Samples], options: Options) -> list[Result]:
        """One result per window. Each window: mono float32 at 16 kHz in -1 … 1, at most about 30 s. Raises JobError."""
        ...
