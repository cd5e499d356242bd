"""Cuts a recording into windows of speech of at most 30 s, at silences, while it is still being decoded.

Called by the decode step. The windows depend on the samples alone, not on how they were handed in, so a recording that
is decoded again after a crash gives the same ones. Memory holds one window, however long the recording.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from whisper_jobs.speech.spans import SpanTracker
from whisper_jobs.speech.vad import FRAME_SAMPLES, SAMPLE_RATE, Floats, Leveller, SpeechDetector

Pcm = npt.NDArray[np.int16]
Frames = tuple[int, int]

#: The detector always gets the same pieces (about 1 s), so that its rounding can't depend on the caller's.
BLOCK_SAMPLES = 32 * FRAME_SAMPLES
#: The quietest point of a stretch without silence is sought in means over this many frames (0.16 s).
SMOOTHING_FRAMES = 5


class Detector(Protocol):
    """One speech probability per frame of FRAME_SAMPLES: `vad.SpeechDetector`."""

    def probabilities(self, samples: Floats) -> Floats: ...

    def finish(self) -> Floats: ...


@dataclass(frozen=True, slots=True)
class Rules:
    """How to cut; everything in seconds but the probabilities."""

    speech_probability: float = 0.45
    #: Speech goes on until the probability falls below this.
    silence_probability: float = 0.3
    shortest_speech: float = 0.1
    shortest_silence: float = 0.25
    #: A window with less speech than `surely_speech` is none, unless the detector was sure of it for `sure_speech`: a chord or
    #: a siren makes it suspect a voice for a moment, a spoken word makes it sure.
    sure_probability: float = 0.8
    sure_speech: float = 0.19
    surely_speech: float = 1.0
    #: Kept before and after speech: soft consonants are no voice.
    padding: float = 0.3
    #: A silence this long is left out of the windows.
    long_silence: float = 2.5
    #: A window that has reached `enough` ends with the next pause; the first one sooner, so that words show soon.
    enough: float = 22.0
    first_enough: float = 8.0
    pause: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """`start`, `end` and the spans of `speech` in it are seconds in the recording; `samples` is 16 kHz mono."""

    start: float
    end: float
    samples: Pcm
    speech: tuple[tuple[float, float], ...]


class WindowCutter:
    """Feed it a recording in pieces of any size; it hands out windows in order and without overlap.

    With `resume_at` only what lies behind that second is handed out, and no window starts before it.
    """

    block_samples = BLOCK_SAMPLES

    def __init__(
        self,
        max_seconds: float = 30.0,
        *,
        resume_at: float = 0.0,
        rules: Rules | None = None,
        detector: Detector | None = None,
    ) -> None:
        self._rules = rules or Rules()
        self._detector = detector or SpeechDetector()
        self._longest = int(max_seconds * SAMPLE_RATE) // FRAME_SAMPLES
        self._padding, self._pause = _frames(self._rules.padding), _frames(self._rules.pause)
        self._long_silence = _frames(self._rules.long_silence)
        self._sure, self._surely = _frames(self._rules.sure_speech), _frames(self._rules.surely_speech)
        self._enough = _frames(self._rules.first_enough)
        self._resume_sample = round(resume_at * SAMPLE_RATE)
        self._tracker = SpanTracker(
            (self._rules.speech_probability, self._rules.silence_probability),
            shortest_speech=_frames(self._rules.shortest_speech),
            shortest_silence=_frames(self._rules.shortest_silence),
        )
        self._leveller = Leveller()
        self._sure_frames: list[int] = []  # where the detector was sure, since the last window
        self._waiting: Pcm = np.zeros(0, np.int16)  # fed, but less than a block
        self._kept: Pcm = np.zeros(0, np.int16)  # heard, and perhaps part of the next window
        self._kept_from = 0  # the frame with which it starts
        self._floor = 0  # the frame at which the last window ended
        self._samples_seen = 0
        self._speech_frames = 0

    @property
    def seconds_seen(self) -> float:
        return self._samples_seen / SAMPLE_RATE

    @property
    def speech_seconds(self) -> float:
        """The speech in all windows so far, those before `resume_at` too."""
        return min(self._speech_frames * FRAME_SAMPLES / SAMPLE_RATE, self.seconds_seen)

    def feed(self, samples: Pcm) -> list[Window]:
        """The windows that these samples (16 kHz, mono) completed."""
        self._samples_seen += len(samples)
        windows: list[Window] = []
        taken = 0
        while len(self._waiting) + len(samples) - taken >= self.block_samples:
            until = taken + self.block_samples - len(self._waiting)
            block = np.concatenate((self._waiting, samples[taken:until]))
            self._waiting, taken = self._waiting[:0], until
            windows += self._hear(block, self._listen(block))
        self._waiting = np.concatenate((self._waiting, samples[taken:]))
        return windows

    def finish(self) -> list[Window]:
        """The last windows: the recording is over."""
        block, self._waiting = self._waiting, self._waiting[:0]
        probabilities = (self._listen(block), self._detector.finish())
        windows = self._hear(block, np.concatenate(probabilities))
        self._tracker.finish()
        if spans := self._tracker.take_all():
            windows += self._emit(spans, until=min(spans[-1][1] + self._padding, self._tracker.frame))
        return windows

    def _listen(self, block: Pcm) -> Floats:
        return self._detector.probabilities(self._leveller.levelled(as_floats(block)))

    def _hear(self, block: Pcm, probabilities: Floats) -> list[Window]:
        self._kept = np.concatenate((self._kept, block))
        windows: list[Window] = []
        if self._tracker.idle and (probabilities < self._rules.speech_probability).all():
            self._tracker.frame += len(probabilities)
        else:
            for probability in probabilities.tolist():
                if probability >= self._rules.sure_probability:
                    self._sure_frames.append(self._tracker.frame)
                self._tracker.hear(probability)
                windows += self._cut()
        self._forget()
        return windows

    def _start(self) -> int | None:
        """The frame with which the window that is being gathered starts."""
        first = self._tracker.first
        return None if first is None else max(self._floor, first - self._padding)

    def _cut(self) -> Iterator[Window]:
        start = self._start()
        if start is None:
            return
        if not self._tracker.speaking:
            end = self._tracker.spans[-1][1]
            quiet = self._tracker.frame - end
            if quiet >= self._long_silence or (quiet >= self._pause and end - start >= self._enough):
                yield from self._emit(self._tracker.take_all(), until=min(end + self._padding, self._tracker.frame))
                return
        if self._tracker.frame - start >= self._longest:
            yield from self._cut_full(start)

    def _cut_full(self, start: int) -> Iterator[Window]:
        """No time to wait for a pause: at the longest silence so far, else at the quietest point."""
        yield from self._cut_behind(start + self._longest // 3, start + self._longest * 2 // 3)

    def _cut_behind(self, silence_from: int, quiet_from: int) -> Iterator[Window]:
        silence = self._longest_silence(after=silence_from)
        if silence is not None:
            middle = sum(silence) // 2
            yield from self._emit(self._tracker.take_before(middle), until=min(silence[0] + self._padding, middle))
        else:
            cut = self._quietest(quiet_from)
            yield from self._emit(self._tracker.take_before(cut), until=cut)

    def _longest_silence(self, *, after: int) -> Frames | None:
        spans = self._tracker.all_spans()
        starts = [start for start, _ in spans[1:]] + ([] if self._tracker.speaking else [self._tracker.frame])
        silences = [
            (end, start) for (_, end), start in zip(spans, starts, strict=False) if sum((end, start)) // 2 >= after
        ]
        return max(silences, key=lambda silence: (silence[1] - silence[0], silence), default=None)

    def _quietest(self, first: int) -> int:
        frames = self._kept[(first - self._kept_from) * FRAME_SAMPLES :]
        return first + _quietest_frame(frames[: (self._tracker.frame - first) * FRAME_SAMPLES])

    def _emit(self, spans: list[Frames], *, until: int) -> Iterator[Window]:
        start = max(self._floor, spans[0][0] - self._padding)
        is_speech = self._is_speech(spans, until)
        self._floor = until
        self._sure_frames = [frame for frame in self._sure_frames if frame >= until]
        if not is_speech:
            return
        self._enough = _frames(self._rules.enough)
        self._speech_frames += sum(end - start for start, end in spans)
        first = max(start * FRAME_SAMPLES, self._resume_sample)
        last = min(until * FRAME_SAMPLES, self._samples_seen)
        speech = tuple(_clipped(spans, first, last))
        if speech:
            offset = self._kept_from * FRAME_SAMPLES
            samples = self._kept[first - offset : last - offset].copy()
            yield Window(first / SAMPLE_RATE, last / SAMPLE_RATE, samples, speech)

    def _is_speech(self, spans: list[Frames], until: int) -> bool:
        is_rest = 0 < self._floor == spans[0][0]  # of a word that was cut
        sure = sum(frame < until for frame in self._sure_frames)
        return is_rest or sure >= self._sure or sum(end - start for start, end in spans) >= self._surely

    def _forget(self) -> None:
        """Drops the samples that no window can need."""
        start = self._start()
        if start is None:
            self._sure_frames = []
        keep_from = max(self._floor, self._tracker.frame - self._padding) if start is None else start
        dropped = keep_from - self._kept_from
        if dropped > 0:
            self._kept = self._kept[dropped * FRAME_SAMPLES :].copy()
            self._kept_from = keep_from


def cut_spans(
    sound: Iterable[Pcm], spans: Iterable[tuple[float, float]], *, max_seconds: float = 30.0, padding: float = 0.3
) -> Iterator[Window]:
    """Windows of these spans alone (seconds, in order, without overlap), a longer one in equal parts.

    A window has `padding` seconds of what is around its span; `speech` is the span itself. Memory holds one window.
    """
    kept: Pcm = np.zeros(0, np.int16)
    kept_from, pieces = 0, iter(sound)
    for start, end in _parts(spans, max_seconds - 2 * padding):
        first, last = max(0, _sample(start - padding)), _sample(end + padding)
        while kept_from + len(kept) < last and (piece := next(pieces, None)) is not None:
            kept = np.concatenate((kept, piece))
            dropped = min(max(0, first - kept_from), len(kept))
            kept, kept_from = kept[dropped:], kept_from + dropped
        samples = kept[max(0, first - kept_from) : max(0, last - kept_from)]
        if len(samples):
            yield Window(
                first / SAMPLE_RATE, first / SAMPLE_RATE + len(samples) / SAMPLE_RATE, samples, ((start, end),)
            )


def _parts(spans: Iterable[tuple[float, float]], longest: float) -> Iterator[tuple[float, float]]:
    for start, end in spans:
        count = max(1, math.ceil((end - start) / longest))
        length = (end - start) / count
        yield from ((start + place * length, start + (place + 1) * length) for place in range(count))


def _sample(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)


def _quietest_frame(samples: Pcm) -> int:
    """The frame around which it is quietest, counted from the first sample."""
    whole = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    power = np.square(whole, dtype=np.float64).mean(axis=1)
    if len(power) < SMOOTHING_FRAMES:
        return 0
    smooth = np.convolve(power, np.ones(SMOOTHING_FRAMES), mode="valid")
    return int(smooth.argmin()) + SMOOTHING_FRAMES // 2


def as_floats(samples: Pcm) -> Floats:
    """16-bit samples as detectors and engines take them: -1 … 1."""
    return samples.astype(np.float32) / np.float32(32768)


def _clipped(spans: list[Frames], first: int, last: int) -> Iterator[tuple[float, float]]:
    for start, end in spans:
        from_sample, to_sample = max(start * FRAME_SAMPLES, first), min(end * FRAME_SAMPLES, last)
        if from_sample < to_sample:
            yield from_sample / SAMPLE_RATE, to_sample / SAMPLE_RATE


def _frames(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE / FRAME_SAMPLES)
