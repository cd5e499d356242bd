"""What every diarizer is: the sound of a recording in, who speaks when out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from whisper_jobs.speech.engines.base import never

SAMPLE_RATE = 16_000
Pcm = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]
#: Start and end, seconds of the recording.
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Turn:
    """One speaker, without a break. Turns of several speakers may overlap. Seconds of the recording."""

    start: float
    end: float
    #: SPEAKER_00, SPEAKER_01 …, numbered in the order in which they are first heard.
    speaker: str


@dataclass(frozen=True, slots=True)
class Hints:
    """What is known of the recording. `speech` are the spans that the voice detector found, ordered, without overlap."""

    speech: Sequence[Span]
    min_speakers: int | None = None
    max_speakers: int | None = None
    should_stop: Callable[[], bool] = never
    #: Called now and then with the share that is done, 0 … 1.
    progress: Callable[[float], None] = lambda _share: None


@dataclass(frozen=True, slots=True, eq=False)
class Diarization:
    """`turns` are ordered by start. `voices` has, for each speaker, the mean of the voice's embeddings (length 1)."""

    turns: tuple[Turn, ...]
    voices: dict[str, Floats] = field(default_factory=dict)


class Unavailable(Exception):
    """This diarizer can't work on this machine; the message is a sentence that says why and what to do."""


class Diarizer(Protocol):
    """Made as `Class(folder, threads=…)`, loaded once per process. Memory must not grow with the recording's length."""

    name: str
    #: The network whose vectors its `voices` are, as bundled.ENCODER names one; empty for one of its own.
    encoder: str

    def diarize(self, sound: Iterable[Pcm], hints: Hints) -> Diarization:
        """`sound`: the whole recording, 16 kHz mono, in pieces of any size, read once. Raises JobError."""
        ...
