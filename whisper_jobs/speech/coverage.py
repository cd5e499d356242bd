"""How much of the speech that was detected has words: a transcript's own check on what it may have missed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypedDict

Span = tuple[float, float]

#: A word ends a little before or after its sound, and a breath counts as speech: shorter holes are no gap.
SHORTEST_GAP_SECONDS = 1.0


class Gap(TypedDict):
    start: float
    end: float


class Coverage(TypedDict):
    speech_seconds: float
    transcribed_seconds: float
    ratio: float
    gaps: list[Gap]


def coverage(speech: Iterable[Span], segments: Iterable[Span], duration: float | None) -> Coverage:
    """`speech` are the detector's spans, `segments` those of the text, in seconds. `transcribed_seconds` is the speech
    that lies under text; `ratio` is its share of the speech, 1.0 where there was none."""
    spoken = _merged(speech, duration)
    missed = list(_without(spoken, _merged(segments, duration)))
    speech_seconds = _length(spoken)
    transcribed = speech_seconds - _length(missed)
    return {
        "speech_seconds": round(speech_seconds, 3),
        "transcribed_seconds": round(transcribed, 3),
        "ratio": round(transcribed / speech_seconds, 4) if speech_seconds else 1.0,
        "gaps": [
            {"start": round(start, 3), "end": round(end, 3)}
            for start, end in missed
            if round(end - start, 3) >= SHORTEST_GAP_SECONDS
        ],
    }


def _merged(spans: Iterable[Span], duration: float | None) -> list[Span]:
    """Ordered, without overlap, inside the recording."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        start, end = max(0.0, start), end if duration is None else min(end, duration)
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _without(spans: list[Span], covers: list[Span]) -> Iterator[Span]:
    """What of `spans` no cover lies over; both merged."""
    first = 0
    for start, end in spans:
        while first < len(covers) and covers[first][1] <= start:
            first += 1
        position = start
        for index in range(first, len(covers)):
            cover_start, cover_end = covers[index]
            if cover_start >= end:
                break
            if cover_start > position:
                yield position, cover_start
            position = max(position, cover_end)
        if position < end:
            yield position, end


def _length(spans: list[Span]) -> float:
    return sum(end - start for start, end in spans)
