"""A window in shorter pieces, for a model that has too little memory for all of it. Called by the Whisper engines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from whisper_jobs.speech.engines.base import SAMPLE_RATE, Result, Samples
from whisper_jobs.speech.transcript import Segment

#: A model's window, and the shorter one that it is given when memory is short.
LONG_SECONDS, SHORT_SECONDS = 30, 15


def pieces(samples: Samples, seconds: int) -> Iterator[tuple[float, Samples]]:
    """The window, or when it is too long its parts, cut at the quietest point about the middle, each with its start."""
    if len(samples) <= seconds * SAMPLE_RATE:
        if len(samples):
            yield 0.0, samples
        return
    cut = _quietest(samples)
    for start, part in ((0, samples[:cut]), (cut, samples[cut:])):
        for later, piece in pieces(part, seconds):
            yield start / SAMPLE_RATE + later, piece


def joined(read: Sequence[tuple[float, Result]], asked: str | None) -> Result:
    """What was read of the pieces as what was read of their window; the language is the first one's."""
    if not read:
        return Result((), asked)
    segments: list[Segment] = [segment.shifted(start) for start, result in read for segment in result.segments]
    first = read[0][1]
    return Result(tuple(segments), first.language, first.language_probability)


def _quietest(samples: Samples) -> int:
    """Within the middle half, to a tenth of a second."""
    tenth, first = SAMPLE_RATE // 10, len(samples) // 4
    middle = samples[first : first + len(samples) // 2]
    frames = middle[: len(middle) // tenth * tenth].reshape(-1, tenth)
    return first + int(np.square(frames).sum(axis=1).argmin()) * tenth + tenth // 2
