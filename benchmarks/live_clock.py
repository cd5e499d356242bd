"""A live session on a clock of its own: sound comes in real time, reads take as long as the engine really takes.

Used by the figure “live”. Nothing waits, so that an hour of sound takes as long as the engine works on it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.sound import Pcm
from whisper_jobs.speech.engines.base import SAMPLE_RATE, Engine, Options
from whisper_jobs.speech.streaming.agreement import words_of
from whisper_jobs.speech.streaming.aligning import key
from whisper_jobs.speech.streaming.captioner import Captioner
from whisper_jobs.speech.streaming.heard import Closed, Delta, Work
from whisper_jobs.speech.streaming.reading import read
from whisper_jobs.speech.transcript import Word

#: What a browser sends at once.
PIECE_SECONDS = 0.1
#: Silence behind a recording, in which its last words are told while the session is open.
TAIL_SECONDS = 2.0
#: A word that other words were told before may have moved by so many places.
NEAR_PLACES = 3
ENGLISH = Options(language="en")


@dataclass(frozen=True, slots=True)
class Told:
    """A delta, the moment at which it came, and the seconds that the read before it took."""

    delta: Delta
    at: float
    engine_seconds: float


@dataclass(frozen=True, slots=True)
class Wait:
    """From a word's last sample until it was first shown, and until it was final; each with what the read took."""

    shown: float
    shown_engine: float
    final: float
    final_engine: float


@dataclass(slots=True)
class Session:
    told: list[Told] = field(default_factory=list)
    windows: list[Closed] = field(default_factory=list)
    engine_seconds: float = 0.0
    most_lag: float = 0.0

    @property
    def text(self) -> str:
        return " ".join(each.delta.text for each in self.told if each.delta.is_final)

    def waits(self) -> Iterator[Wait]:
        """Of each final word."""
        final_words = [word for window in self.windows for segment in window.segments for word in words_of(segment)]
        final_at, shown_at = self._final_at(), self._shown_at(final_words)
        for word, final, shown in zip(final_words, final_at, shown_at, strict=False):
            first = min(shown or final, final, key=lambda each: each.at)
            yield Wait(
                max(0.0, first.at - word.end), first.engine_seconds, max(0.0, final.at - word.end), final.engine_seconds
            )

    def _final_at(self) -> list[Told]:
        return [each for each in self.told if each.delta.is_final for _word in each.delta.words]

    def _shown_at(self, words: Sequence[Word]) -> list[Told | None]:
        """For each final word the delta that first had it near its place."""
        first: list[Told | None] = [None] * len(words)
        places: dict[str, list[int]] = {}
        for place, word in enumerate(words):
            places.setdefault(key(word.text), []).append(place)
        done = 0
        for told in self.told:
            for place, word in enumerate(told.delta.words, done):
                near = [at for at in places.get(key(word.text), ()) if abs(at - place) <= NEAR_PLACES]
                if near:
                    at = min(near, key=lambda at: abs(at - place))
                    first[at] = first[at] or told
            done += len(told.delta.words) if told.delta.is_final else 0
        return first


def run(engine: Engine, samples: Pcm, *, chunk_seconds: float) -> Session:
    """One session alone with one engine."""
    session, captioner = Session(), Captioner(chunk_seconds=chunk_seconds)
    now = 0.0
    for heard_at, piece in _pieces(samples):
        # A read that ends later than this piece was heard holds up the next read, not the sound.
        while now < heard_at and (work := captioner.work()) is not None:
            now = _read(session, captioner, engine, work, now)
        captioner.feed(piece)
        now = max(now, heard_at)
        session.most_lag = max(session.most_lag, captioner.lag)
    captioner.finish()
    while (work := captioner.work()) is not None:
        now = _read(session, captioner, engine, work, now)
    return session


def _pieces(samples: Pcm) -> Iterator[tuple[float, Pcm]]:
    """Each with the moment at which its last sample has been said."""
    whole = np.concatenate((samples, np.zeros(round(TAIL_SECONDS * SAMPLE_RATE), np.int16)))
    step = round(PIECE_SECONDS * SAMPLE_RATE)
    for start in range(0, len(whole), step):
        yield (start + step) / SAMPLE_RATE, whole[start : start + step]


def _read(session: Session, captioner: Captioner, engine: Engine, work: Work, now: float) -> float:
    """The moment at which it is done."""
    began = time.perf_counter()
    result = read(engine, work, ENGLISH)
    taken = time.perf_counter() - began
    session.engine_seconds += taken
    heard = captioner.take(work, result)
    session.told += [Told(delta, now + taken, taken) for delta in heard.deltas]
    if heard.window:
        session.windows.append(heard.window)
    return now + taken
