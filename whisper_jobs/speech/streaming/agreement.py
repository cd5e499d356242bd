"""What of an utterance that still goes on may be told as final: the words that one of the two reads before had as well, or both
where the engine is not sure of a word, and whatever is heard where a word has been open for long.

Local agreement (Liu et al. 2020, arXiv 2005.11185; Macháček et al. 2023, “Turning Whisper into Real-Time Transcription System”,
arXiv 2307.14743). When the utterance is over, the read of all of it says the rest, and the words told before stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import takewhile

from whisper_jobs.speech.engines.base import Result
from whisper_jobs.speech.pieces import parts_of
from whisper_jobs.speech.streaming.aligning import align, key
from whisper_jobs.speech.transcript import Segment, Word, join_words

Words = tuple[Word, ...]
#: A word, the place of its segment, and whether a final delta told it before.
_Merged = tuple[Word, int, bool]


@dataclass(frozen=True, slots=True)
class Read:
    """Of a read that was not the last one: the words that have become final, and all those behind them."""

    settled: Words
    open: Words


@dataclass(frozen=True, slots=True)
class Part:
    """A segment of the last read, and what of it no final delta has told yet: its text and words."""

    segment: Segment
    text: str
    words: Words


@dataclass(frozen=True, slots=True)
class Rules:
    """`patience_seconds`: how much sound behind it a word waits for. `sure`: what is less probable is right less often, and takes
    both reads before it."""

    patience_seconds: float = math.inf
    sure: float = 0.0


class Agreement:
    """One utterance."""

    def __init__(self, rules: Rules = Rules()) -> None:
        self._rules = rules
        self._told: list[Word] = []
        self._before: tuple[Words, Words] = ((), ())  # what the last two reads had behind those told
        self._since: list[float] = []  # how far the read went that first had so many words behind those told

    def hear(self, words: Sequence[Word], *, until: float, may_settle: bool, is_whole: bool = False) -> Read:
        """A read of the utterance `until` this second. Its last word may be half of one, and is not final unless it `is_whole`."""
        rest = tuple(words[align(self._told, words).until :])
        self._since += [until] * (len(rest) - len(self._since))
        settled = self._settled(rest, until) if may_settle else 0
        settled = max(0, min(settled, len(rest) - (not is_whole)))
        self._told += rest[:settled]
        self._before = (self._before[1][settled:], rest[settled:])
        self._since = self._since[settled : len(rest)]
        return Read(rest[:settled], rest[settled:])

    def _settled(self, rest: Words, until: float) -> int:
        """How many of the first words are final."""
        fewest, most = sorted(_agreed(before, rest) for before in self._before)
        for place, word in enumerate(rest):
            agrees = place < fewest or (place < most and self._is_sure(word))
            if not agrees and until - self._since[place] < self._rules.patience_seconds:
                return place
        return len(rest)

    def _is_sure(self, word: Word) -> bool:
        """An engine that tells no probability is taken at its word."""
        return word.probability is None or word.probability >= self._rules.sure

    def end(self, segments: Sequence[Segment]) -> list[Part]:
        """The read of the whole utterance: its segments, with the words told before in the place of what is read there now."""
        if not self._told:
            return [Part(segment, segment.text, segment.words) for segment in segments if segment.text.strip()]
        words = [(word, place) for place, segment in enumerate(segments) for word in words_of(segment)]
        if not words:
            return [_alone(self._told)]
        merged = self._merged(words)
        by_segment = [[each for each in merged if each[1] == place] for place in range(len(segments))]
        return [_part(segment, mine) for segment, mine in zip(segments, by_segment, strict=True) if mine]

    def _merged(self, words: Sequence[tuple[Word, int]]) -> list[_Merged]:
        places = (found := align(self._told, [word for word, _ in words])).places
        merged: list[_Merged] = []
        segment, position = words[0][1], self._told[0].start
        for index, (told, at) in enumerate(zip(self._told, places, strict=True)):
            if at is None:
                following = next(
                    (words[place][0].start for place in places[index + 1 :] if place is not None), told.end
                )
                word = _between(told, position, max(position, following))
            else:
                word, segment = replace(words[at][0], text=told.text), words[at][1]
            position = max(position, word.end)
            merged.append((word, segment, True))
        return merged + [(word, place, False) for word, place in words[found.until :]]


def _between(word: Word, start: float, end: float) -> Word:
    first = min(max(start, word.start), end)
    return replace(word, start=first, end=min(max(first, word.end), end))


def words_of(segment: Segment) -> Words:
    """The engine's words, or where it tells none those of the text, with its time spread over them."""
    if segment.words:
        return tuple(word for word in segment.words if word.text.strip())
    return tuple(_spread(segment))


def all_words(result: Result) -> list[Word]:
    return [word for segment in result.segments for word in words_of(segment)]


def text_of(words: Sequence[Word]) -> str:
    return reduce(join_words, (word.text for word in words), "")


def _spread(segment: Segment) -> Iterator[Word]:
    parts = [part for part in map(str.strip, parts_of(" ".join(segment.text.split()))) if part]
    letters, done = sum(map(len, parts)), 0
    length = segment.end - segment.start
    for part in parts:
        start, done = done, done + len(part)
        yield Word(segment.start + length * start / letters, segment.start + length * done / letters, part)


def _agreed(before: Words, now: Words) -> int:
    pairs = zip(before, now, strict=False)
    return sum(1 for _ in takewhile(lambda pair: key(pair[0].text) == key(pair[1].text), pairs))


def _alone(told: Sequence[Word]) -> Part:
    """The last read found nothing where words had become final."""
    segment = Segment(told[0].start, max(told[0].start, told[-1].end), text_of(told), tuple(told), suspect="unsure")
    return Part(segment, "", ())


def _in_turn(words: Sequence[Word]) -> Words:
    """None of them begins before the one that is said before it, whatever the engine says."""
    told: list[Word] = []
    for word in words:
        start = max(word.start, told[-1].start) if told else word.start
        told.append(replace(word, start=start, end=max(start, word.end)))
    return tuple(told)


def _part(segment: Segment, merged: Sequence[_Merged]) -> Part:
    fresh = tuple(word for word, _, was_told in merged if not was_told)
    if len(fresh) == len(merged):
        return Part(segment, segment.text, segment.words)
    words = _in_turn([word for word, _, _ in merged])
    is_same = [word.text for word in words] == [word.text for word in words_of(segment)]
    if not is_same or text_of(words) != segment.text:
        segment = segment.of_words(words)
    return Part(segment, text_of(fresh), fresh)
