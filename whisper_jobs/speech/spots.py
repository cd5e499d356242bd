"""Where a transcript may be wrong: the places that whoever checks it looks at, in order of time. Made from what the engine told
of its words, from speech that has none, and from a glossary. Called for the check page; changes nothing."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from whisper_jobs.speech.likeness import Likeness
from whisper_jobs.speech.transcript import Segment, Word

#: A word below this is worth a look. Found by benchmarks/spots.py, see docs/benchmarks.md.
UNSURE = 0.5
#: Words of a stretch that is compared with a term as a whole.
MOST_TOGETHER = 4

#: `words` are those that the engine was unsure of, `term` is nearly one of the glossary, `gap` is speech without words.
Reason = Literal["repeats", "no_speech", "unsure", "words", "term", "gap"]


@dataclass(frozen=True, slots=True)
class Heard:
    """A segment as its reader knows it: by `id`, in the state that `revision` names. Checked ones are left out."""

    id: int
    revision: int
    segment: Segment
    checked: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a segment's text. Marked ones have a reason, their seconds, and the term that they are nearly."""

    text: str
    reason: Reason | None = None
    start: float = 0.0
    end: float = 0.0
    term: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """One segment to look at, or speech without words (`heard` is None). Start and end enclose what is marked, in seconds.

    The texts of the pieces, one after the other, are the segment's text.
    """

    start: float
    end: float
    reason: Reason
    heard: Heard | None = None
    pieces: tuple[Piece, ...] = ()


def spots(heard: Iterable[Heard], gaps: Iterable[tuple[float, float]], terms: Iterable[str]) -> Iterator[Spot]:
    """`heard` and `gaps` in order of time; both are read once."""
    likeness = Likeness(terms)
    found = (spot for one in heard if not one.checked and (spot := _spot(one, likeness)))
    silent = (Spot(start, end, "gap") for start, end in gaps)
    return heapq.merge(found, silent, key=lambda spot: spot.start)


def _spot(one: Heard, likeness: Likeness) -> Spot | None:
    segment = one.segment
    pieces = tuple(_pieces(segment, _marks(segment.words, likeness)))
    marked = [piece for piece in pieces if piece.reason]
    if segment.suspect:
        whole = (Piece(segment.text, segment.suspect, segment.start, segment.end),)
        return Spot(segment.start, segment.end, segment.suspect, one, pieces if marked else whole)
    if not marked:
        return None
    return Spot(marked[0].start, max(piece.end for piece in marked), marked[0].reason or "words", one, pieces)


@dataclass(frozen=True, slots=True)
class _Mark:
    """The words of a segment from `first` to before `end`."""

    first: int
    end: int
    reason: Reason
    term: str = ""


def _marks(words: Sequence[Word], likeness: Likeness) -> Iterator[_Mark]:
    """Runs of unsure words, and stretches that are nearly a term, which count as that even where they are unsure."""
    at = run = 0
    while at < len(words):
        length, term = _nearest(words[at : at + MOST_TOGETHER], likeness)
        unsure = not term and _is_unsure(words[at])
        if run and not unsure:
            yield _Mark(at - run, at, "words")
        if term:
            yield _Mark(at, at + length, "term", term)
        run = run + length if unsure else 0
        at += length
    if run:
        yield _Mark(at - run, at, "words")


def _is_unsure(word: Word) -> bool:
    return word.probability is not None and word.probability < UNSURE


def _nearest(words: Sequence[Word], likeness: Likeness) -> tuple[int, str]:
    """How many of the first words are nearly a term, and which; none where they are not, or are it exactly."""
    if likeness.is_empty:
        return 1, ""
    texts = [word.text for word in words]
    found = [(match, length) for length in range(1, len(texts) + 1) if (match := likeness.of(texts[:length]))]
    best, length = min(found, key=lambda one: (one[0].distance, one[1]), default=(None, 1))
    later = likeness.of(texts[1:length]) if length > 1 else None
    # Nearer without its first word: that stretch has its turn next.
    if best is None or (later and later.distance <= best.distance):
        return 1, ""
    return length, "" if best.is_exact else best.term


def _pieces(segment: Segment, marks: Iterable[_Mark]) -> Iterator[Piece]:
    """The text cut at its marks. Words that are not in the text as they are can't be marked in it."""
    text, words, at = segment.text, segment.words, 0
    places = _places(text, words)
    for mark in marks:
        stand = [place for place in places[mark.first : mark.end] if place]
        if not stand:
            continue
        start, end = stand[0][0], stand[-1][1]
        if start > at:
            yield Piece(text[at:start])
        yield Piece(text[start:end], mark.reason, words[mark.first].start, words[mark.end - 1].end, mark.term)
        at = end
    if at < len(text):
        yield Piece(text[at:])


def _places(text: str, words: Iterable[Word]) -> list[tuple[int, int] | None]:
    """Where each word stands in the text, one after the other; None for one that doesn't."""
    places: list[tuple[int, int] | None] = []
    after = 0
    for word in words:
        plain = word.text.strip()
        start = text.find(plain, after) if plain else -1
        places.append((start, start + len(plain)) if start >= 0 else None)
        after = start + len(plain) if start >= 0 else after
    return places
