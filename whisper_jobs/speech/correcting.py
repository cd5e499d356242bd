"""What people do to segments: new words, cuts, joins, other times. Pure: a segment in, a segment out, and no time is lost.

Words that stay as they were keep their times; new ones share the room between them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import reduce
from itertools import groupby

from whisper_jobs.speech.transcript import Segment, Word, is_unspaced, join_words

#: Words that differ are compared one by one up to this many pairs; beyond it all of them count as new.
MOST_PAIRS = 1_000_000
#: Times are stored by the millisecond.
_DIGITS = 3


class Uncuttable(ValueError):
    """One of the two parts would have no text."""


def clean(text: str) -> str:
    """One line without what no database stores and nobody can see: control characters and halves of characters."""
    kept = ("" if unicodedata.category(one) in ("Cc", "Cs") and not one.isspace() else one for one in text)
    return " ".join("".join(kept).split())


def words_of(text: str) -> list[str]:
    """The words of a text: what stands between spaces, and each character of a script that writes none."""
    return [token for part in text.split() for token in parts_of(part)]


def parts_of(part: str) -> Iterator[str]:
    for unspaced, characters in groupby(part, is_unspaced):
        if unspaced:
            yield from characters
        else:
            yield "".join(characters)


# --- other words ----------------------------------------------------------------------------------


def reworded(segment: Segment, text: str) -> Segment:
    """The segment with another text. One whose engine told no words gets none."""
    if text == segment.text:
        return segment
    wordless = not segment.words and segment.text
    words = () if wordless else retime(segment.words, text, segment.start, segment.end)
    return replace(segment, text=text, words=words)


def retime(words: Sequence[Word], text: str, start: float, end: float) -> tuple[Word, ...]:
    """The words of `text`, between the seconds `start` and `end`: as many as can be are those of `words`, with their times."""
    new = words_of(text)
    told: list[Word] = []
    for old_span, new_span in _changes(words, new):
        if isinstance(new_span, Word):
            told.append(new_span)
            continue
        first, last = _room(words, old_span, start, end)
        replaced = words[slice(*old_span)]
        fresh = new[slice(*new_span)]
        told += _in_the_place_of(replaced, fresh) if len(replaced) == len(fresh) else _shared(fresh, first, last)
    return _in_order(told, start, end)


_Span = tuple[int, int]


def _changes(words: Sequence[Word], new: Sequence[str]) -> Iterator[tuple[_Span, Word | _Span]]:
    """In order of `new`: a word that stays, or the span of old words and the span of new tokens that stands in its place."""
    old = [(token, place) for place, word in enumerate(words) for token in words_of(word.text) or [""]]
    #: Where each word begins among the tokens, and how many it has.
    first_of: dict[int, int] = {}
    for place, (_token, word) in enumerate(old):
        first_of.setdefault(word, place)
    size_of = Counter(word for _token, word in old)
    done_old = done_new = 0
    for at_old, at_new, length in matches([token for token, _word in old], new):
        place = at_old
        while place < at_old + length:
            word, in_new = old[place][1], at_new + place - at_old
            size = size_of[word]
            if first_of[word] != place or place + size > at_old + length:
                place += 1
                continue
            if done_new < in_new:
                yield (done_old, word), (done_new, in_new)
            yield (word, word + 1), words[word]
            done_old, done_new = word + 1, in_new + size
            place += size
    if done_new < len(new):
        yield (done_old, len(words)), (done_new, len(new))


def matches(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Runs that both have, in order: (place in old, place in new, length)."""
    head = _alike(old, new)
    tail = _alike(old[head:][::-1], new[head:][::-1])
    middle_old, middle_new = old[head : len(old) - tail], new[head : len(new) - tail]
    if head:
        yield 0, 0, head
    if len(middle_old) * len(middle_new) <= MOST_PAIRS:
        for match in SequenceMatcher(None, middle_old, middle_new, autojunk=False).get_matching_blocks():
            if match.size:
                yield match.a + head, match.b + head, match.size
    if tail:
        yield len(old) - tail, len(new) - tail, tail


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many tokens at the beginning are the same."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _room(words: Sequence[Word], span: _Span, start: float, end: float) -> tuple[float, float]:
    """From the end of the word before to the start of the word after; inside of what is replaced, where that is more exact."""
    first, last = span
    if first < last:
        return words[first].start, words[last - 1].end
    return words[first - 1].end if first else start, words[last].start if last < len(words) else end


def _in_the_place_of(words: Sequence[Word], fresh: Sequence[str]) -> list[Word]:
    return [Word(word.start, word.end, text) for word, text in zip(words, fresh, strict=True)]


def _shared(fresh: Sequence[str], start: float, end: float) -> list[Word]:
    """Each with a part of the time that goes by its length."""
    total, position, told = sum(map(len, fresh)), 0, []
    for text in fresh:
        first, position = position, position + len(text)
        told.append(Word(_between(start, end, first / total), _between(start, end, position / total), text))
    return told


