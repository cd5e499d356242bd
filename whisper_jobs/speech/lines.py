"""Where a text may be broken, how well, and into which lines. Called by captions; knows nothing of time."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise

from whisper_jobs.speech.pieces import Piece
from whisper_jobs.speech.transcript import is_unspaced


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SENTENCE_ENDS = tuple(".!?…。！？।؟")
_CLAUSE_ENDS = tuple(",;:–—、，；：،؛")
_CLOSING = "\"'”’»)]}）］」』》"
#: Their full stop ends no sentence.
_TITLES = _words("mr. mrs. ms. dr. prof. st. vs. etc. e.g. i.e. bl.a. t.ex. dvs. z.b. bzw. ca. nr. no. m. mme.")
#: Words that begin a clause or phrase, in the languages heard most: better at the head of a line than at the end of one.
_LEADS = _words(
    "and but or because that which who when where while if so than to with from for about after before until since "
    "och men eller att som när där medan om så än med från för efter innan sedan därför eftersom "
    "und aber oder dass weil wenn während mit von nach bevor damit denn et mais ou que qui quand si parce pour avec dans "
    "y pero o porque cuando donde mientras con para sin sobre"
)
#: Words that cling to the next one: a line doesn't end with them.
_CLINGS = _words(
    "a an the my your his her its our their this that these those no not of in on at by to for with very is are was "
    "en ett den det de min din sin på av i till är var inte der die das ein eine einen dem des im am zu ist nicht "
    "le la les un une des du au el los las una del al es se"
)


class Break(IntEnum):
    """What it costs to part two pieces."""

    SENTENCE = 0
    CLAUSE = 3
    PHRASE = 6
    WORDS = 10
    CLINGING = 16


@lru_cache(maxsize=20_000)
def width(text: str) -> int:
    """In characters: wide ones (East Asian Width W and F, Unicode Annex 11) count two, those that take no room none."""
    if text.isascii():
        return len(text)
    return sum(map(_width_of, text))


def _width_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def breaks_after(left: Piece, right: Piece) -> Break:
    return _between(left.text, right.text, right.glued)


@lru_cache(maxsize=100_000)
def _between(left: str, right: str, glued: bool) -> Break:
    closed = left.rstrip(_CLOSING) or left
    if closed.endswith(_SENTENCE_ENDS) and closed.lower() not in _TITLES:
        return Break.SENTENCE
    if closed.endswith(_CLAUSE_ENDS):
        return Break.CLAUSE
    if not glued and is_unspaced(right[0]):
        return Break.PHRASE
    first, second = left.lower(), right.lower()
    if first in _CLINGS or first in _LEADS:
        return Break.CLINGING
    return Break.PHRASE if second in _LEADS else Break.WORDS


def break_lines(pieces: Sequence[Piece], line: int, *, most: int, indent: int = 0) -> list[tuple[Piece, ...]]:
    """As few lines of at most `line` characters as will do, of like length, broken where the sense allows.

    A piece that is wider has a line for itself. `indent` is taken from the first line, and never more than `most` lines are made.
    """
    ends = _ends(pieces, indent)
    count = _needed(pieces, ends, line)
    if count == 1:
        return [tuple(pieces)]
    cuts = _best(pieces, ends, line, count=min(count, most))
    return [tuple(pieces[begin:end]) for begin, end in pairwise(cuts)]


def _ends(pieces: Sequence[Piece], indent: int) -> list[int]:
    """The width of the text up to each piece, with the space before the next one."""
    ends = [indent]
    for piece in pieces:
        ends.append(ends[-1] + width(piece.text) + (0 if piece.glued else 1))
    return ends


def _span(pieces: Sequence[Piece], ends: list[int], begin: int, end: int) -> int:
    """The width of a line of the pieces from begin to end: without the space before the first one."""
    start = 0 if begin == 0 else ends[begin]
    return ends[end] - start - (0 if pieces[begin].glued else 1)


def _needed(pieces: Sequence[Piece], ends: list[int], line: int) -> int:
    count, begin = 1, 0
    for end in range(1, len(pieces) + 1):
        if _span(pieces, ends, begin, end) > line and end - 1 > begin:
            count, begin = count + 1, end - 1
    return count


_Way = tuple[float, list[int]]


def _best(pieces: Sequence[Piece], ends: list[int], line: int, *, count: int) -> list[int]:
    """The cuts of the cheapest way to make `count` lines, found line by line (Knuth and Plass 1981, with lines counted)."""
    total = len(pieces)
    ideal = ends[total] / count
    best = _first_lines(pieces, ends, line, ideal=ideal)
    for number in range(2, count + 1):
        following: list[_Way | None] = [None] * (total + 1)
        for end in range(number, total + 1) if number < count else (total,):
            following[end] = _cheapest(pieces, ends, best, end, line=line, ideal=ideal)
        best = following
    found = best[total]
    assert found is not None
    return found[1]


def _first_lines(pieces: Sequence[Piece], ends: list[int], line: int, *, ideal: float) -> list[_Way | None]:
    """The cost of each first line, by its end."""
    best: list[_Way | None] = [None] * (len(pieces) + 1)
    for end in range(1, len(pieces) + 1):
        span = _span(pieces, ends, 0, end)
        if span > line and end > 1:
            break
        best[end] = (_line_cost(pieces, end, span, line=line, ideal=ideal, alone=end == 1), [0, end])
    return best


def _cheapest(
    pieces: Sequence[Piece],
    ends: list[int],
    best: list[_Way | None],
    end: int,
    *,
    line: int,
    ideal: float,
) -> _Way | None:
    found: _Way | None = None
    for begin in range(end - 1, -1, -1):
        so_far = best[begin]
        if so_far is None:
            continue
        span = _span(pieces, ends, begin, end)
        cost = so_far[0] + _line_cost(pieces, end, span, line=line, ideal=ideal, alone=end - begin == 1)
        if found is None or cost < found[0]:
            found = (cost, [*so_far[1], end])
        if span > line and found is not None:
            break
    return found


def _line_cost(pieces: Sequence[Piece], end: int, span: int, *, line: int, ideal: float, alone: bool) -> float:
    # A line that is shorter than the others reads better above them than below.
    off = (span - ideal) / line
    uneven = 60.0 * off * off * (1.2 if off > 0 and end < len(pieces) else 1.0)
    border = float(breaks_after(pieces[end - 1], pieces[end])) if end < len(pieces) else 0.0
    return uneven + border + (1e6 if span > line and not alone else 0.0)
