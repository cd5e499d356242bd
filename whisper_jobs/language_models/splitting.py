"""A transcript as lines with times, cut into parts that a model can take at once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from whisper_jobs.language_models.json_reading import clock_of
from whisper_jobs.speech.transcript import PARAGRAPH_PAUSE_SECONDS, Segment, join_words

#: English has four and more bytes a token, other languages fewer; one too many is better than one too few.
BYTES_PER_TOKEN = 3
#: A line that has as many ends with its segment.
LINE_CHARACTERS = 200
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody says in one go, with the time at which it starts, seconds of the recording."""

    start: float
    text: str


def tokens_of(text: str) -> int:
    """About how many tokens a text comes to, rather too many."""
    return len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN + 1


def lines_of(segments: Iterable[Segment]) -> Iterator[Line]:
    """Segments gathered to lines that are long enough to spare times and short enough to find a place by them."""
    line: list[Segment] = []
    for segment in segments:
        if line and _ends(line, segment):
            yield _line(line)
            line = []
        if segment.text.strip():
            line.append(segment)
    if line:
        yield _line(line)


def _ends(line: Sequence[Segment], following: Segment) -> bool:
    long = sum(len(one.text) for one in line) >= LINE_CHARACTERS
    return long or following.speaker != line[0].speaker or following.start - line[-1].end > PARAGRAPH_PAUSE_SECONDS


def _line(segments: Sequence[Segment]) -> Line:
    first = segments[0]
    text = functools.reduce(join_words, (" ".join(one.text.split()) for one in segments))
    speaker = f"{' '.join(first.speaker.split())}: " if first.speaker else ""
    return Line(first.start, f"[{clock_of(first.start)}] {speaker}{text}")


def batches(
    items: Iterable[Item], *, size: Callable[[Item], int], most: int, count: int = 10**9
) -> Iterator[list[Item]]:
    """Items in order, in groups of at most `count` whose sizes come to at most `most`; one that is larger stands alone."""
    group: list[Item] = []
    total = 0
    for item in items:
        weight = size(item)
        if group and (total + weight > most or len(group) >= count):
            yield group
            group, total = [], 0
        group.append(item)
        total += weight
    if group:
        yield group
