"""Who speaks when, for a listener that wants words turn by turn: where a turn began and ended, and when all its words are told.

Called by a live session around its captioner, in the captioner's thread. Times are seconds from the session's first sample.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal

from whisper_jobs.speech.streaming.captioner import ROUNDING, Captioner
from whisper_jobs.speech.windows import Pcm, Window

Said = Literal["started", "ended", "flushed", "settled", "cleared"]


@dataclass(frozen=True, slots=True)
class Turn:
    """`started`: at `start` somebody was heard. `ended`: the turn is what was heard from `start` to `end`, and its words follow.
    `flushed`: the same, because somebody said so. `settled`: they are all told. `cleared`: the turn that was going on is none."""

    said: Said
    number: int
    start: float
    end: float


class Turns:
    """Turns are numbered from 0 and settle in their order. Words belong to the first turn that has not settled.

    A turn ends with an utterance where they are told `by_pauses`, and with a call of `flush`.
    """

    def __init__(self, captioner: Captioner, *, by_pauses: bool) -> None:
        self._captioner, self._by_pauses = captioner, by_pauses
        self._numbers = count()
        self._number = next(self._numbers)
        self._is_on = False
        #: Where the last turn ended.
        self._until = 0.0
        self._unsettled: deque[Turn] = deque()

    def feed(self, samples: Pcm) -> list[Turn]:
        ended = self._captioner.feed(samples)
        return [*self._over(ended), *self._begun()] if self._by_pauses else []

    def flush(self) -> list[Turn]:
        """The turn ends here, even if nobody has said anything in it."""
        ended = self._captioner.flush()
        turns = self._over(ended[:-1]) if self._by_pauses else []
        start = ended[-1].start if self._by_pauses and ended else self._until
        return [*turns, *self._end("flushed", start, self._captioner.seconds_judged), *self.settled()]

    def finish(self) -> list[Turn]:
        """No more sound comes."""
        ended = self._captioner.finish()
        return [*self._over(ended), *self.settled()] if self._by_pauses else self.settled()

    def clear(self) -> Turn:
        """Forgets what was heard since the last turn ended: from `start` to `end`."""
        start, self._is_on = self._until, False
        self._captioner.forget(start)
        self._until = max(start, self._captioner.seconds_judged)
        return Turn("cleared", self._number, start, self._until)

    def settled(self) -> list[Turn]:
        """The turns whose words are all final by now. To be asked after each read."""
        found = []
        while self._unsettled and self._unsettled[0].end <= self._captioner.seconds_final + ROUNDING:
            turn = self._unsettled.popleft()
            found.append(Turn("settled", turn.number, turn.start, turn.end))
        return found

    def _begun(self) -> list[Turn]:
        if self._is_on or (start := self._captioner.began) is None:
            return []
        return [self._start(start)]

    def _start(self, start: float) -> Turn:
        self._is_on = True
        return Turn("started", self._number, start, start)

    def _over(self, ended: Sequence[Window]) -> list[Turn]:
        return [turn for window in ended for turn in self._heard(window)]

    def _heard(self, window: Window) -> list[Turn]:
        begun = [] if self._is_on else [self._start(window.start)]
        return [*begun, *self._end("ended", window.start, window.end)]

    def _end(self, said: Said, start: float, end: float) -> list[Turn]:
        turn = Turn(said, self._number, start, end)
        self._unsettled.append(turn)
        self._number, self._is_on, self._until = next(self._numbers), False, end
        return [turn]
