"""What a live session's captioner hands out: stretches of sound to be read, and what may be told of their words.

All times are seconds from the session's first sample.
"""

from __future__ import annotations

from dataclasses import dataclass

from whisper_jobs.speech.transcript import Segment, Word
from whisper_jobs.speech.vad import SAMPLE_RATE, Floats

Span = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """A stretch of sound that an engine is to read: one utterance, whole when `is_final`, else as far as it was heard.

    `samples`: mono at 16 kHz, -1 … 1, 30 s at most. `speech` are the voice detector's spans in it, on the session's clock.
    `number` counts the works of a session.
    """

    number: int
    start: float
    samples: Floats
    is_final: bool
    speech: tuple[Span, ...]

    @property
    def end(self) -> float:
        """To the sample, whatever the rounding."""
        return (round(self.start * SAMPLE_RATE) + len(self.samples)) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Delta:
    """Words to show. Either kind takes the place of the interim one before it.

    Final ones are put behind each other (`transcript.join_words`) and never change. An interim one has all words behind the
    last final one; none, when they turned out to be nothing. `confidence` is 0.0 where the engine tells none.
    """

    text: str
    is_final: bool
    start: float
    end: float
    confidence: float
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Closed:
    """An utterance that is over: a window of the job that the session becomes. Its segments say what the final deltas said."""

    start: float
    end: float
    speech: tuple[Span, ...]
    segments: tuple[Segment, ...]
    language: str | None = None
    language_probability: float | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What a read brought: deltas in their order, and the utterance that it ended."""

    deltas: tuple[Delta, ...] = ()
    window: Closed | None = None
