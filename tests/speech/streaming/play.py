"""Plays a live session by hand: sound in pieces, and an engine that answers what a test wants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce

from tests.clockwork import heard
from tests.speech.conftest import Pcm
from tests.speech.test_cut import LoudIsSpeech
from whisper_jobs.speech.engines.base import Result
from whisper_jobs.speech.streaming.captioner import Captioner
from whisper_jobs.speech.streaming.heard import Closed, Delta, Heard, Work
from whisper_jobs.speech.transcript import Segment, Word, join_words

SECOND = 16_000
Read = Callable[[Work], Result]


def clockwork(work: Work) -> Result:
    """A word for each second that was read, the checksum of its sound."""
    return Result((heard(work.samples),), "en")


def said(*texts: str, start: float = 0.0, each: float = 0.3, probability: float | None = 0.9) -> list[Word]:
    """Words one after the other."""
    return [Word(start + each * at, start + each * (at + 1), text, probability) for at, text in enumerate(texts)]


def segment(*texts: str, start: float = 0.0) -> Segment:
    words = said(*texts, start=start)
    return Segment(start, words[-1].end, " ".join(texts), tuple(words))


def joined(texts: Iterable[str]) -> str:
    return reduce(join_words, texts, "")


@dataclass
class Played:
    captioner: Captioner
    read: Read
    works: list[Work] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)

    @property
    def deltas(self) -> list[Delta]:
        return [delta for each in self.heard for delta in each.deltas]

    @property
    def finals(self) -> list[Delta]:
        return [delta for delta in self.deltas if delta.is_final]

    @property
    def windows(self) -> list[Closed]:
        return [each.window for each in self.heard if each.window]

    @property
    def text(self) -> str:
        return joined(delta.text for delta in self.finals)

    def work(self, *, hurried: bool = False) -> None:
        """Whatever is due is read at once."""
        while (work := self.captioner.work(hurried=hurried)) is not None:
            self.works.append(work)
            self.heard.append(self.captioner.take(work, self.read(work)))


def session(read: Read = clockwork, *, chunk_seconds: float = 1.0) -> Played:
    return Played(Captioner(chunk_seconds=chunk_seconds, detector=LoudIsSpeech()), read)


def play(
    samples: Pcm,
    read: Read = clockwork,
    *,
    pieces: Sequence[int] = (),
    chunk_seconds: float = 1.0,
    hurried: bool = False,
) -> Played:
    """All of it, in pieces of these lengths and then of a quarter of a second, each followed by all work that is due."""
    played, at = session(read, chunk_seconds=chunk_seconds), 0
    for length in [*pieces, *[SECOND // 4] * (len(samples) * 4 // SECOND + 1)]:
        played.captioner.feed(samples[at : at + length])
        played.work(hurried=hurried)
        at += length
    played.captioner.feed(samples[at:])
    played.captioner.finish()
    played.work(hurried=hurried)
    return played
