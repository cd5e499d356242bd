"""A segment's text as pieces with times, between which a line may be broken. Used by captions and by texts with word times.

The text has the last word on spelling and spaces, the engine's words on time. Where the two don't tell the same (a translation,
an engine without words), the segment's time is spread over its characters.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

from whisper_jobs.speech.transcript import Segment, Word, is_unspaced

#: What may not begin a line (JIS X 4051, W3C clreq): closing marks, small kana, marks of repetition and length.
_NOT_FIRST = frozenset(
    "、。，．,.!?:;！？：；)]}）］｝〉》」』】〕〗〙〟’”…‥・ーゝゞ々〻ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ％℃"
)
#: What may not end one.
_NOT_LAST = frozenset("([{（［｛〈《「『【〔〖〘〝‘“￥＄")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, or in scripts without spaces a part that may stand at the end of a line. `glued`: no space before it."""

    text: str
    start_ms: int
    end_ms: int
    glued: bool = False


def clean(text: str) -> str:
    """In one line, without what no file can hold: control characters go, half a surrogate pair is U+FFFD."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    return _SURROGATE.sub("\ufffd", " ".join(_CONTROL.sub("", text).split()))


def milliseconds(seconds: float) -> int:
    """Rounded before it is split into a clock: 59.9996 s is one minute, not 59.1000."""
    return round(seconds * 1000)


def pieces_of(segment: Segment) -> Iterator[Piece]:
    """In order, with starts that never go back and no end before its start."""
    text = clean(segment.text)
    words = _words_of(segment, text)
    bounds = [0, *accumulate(len(word) for word, _, _ in words)]
    at = 0
    for chunk in text.split():
        cuts = _cuts(chunk, {bound - at for bound in bounds}) if _has_unspaced(chunk) else [0, len(chunk)]
        for begin, end in pairwise(cuts):
            start_ms, end_ms = _times(words, bounds, at + begin, at + end)
            yield Piece(chunk[begin:end], start_ms, end_ms, glued=begin > 0)
        at += len(chunk)


def parts_of(text: str) -> list[str]:
    """The pieces of a clean text alone, each with the space that stands before it."""
    if not _has_unspaced(text):
        first, *others = text.split() or [""]
        return [first, *(f" {word}" for word in others)]
    return [part for chunk in text.split(" ") for part in _parts_of_chunk(chunk)]


def _parts_of_chunk(chunk: str) -> Iterator[str]:
    cuts = _cuts(chunk, set(range(len(chunk))))
    yield f" {chunk[: cuts[1]]}"
    yield from (chunk[begin:end] for begin, end in pairwise(cuts[1:]))


_Timed = tuple[str, int, int]


def _words_of(segment: Segment, text: str) -> list[_Timed]:
    """The words with their times, in which each character of the text without its spaces comes once."""
    start = milliseconds(segment.start)
    end = max(start, milliseconds(segment.end))
    letters = text.replace(" ", "")
    words = [(clean(word.text).replace(" ", ""), word) for word in segment.words]
    if not words or "".join(word for word, _ in words) != letters:
        return _spread(text, start, end)
    return [timed for timed in _ordered(words) if timed[0]]


def _ordered(words: list[tuple[str, Word]]) -> Iterator[_Timed]:
    earliest = 0
    for text, word in words:
        earliest = max(earliest, milliseconds(word.start))
        yield text, earliest, max(earliest, milliseconds(word.end))


def _spread(text: str, start: int, end: int) -> list[_Timed]:
    """The time from start to end spread over the words, or over the characters of scripts without spaces."""
    parts = list(text.replace(" ", "")) if _has_unspaced(text) else text.split()
    total = max(1, sum(map(len, parts)))
    ends = [start + (end - start) * done // total for done in accumulate(map(len, parts))]
    return [(part, begin, stop) for part, begin, stop in zip(parts, [start, *ends], ends, strict=False)]


def _times(words: list[_Timed], bounds: list[int], begin: int, end: int) -> tuple[int, int]:
    """When the characters from begin to end are spoken: those of the words that they are in."""
    first, last = bisect_right(bounds, begin) - 1, bisect_left(bounds, end) - 1
    return words[first][1], words[last][2]


def _has_unspaced(text: str) -> bool:
    return not text.isascii() and any(map(is_unspaced, text))


def _cuts(chunk: str, bounds: set[int]) -> list[int]:
    """Where text without spaces may be cut: between the engine's words where it has any here, never where the script forbids."""
    inner = [at for at in range(1, len(chunk)) if _may_part(chunk[at - 1], chunk[at])]
    return [0, *(at for at in inner if at in bounds), len(chunk)]


def _may_part(left: str, right: str) -> bool:
    if not (is_unspaced(left) or is_unspaced(right)) or left in _NOT_LAST or right in _NOT_FIRST:
        return False
    # A vowel or tone sign belongs to the letter before it; so do the joiner and variation selectors (categories Mn, Mc, Me, Cf).
    return unicodedata.category(right)[0] != "M" and unicodedata.category(right) != "Cf"
