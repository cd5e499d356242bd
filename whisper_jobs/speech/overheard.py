"""The voices of a recording, heard along while a diarizer listens to it: when it says who spoke when, their vectors are there.

Keeps some 130 bytes for each second of speech, whatever the recording's length. Called by the diarize step for a diarizer that
has no vectors of the bundled network.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt

from whisper_jobs.speech import recognition
from whisper_jobs.speech.diarizers.base import SAMPLE_RATE, Floats, Pcm, Span, Turn
from whisper_jobs.speech.windows import as_floats

#: Speech is heard in pieces of at most this; shorter ones than this tell too little.
PIECE_SECONDS, LEAST_SECONDS = 3.0, 1.0
#: A piece tells of a speaker who speaks through this share of it, and nobody else through more than the rest.
OWN_SHARE = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class HeardVoice:
    """The voice of one speaker of a recording: a vector of the bundled network, and how many seconds tell of it."""

    vector: Floats
    seconds: float


class Overheard:
    def __init__(self, speech: Sequence[Span]) -> None:
        """`speech`: what the voice detector found, in order."""
        self._pieces = [piece for span in speech for piece in _pieces(span)]
        self._vectors: dict[int, npt.NDArray[np.float16]] = {}
        #: Sound that has come and was not heard yet, from the sample `_first` of the recording on.
        self._waiting: Pcm = np.zeros(0, np.int16)
        self._first = self._next = 0

    def feed(self, samples: Pcm) -> None:
        """The sound from its beginning, in pieces of any size. Raises Unavailable."""
        self._waiting = np.concatenate((self._waiting, samples))
        end = self._first + len(self._waiting)
        while self._next < len(self._pieces) and self._pieces[self._next][1] * SAMPLE_RATE <= end:
            self._hear(self._next)
            self._next += 1
        # What lies before the next piece is done with.
        begin = round(self._pieces[self._next][0] * SAMPLE_RATE) if self._next < len(self._pieces) else end
        gone = min(max(begin - self._first, 0), len(self._waiting))
        self._waiting, self._first = self._waiting[gone:], self._first + gone

    def _hear(self, place: int) -> None:
        start, end = (round(at * SAMPLE_RATE) - self._first for at in self._pieces[place])
        samples = as_floats(self._waiting[start:end])
        try:
            vector = recognition.encode(samples, [(0.0, len(samples) / SAMPLE_RATE)])
        except recognition.TooShort:
            return
        # Half precision changes a cosine in the fourth decimal.
        self._vectors[place] = vector.astype(np.float16)

    def voices(self, turns: Sequence[Turn]) -> dict[str, HeardVoice]:
        """Label → voice, of the labels that are heard alone long enough."""
        totals: dict[str, Floats] = {}
        seconds: dict[str, float] = {}
        for place, spoken in self._spoken(turns).items():
            start, end = self._pieces[place]
            label = max(spoken, key=spoken.__getitem__)
            others = sum(spoken.values()) - spoken[label]
            length = end - start
            if place in self._vectors and spoken[label] >= OWN_SHARE * length and others <= (1 - OWN_SHARE) * length:
                vector = self._vectors[place].astype(np.float32) * np.float32(length)
                totals[label] = totals[label] + vector if label in totals else vector
                seconds[label] = seconds.get(label, 0.0) + length
        return {label: HeardVoice(recognition.unit(total), seconds[label]) for label, total in totals.items()}

    def _spoken(self, turns: Sequence[Turn]) -> Mapping[int, dict[str, float]]:
        """How many seconds of each piece who speaks."""
        ends = [end for _, end in self._pieces]
        spoken: dict[int, dict[str, float]] = {}
        for turn in turns:
            place = bisect_right(ends, turn.start)
            while place < len(ends) and self._pieces[place][0] < turn.end:
                start, end = self._pieces[place]
                shares = spoken.setdefault(place, {})
                shares[turn.speaker] = shares.get(turn.speaker, 0.0) + min(end, turn.end) - max(start, turn.start)
                place += 1
        return spoken


def _pieces(span: Span) -> Iterator[Span]:
    """Equal parts of a span."""
    start, end = span
    count = max(1, ceil((end - start) / PIECE_SECONDS))
    length = (end - start) / count
    if length >= LEAST_SECONDS:
        yield from ((start + at * length, start + (at + 1) * length) for at in range(count))
