"""Figure 19: how many of the wrong words of a transcript are shown to whoever checks it, and how much they look at for that.

Recordings of `--audio` that have a text are read by the engines that are always there. A word is wrong where jiwer's alignment
with what was said calls it a substitution or an insertion; words that are missing stand nowhere and can't be marked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import jiwer

from benchmarks.figure import Line, Options, told
from benchmarks.sound import Clip, clips_of, samples_of
from benchmarks.wer import normalised, without_speakers
from whisper_jobs.speech import guards
from whisper_jobs.speech import spots as checking
from whisper_jobs.speech.engines import base
from whisper_jobs.speech.engines.moonshine import Moonshine
from whisper_jobs.speech.engines.pocketsphinx import PocketSphinx
from whisper_jobs.speech.spots import Heard
from whisper_jobs.speech.transcript import Segment
from whisper_jobs.speech.windows import WindowCutter, as_floats

TITLE = "Places to check"
QUICK_FILES = 6
#: Beside the one that is used.
THRESHOLDS = (0.2, 0.35, 0.5, 0.65, 0.8)
ENGINES: dict[str, Callable[[], base.Engine]] = {"draft engine": PocketSphinx, "moonshine": Moonshine}


@dataclass(frozen=True, slots=True)
class Tally:
    """Words of transcripts: all of them, those that are wrong, those that are marked, those that are both; and the spots."""

    words: int = 0
    wrong: int = 0
    marked: int = 0
    caught: int = 0
    spots: int = 0
    segments: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


def measure(options: Options) -> list[Line]:
    chosen = list(clips_of(options.audio))[: QUICK_FILES if options.quick else None]
    return [line for name, make in ENGINES.items() for line in _lines(name, _read(make(), chosen))]


def _read(engine: base.Engine, chosen: Iterable[Clip]) -> list[tuple[Clip, list[Segment]]]:
    return [(clip, list(_heard(engine, clip))) for clip in chosen]


def _heard(engine: base.Engine, clip: Clip) -> Iterator[Segment]:
    cutter = WindowCutter()
    samples = samples_of(clip.file)
    windows = cutter.feed(samples) + cutter.finish()
    spans = [[(start - each.start, end - each.start) for start, end in each.speech] for each in windows]
    sounds = [as_floats(each.samples) for each in windows]
    results = guards.guarded(engine, sounds, base.Options(language="en"), speech=spans)
    for window, result in zip(windows, results, strict=True):
        yield from (segment.shifted(window.start) for segment in result.segments)


def _lines(name: str, read: list[tuple[Clip, list[Segment]]]) -> Iterator[Line]:
    used = checking.UNSURE
    try:
        for threshold in THRESHOLDS:
            checking.UNSURE = threshold
            tally = sum((_tally(clip, segments) for clip, segments in read), Tally())
            what = f"{name}, below {threshold:g}{' (used)' if threshold == used else ''}"
            yield told(what, _said(tally), _spread(tally))
    finally:
        checking.UNSURE = used


def _said(tally: Tally) -> str:
    caught, marked = 100 * tally.caught / max(1, tally.wrong), 100 * tally.marked / max(1, tally.words)
    return f"{caught:.0f} % of the wrong words for {marked:.0f} % of all words"


def _spread(tally: Tally) -> str:
    wrong = 100 * tally.wrong / max(1, tally.words)
    return f"{tally.spots} of {tally.segments} segments are shown; {wrong:.0f} % of {tally.words} words are wrong"


def _tally(clip: Clip, segments: list[Segment]) -> Tally:
    spots = list(checking.spots((Heard(at, 1, segment) for at, segment in enumerate(segments)), (), ()))
    shown = {spot.heard.id: spot for spot in spots if spot.heard}
    words: list[tuple[str, bool]] = []
    for at, segment in enumerate(segments):
        pieces = shown[at].pieces if at in shown else (checking.Piece(segment.text),)
        words += [(word, bool(piece.reason)) for piece in pieces for word in normalised(piece.text).split()]
    wrong = _wrong(clip, [word for word, _marked in words])
    both = sum(is_wrong and is_marked for is_wrong, (_word, is_marked) in zip(wrong, words, strict=True))
    marked = sum(is_marked for _word, is_marked in words)
    return Tally(len(words), sum(wrong), marked, both, len(spots), len(segments))


def _wrong(clip: Clip, heard: list[str]) -> list[bool]:
    wrong = [True] * len(heard)
    if heard:
        aligned = jiwer.process_words(normalised(without_speakers(clip.said)), " ".join(heard)).alignments[0]
        for chunk in aligned:
            if chunk.type == "equal":
                wrong[chunk.hyp_start_idx : chunk.hyp_end_idx] = [False] * (chunk.hyp_end_idx - chunk.hyp_start_idx)
    return wrong
