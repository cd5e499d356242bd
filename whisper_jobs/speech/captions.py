"""Captions by rule: when each shows, and how its text is broken into lines. Called by the caption formats; knows none of them.

The rules are those that broadcasters publish:
- BBC Subtitle Guidelines 1.2 (https://www.bbc.co.uk/accessibility/forproducts/guides/subtitles/): lines of 37 characters,
  two lines, 160–180 words a minute, lines broken at the boundaries of clauses, a new line with a dash when the speaker changes.
- EBU Tech 3264 and EBU-TT-D: teletext rows, two of which are used; 25 frames a second.
- Netflix Timed Text Style Guide, General Requirements and English (https://partnerhelp.netflixstudios.com/hc/en-us/articles/215758617):
  42 characters, two lines, 20 characters a second, 5/6 to 7 seconds, two frames between captions, the longer line below.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from whisper_jobs.speech.lines import Break, break_lines, breaks_after, width
from whisper_jobs.speech.pieces import Piece, clean, milliseconds, pieces_of
from whisper_jobs.speech.transcript import Segment

#: Before a turn of another speaker.
DASH = "- "
#: A pause that ends a caption.
PAUSE_MS = 1200
#: A pause so long counts as a good place to part.
BREATH_MS = 350


@dataclass(frozen=True, slots=True)
class Rules:
    """Characters of a line, lines of a caption, characters a second that can be read, and seconds. Wide characters count as two."""

    max_line: int
    max_lines: int
    max_cps: float
    min_seconds: float
    max_seconds: float
    gap_seconds: float


#: None: each segment is a caption, as it is.
PRESETS: dict[str, Rules | None] = {
    "plain": None,
    "web": Rules(max_line=42, max_lines=2, max_cps=20, min_seconds=5 / 6, max_seconds=7, gap_seconds=0.084),
    "broadcast": Rules(max_line=37, max_lines=2, max_cps=17, min_seconds=1, max_seconds=7, gap_seconds=0.08),
}


@dataclass(frozen=True, slots=True)
class Line:
    """`speaker` says it; `is_turn`: it is the first line of what that speaker says, after another."""

    pieces: tuple[Piece, ...]
    speaker: str | None = None
    is_turn: bool = False

    @property
    def text(self) -> str:
        return (DASH if self.is_turn else "") + join(self.pieces)


@dataclass(frozen=True, slots=True)
class Cue:
    """A caption with whole milliseconds: `end_ms` > `start_ms`, and starts never go back."""

    start_ms: int
    end_ms: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class _Draft:
    """A caption before its lines and times are known."""

    pieces: tuple[Piece, ...]
    speaker: str | None
    is_turn: bool


def join(pieces: Iterable[Piece]) -> str:
    return "".join(piece.text if piece.glued else f" {piece.text}" for piece in pieces).lstrip(" ")


def captions(segments: Iterable[Segment], rules: Rules | None, *, speakers: bool = True) -> Iterator[Cue]:
    """Read and made one after the other; no piece of text is lost, doubled or moved.

    Limits give way where they can't all be kept: a word longer than a line stays whole, and text that is spoken too fast to be read
    shows as long as there is room.
    """
    if rules is None:
        return _as_they_are(segments, speakers=speakers)
    drafts = _drafts(_turns(segments, speakers=speakers), rules)
    return _timed(_exchanges(_laid_out(drafts, rules), rules), rules)


def _as_they_are(segments: Iterable[Segment], *, speakers: bool) -> Iterator[Cue]:
    earliest = 0
    for segment in segments:
        speaker = clean(segment.speaker or "") or None if speakers else None
        lines = tuple(Line(pieces, speaker) for part in _parts(segment) if (pieces := tuple(pieces_of(part))))
        if lines:
            start = max(earliest, milliseconds(segment.start))
            yield Cue(start, max(start + 1, milliseconds(segment.end)), lines)
            earliest = start


def _parts(segment: Segment) -> Iterator[Segment]:
    """The lines of a segment that has several; words belong to the whole, so that parts have none."""
    lines = segment.text.splitlines()
    if len(lines) < 2:
        yield segment
        return
    yield from (replace(segment, text=line, words=()) for line in lines)


# From words to captions


def _turns(segments: Iterable[Segment], *, speakers: bool) -> Iterator[tuple[Piece, str | None]]:
    """Every piece with its speaker; starts never go back, also where segments overlap."""
    earliest = 0
    for segment in segments:
        speaker = clean(segment.speaker or "") or None if speakers else None
        for piece in pieces_of(segment):
            if piece.start_ms < earliest:
                piece = replace(piece, start_ms=earliest, end_ms=max(earliest, piece.end_ms))
            earliest = piece.start_ms
            yield piece, speaker


def _drafts(pieces: Iterable[tuple[Piece, str | None]], rules: Rules) -> Iterator[_Draft]:
    """Captions are cut from a stretch without a pause or change of speaker, of which just enough is held to choose well."""
    stretch: list[Piece] = []
    speaker, is_turn = None, False
    enough = 2 * rules.max_line * rules.max_lines
    for piece, by in pieces:
        if stretch and (by != speaker or piece.start_ms - stretch[-1].end_ms > PAUSE_MS):
            yield from _cut(stretch, rules, speaker=speaker, is_turn=is_turn)
            is_turn = False
        if by != speaker:
            is_turn, speaker = by is not None and speaker is not None, by
        stretch.append(piece)
        if len(stretch) > enough:
            yield from _cut(stretch, rules, speaker=speaker, is_turn=is_turn, keep=enough)
            is_turn = False
    yield from _cut(stretch, rules, speaker=speaker, is_turn=is_turn)


def _cut(stretch: list[Piece], rules: Rules, *, speaker: str | None, is_turn: bool, keep: int = 0) -> Iterator[_Draft]:
    """Takes captions from the front of the stretch until no more than `keep` pieces are left."""
    while len(stretch) > keep:
        length = _length(stretch, rules, indent=is_turn)
        yield _Draft(tuple(stretch[:length]), speaker, is_turn)
        del stretch[:length]
        is_turn = False


def _length(stretch: list[Piece], rules: Rules, *, indent: bool) -> int:
    """How many of the pieces make the next caption: the best place among those where it still fits."""
    fits = _fitting(stretch, rules, indent=len(DASH) if indent else 0)
    if fits == len(stretch):
        return fits
    return min(range(1, fits + 1), key=lambda length: _cost(stretch, length, fits))


def _fitting(stretch: list[Piece], rules: Rules, *, indent: int) -> int:
    """The most pieces that fit into the lines and the longest time; at least one."""
    lines, used = 1, indent + width(stretch[0].text)
    latest = stretch[0].start_ms + milliseconds(rules.max_seconds)
    for length, piece in enumerate(stretch[1:], start=1):
        wide = width(piece.text)
        needed = used + wide + (not piece.glued)
        lines, used = (lines, needed) if needed <= rules.max_line else (lines + 1, wide)
        if lines > rules.max_lines or piece.end_ms > latest:
            return length
    return len(stretch)


def _cost(stretch: list[Piece], length: int, fits: int) -> float:
    """Less is better: a full caption that ends where the speech does. The weights are tuned by eye on read texts."""
    left, right = stretch[length - 1], stretch[length]
    border = float(breaks_after(left, right))
    if right.start_ms - left.end_ms >= BREATH_MS:
        border = min(border, float(Break.CLAUSE))
    rest = len(stretch) - length
    return border + 12.0 * (1 - length / fits) + (4.0 if rest < 3 else 0.0) + (6.0 if length < 3 else 0.0)


def _laid_out(drafts: Iterable[_Draft], rules: Rules) -> Iterator[tuple[Line, ...]]:
    for draft in drafts:
        indent = len(DASH) if draft.is_turn else 0
        parts = break_lines(draft.pieces, rules.max_line, most=rules.max_lines, indent=indent)
        yield tuple(Line(part, draft.speaker, draft.is_turn and not number) for number, part in enumerate(parts))


def _exchanges(captions: Iterable[tuple[Line, ...]], rules: Rules) -> Iterator[tuple[Line, ...]]:
    """Two short turns share a caption, each on a line with a dash, where alone one would be gone before it is read."""
    held: tuple[Line, ...] | None = None
    for lines in captions:
        if held is not None and _make_an_exchange(held, lines, rules):
            first, second = replace(held[0], is_turn=True), replace(lines[0], is_turn=True)
            yield (first, second)
            held = None
            continue
        if held is not None:
            yield held
        held = lines
    if held is not None:
        yield held


def _make_an_exchange(first: tuple[Line, ...], second: tuple[Line, ...], rules: Rules) -> bool:
    if rules.max_lines < 2 or len(first) > 1 or len(second) > 1 or not second[0].is_turn:
        return False
    start, end = first[0].pieces[0].start_ms, second[0].pieces[-1].end_ms
    pause = second[0].pieces[0].start_ms - first[0].pieces[-1].end_ms
    room = second[0].pieces[0].start_ms - start
    widest = max(width(line.text) + (0 if line.is_turn else len(DASH)) for line in (first[0], second[0]))
    is_short = room < milliseconds(rules.min_seconds)
    return (
        is_short and pause <= PAUSE_MS and end - start <= milliseconds(rules.max_seconds) and widest <= rules.max_line
    )


# From words to times


def _timed(captions: Iterable[tuple[Line, ...]], rules: Rules) -> Iterator[Cue]:
    """A caption shows from its first word, and as long as it takes to read where the next one leaves the time for it."""
    gap = milliseconds(rules.gap_seconds)
    free, held = 0, None
    for lines in captions:
        start = lines[0].pieces[0].start_ms
        if held is not None:
            cue = _shown(held, free, rules, before=start - gap)
            yield cue
            free = cue.end_ms + gap
        held = lines
    if held is not None:
        yield _shown(held, free, rules, before=None)


def _shown(lines: tuple[Line, ...], free: int, rules: Rules, *, before: int | None) -> Cue:
    start = max(free, lines[0].pieces[0].start_ms)
    spoken = max(line.pieces[-1].end_ms for line in lines)
    reading = 1000 * sum(width(line.text) for line in lines) / rules.max_cps
    end = max(spoken, start + milliseconds(rules.min_seconds), start + round(reading))
    end = min(end, start + milliseconds(rules.max_seconds), end if before is None else before)
    return Cue(start, max(start + 1, end), lines)
