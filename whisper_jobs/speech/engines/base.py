"""What every speech engine is: audio of one window in, segments with times out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from whisper_jobs.speech.transcript import Segment

SAMPLE_RATE = 16_000

Quality = Literal["draft", "full"]
Task = Literal["transcribe", "translate"]
Samples = npt.NDArray[np.float32]


def never() -> bool:
    """The `should_stop` of a caller that never stops early."""
    return False


@dataclass(frozen=True, slots=True)
class Options:
    """`language` is a code of `languages.LANGUAGES`, or None: find out. `should_stop` is asked now and then while
    the engine works; when it says yes the engine raises JobError `cancelled`."""

    language: str | None = None
    task: Task = "transcribe"
    initial_prompt: str = ""
    should_stop: Callable[[], bool] = never


@dataclass(frozen=True, slots=True)
class Result:
    """Segment times are seconds from the first sample; they are ordered and lie inside the samples."""

    segments: tuple[Segment, ...]
    language: str | None
    language_probability: float | None = None


class Engine(Protocol):
    """Loaded once per process, then called window after window, by one thread at a time."""

    name: str
    quality: Quality

    def transcribe(self, samples: Samples, options: Options) -> Result:
        """`samples`: mono float32 at 16 kHz in -1 … 1, at most about 30 s. Raises JobError."""
        ...