def _between(start: float, end: float, share: float) -> float:
    return round(start + max(0.0, end - start) * share, _DIGITS)


def _in_order(words: Iterable[Word], start: float, end: float) -> tuple[Word, ...]:
    """None begins before the one before it began, and none lies outside of the segment."""
    told: list[Word] = []
    for word in words:
        first = min(max(word.start, told[-1].start if told else start), end)
        last = min(max(word.end, first), end)
        told.append(word if (first, last) == (word.start, word.end) else replace(word, start=first, end=last))
    return tuple(told)


# --- cuts and joins -------------------------------------------------------------------------------


def cut(segment: Segment, at: int) -> tuple[Segment, Segment]:
    """Two segments, cut before the character `at` of the text. Raises Uncuttable."""
    left, right = segment.text[:at].strip(), segment.text[at:].strip()
    if not (left and right):
        raise Uncuttable(at)
    places = _places(segment)
    if places is None:
        return _cut_evenly(segment, left, right)
    before, after = _divided(segment.words, places, at)
    end = before[-1].end if before else segment.start
    start = after[0].start if after else segment.end
    first = replace(segment, end=_inside(segment, end), text=left, words=tuple(before))
    return first, replace(segment, start=max(first.end, _inside(segment, start)), text=right, words=tuple(after))


def _inside(segment: Segment, second: float) -> float:
    return min(max(second, segment.start), segment.end)


def _places(segment: Segment) -> list[int] | None:
    """Where each word begins in the text; None where they aren't found in it."""
    places, position = [], 0
    for word in segment.words:
        found = segment.text.find(word.text.strip(), position)
        if found < 0:
            return None
        places.append(found)
        position = found + len(word.text.strip())
    return places or None


def _divided(words: Sequence[Word], places: Sequence[int], at: int) -> tuple[list[Word], list[Word]]:
    """The words on both sides; one that is cut in two gives each side its part."""
    before, after = [], []
    for word, place in zip(words, places, strict=True):
        text, inside = word.text.strip(), at - place
        if inside >= len(text):
            before.append(word)
        elif inside <= 0:
            after.append(word)
        else:
            middle = _between(word.start, word.end, inside / len(text))
            before.append(replace(word, end=middle, text=text[:inside]))
            after.append(replace(word, start=middle, text=text[inside:]))
    return before, after


def _cut_evenly(segment: Segment, left: str, right: str) -> tuple[Segment, Segment]:
    middle = _between(segment.start, segment.end, len(left) / (len(left) + len(right)))
    return (
        replace(segment, end=middle, text=left, words=_evenly(segment, left, segment.start, middle)),
        replace(segment, start=middle, text=right, words=_evenly(segment, right, middle, segment.end)),
    )


def _evenly(segment: Segment, text: str, start: float, end: float) -> tuple[Word, ...]:
    return retime((), text, start, end) if segment.words else ()


def joined(segments: Sequence[Segment]) -> Segment:
    """One segment of several, in order of their times; what is told of how it was heard is the first's."""
    ordered = sorted(segments, key=lambda one: one.start)
    timed = any(one.words for one in ordered)
    words = [word for one in ordered for word in (one.words or (_timed(one) if timed else ()))]
    start, end = ordered[0].start, max(one.end for one in ordered)
    return replace(
        ordered[0],
        end=end,
        text=reduce(join_words, (one.text for one in ordered)),
        words=_in_order(words, start, end),
        suspect=next((one.suspect for one in ordered if one.suspect), None),
    )


def _timed(segment: Segment) -> tuple[Word, ...]:
    return retime((), segment.text, segment.start, segment.end)


# --- other times ----------------------------------------------------------------------------------


def moved(segment: Segment, start: float, end: float) -> Segment:
    """The segment from `start` to `end` seconds. Words stay where they were heard as long as they fit in."""
    words = segment.words
    if words and not (start <= words[0].start and max(word.end for word in words) <= end):
        words = _carried(segment, start, end)
    return replace(segment, start=start, end=end, words=words)


def _carried(segment: Segment, start: float, end: float) -> tuple[Word, ...]:
    """Shifted with a segment of the same length, else drawn together or out like it."""
    length = segment.end - segment.start
    by = (end - start) / length if length else 0.0
    by = 1.0 if abs(end - start - length) < 10**-_DIGITS else by
    words = (
        replace(
            word,
            start=round(start + (word.start - segment.start) * by, _DIGITS),
            end=round(start + (word.end - segment.start) * by, _DIGITS),
        )
        for word in segment.words
    )
    return _in_order(words, start, end)


# --- find and replace -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Swap:
    """Each place of `find` gets `put` instead. Both are plain text, no patterns."""

    find: str
    put: str
    match_case: bool = False
    whole_words: bool = False

    def __call__(self, text: str) -> str:
        pattern = re.escape(self.find)
        if self.whole_words:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        return re.sub(pattern, lambda _found: self.put, text, flags=0 if self.match_case else re.IGNORECASE)
