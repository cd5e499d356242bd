"""Figure 21: the words of live sessions: how many are wrong, how soon they are told, and how many sessions two cores bear.

Words and times are taken on a clock of their own (live_clock.py), from the recordings of `--audio` that have a text; the last
lines through a whole server, by clients that speak in real time (live_sockets.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks import live_sockets
from benchmarks.draft import heard
from benchmarks.figure import Line, Options, at_most, percentile, told
from benchmarks.live_clock import Session, run
from benchmarks.sound import Clip, clips_of, samples_of
from benchmarks.wer import Score, score
from whisper_jobs.speech.engines import base
from whisper_jobs.speech.engines.moonshine import Moonshine
from whisper_jobs.speech.engines.pocketsphinx import PocketSphinx

TITLE = "Live sessions"
QUICK_FILES, QUICK_CHUNKS = 6, (1.0,)
MOST_WER, MOST_ENGINE = 1.10, 1.2


@dataclass(frozen=True, slots=True)
class Tried:
    make: Callable[[], base.Engine]
    chunks: Sequence[float]
    files: int | None = None


#: The draft engine takes ten times as long.
ENGINES = {
    "moonshine": Tried(Moonshine, (0.5, 1.0, 2.0, 5.0)),
    "pocketsphinx": Tried(PocketSphinx, (2.0,), 3),
}


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of all recordings with one engine and one length of chunks."""

    score: Score
    sessions: list[Session]


def measure(options: Options) -> list[Line]:
    lines = [line for name, tried in ENGINES.items() for line in _engine(name, tried, options)]
    return [*lines, *live_sockets.measure(options)]


def _engine(name: str, tried: Tried, options: Options) -> Iterator[Line]:
    engine, clips = tried.make(), list(clips_of(options.audio))[: QUICK_FILES if options.quick else tried.files]
    whole = sum((score(clip.said, heard(engine, samples_of(clip.file))) for clip in clips), Score(0, 0))
    yield told(f"{name}: word error rate of jobs", f"{whole.rate:.1f} %", f"{len(clips)} files, {whole.words} words")
    for chunk in QUICK_CHUNKS if options.quick else tried.chunks:
        taken = _taken(engine, clips, chunk)
        what = f"{name}, chunks of {chunk:g} s"
        print(f"{what}: {taken.score.rate:.1f} %", flush=True)
        ratio = taken.score.errors / max(1, whole.errors)
        yield at_most(f"{what}: word error rate ÷ that of jobs", MOST_WER, [ratio], spread=f"{taken.score.rate:.1f} %")
        yield from _waits(what, taken.sessions, chunk)


def _taken(engine: base.Engine, clips: Sequence[Clip], chunk: float) -> Taken:
    total, sessions = Score(0, 0), []
    for clip in clips:
        session = run(engine, samples_of(clip.file), chunk_seconds=chunk)
        total += score(clip.said, session.text)
        sessions.append(session)
    return Taken(total, sessions)


def _waits(what: str, sessions: Sequence[Session], chunk: float) -> Iterator[Line]:
    """A read takes as long as it takes: its share, as the target allows it, is taken off each word's time."""
    waits = [wait for session in sessions for wait in session.waits()]
    shown = [wait.shown - MOST_ENGINE * wait.shown_engine for wait in waits]
    final = [wait.final - 2 * MOST_ENGINE * wait.final_engine for wait in waits]
    told_after, final_after = [wait.shown for wait in waits], [wait.final for wait in waits]
    spread = (
        f"{percentile(told_after, 0.5):.2f} s with it, p95 {percentile(told_after, 0.95):.2f} s; {len(waits)} words"
    )
    yield at_most(
        f"{what}: until shown, less the read: median", chunk, [percentile(shown, 0.5)], spread=spread, unit=" s"
    )
    spread = f"{percentile(final_after, 0.95):.2f} s with it, median {percentile(final_after, 0.5):.2f} s"
    yield at_most(
        f"{what}: until final, less the read: p95", 2 * chunk, [percentile(final, 0.95)], spread=spread, unit=" s"
    )
    seconds = sum(session.windows[-1].end for session in sessions if session.windows)
    share = sum(session.engine_seconds for session in sessions) / seconds
    most = max(session.most_lag for session in sessions)
    yield told(f"{what}: the engine's time ÷ length", f"{share:.2f}", f"most lag {most:.1f} s")
