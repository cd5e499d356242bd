"""Turns and what was said → segments with speakers, cut between words where the speaker changes. Pure.

Called by the diarize step. No word is lost or moved: whatever the turns say, the words come out as they went in, in their order.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce
from itertools import accumulate, pairwise

from whisper_jobs.speech.diarizers.base import Span, Turn
from whisper_jobs.speech.transcript import Segment, Word, join_words

#: A word that no turn covers belongs to the nearest turn, if it is no farther away than this. Seconds, as below.
FARTHEST = 1.0
#: A single word between words of another speaker is that one's, when there is no longer pause around it: turns are not so exact.
BREATH = 0.3
#: Who speaks through this share of a word at least may be the one who says it, though another speaks as well.
SHARE = 0.5

Parts = tuple[Segment, ...]


def assign(segments: Sequence[Segment], turns: Sequence[Turn]) -> list[Parts]:
    """For each segment its parts, each with one speaker. Speakers are None only when no turn is near any word.

    A segment without words stays whole and is the speaker's who speaks in most of it.
    """
    spoken = _Turns(turns)
    units = [_units(segment) for segment in segments]
    speakers = _filled(list(_speakers([unit for each in units for unit in each], spoken)))
    parts, place = [], 0
    for segment, each in zip(segments, units, strict=True):
        own = speakers[place : place + len(each)]
        place += len(each)
        parts.append(
            _split(segment, _smoothed(segment.words, own)) if segment.words else (replace(segment, speaker=own[0]),)
        )
    return parts


def _units(segment: Segment) -> list[Span]:
    """What gets a speaker: each of the words, or the whole segment."""
    return [(word.start, word.end) for word in segment.words] or [(segment.start, segment.end)]


class _Turns:
    """Finds the turns near a time among thousands of them."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._turns = sorted(turns, key=lambda turn: (turn.start, turn.end))
        self._starts = [turn.start for turn in self._turns]
        #: How far the turns up to each one reach.
        self._reach = list(accumulate((turn.end for turn in self._turns), max))

    def around(self, start: float, end: float) -> Iterator[Turn]:
        """Those that touch the time from FARTHEST before `start` to FARTHEST after `end`, the last one first."""
        place = bisect_left(self._starts, end + FARTHEST)
        while place > 0 and self._reach[place - 1] > start - FARTHEST:
            place -= 1
            if self._turns[place].end > start - FARTHEST:
                yield self._turns[place]


def _speakers(units: Sequence[Span], turns: _Turns) -> Iterator[str | None]:
    """Where two speak at once, the one who was speaking goes on. None where no turn is near."""
    before: str | None = None
    for start, end in units:
        overlaps: dict[str, float] = {}
        distances: dict[str, float] = {}
        for turn in turns.around(start, end):
            overlap = min(end, turn.end) - max(start, turn.start)
            overlaps[turn.speaker] = overlaps.get(turn.speaker, 0.0) + max(0.0, overlap)
            distances[turn.speaker] = min(distances.get(turn.speaker, FARTHEST), max(0.0, -overlap))
        before = _speaker(overlaps, distances, before, enough=SHARE * (end - start))
        yield before


def _speaker(
    overlaps: dict[str, float], distances: dict[str, float], before: str | None, *, enough: float
) -> str | None:
    if before is not None and overlaps.get(before, 0.0) >= max(enough, 1e-6):
        return before
    if any(overlaps.values()):
        return max(overlaps, key=lambda speaker: (overlaps[speaker], speaker == before, speaker))
    return min(distances, key=lambda speaker: (distances[speaker], speaker != before, speaker), default=None)


def _filled(speakers: list[str | None]) -> list[str | None]:
    """Where no turn was near, the one who spoke before, at the beginning the one who speaks next."""
    last = next((speaker for speaker in speakers if speaker is not None), None)
    filled = []
    for speaker in speakers:
        last = speaker or last
        filled.append(last)
    return filled


def _smoothed(words: Sequence[Word], speakers: list[str | None]) -> list[str | None]:
    smooth = list(speakers)
    for place in range(1, len(words) - 1):
        before, after = smooth[place - 1], speakers[place + 1]
        pause = max(words[place].start - words[place - 1].end, words[place + 1].start - words[place].end)
        if before == after and pause <= BREATH:
            smooth[place] = before
    return smooth


def _split(segment: Segment, speakers: Sequence[str | None]) -> Parts:
    if len(set(speakers)) == 1:
        return (replace(segment, speaker=speakers[0]),)
    places = [place for place, (one, other) in enumerate(pairwise(speakers), start=1) if one != other]
    bounds = [0, *places, len(speakers)]
    texts = _texts(segment, bounds)
    parts = []
    for text, (first, last) in zip(texts, pairwise(bounds), strict=True):
        words = segment.words[first:last]
        start = words[0].start if first else segment.start
        end = words[-1].end if last < len(speakers) else segment.end
        parts.append(replace(segment, start=start, end=end, text=text, words=words, speaker=speakers[first]))
    return tuple(parts)


def _texts(segment: Segment, bounds: Sequence[int]) -> list[str]:
    """The segment's own text, cut before the first word of each part; made of the words where they are not found in it."""
    position, places = 0, []
    for word in segment.words:
        position = segment.text.find(word.text.strip(), position)
        if position < 0:
            words = [word.text.strip() for word in segment.words]
            return [reduce(join_words, words[first:last], "") for first, last in pairwise(bounds)]
        places.append(position)
        position += len(word.text.strip())
    cuts = [0, *(places[bound] for bound in bounds[1:-1]), len(segment.text)]
    return [segment.text[first:last].strip() for first, last in pairwise(cuts)]
