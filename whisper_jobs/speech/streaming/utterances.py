"""Cuts live sound into utterances: the windows of a job, but ended by the next pause, since somebody waits for the words.

Called by the captioner, which reads an utterance while it goes on; so it says what of it has been heard as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from whisper_jobs.speech.spans import Frames
from whisper_jobs.speech.vad import FRAME_SAMPLES, SAMPLE_RATE
from whisper_jobs.speech.windows import Detector, Rules, Window, WindowCutter

#: An utterance ends with a silence of `long_silence`, or after a while with a shorter one. Text that is read in shorter pieces
#: has more mistakes, so that these are as long as one likes to wait.
RULES = Rules(long_silence=1.2, pause=0.6, enough=8.0, first_enough=8.0)
#: One without any pause is cut when it is this long, at its quietest point behind SETTLED_SECONDS.
LONGEST_SECONDS, SETTLED_SECONDS = 24.0, 21.0
#: Where a caller says how long a silence ends an utterance, the detector is a little slower to end speech than to begin it.
HYSTERESIS = 0.66
#: A word's last consonant is no voice.
LEAST_PADDING = 0.1
#: An eighth of a second: how late the detector may be.
BLOCK_FRAMES = 4


def rules_of_pauses(*, threshold: float, padding: float, silence: float) -> Rules:
    """An utterance ends with `silence` seconds of it and not before; `threshold` is the probability from which on it is speech."""
    probability = min(max(threshold, 0.05), 0.95)
    return replace(
        RULES,
        speech_probability=probability,
        silence_probability=HYSTERESIS * probability,
        sure_probability=max(RULES.sure_probability, probability),
        shortest_silence=min(RULES.shortest_silence, silence),
        padding=max(padding, LEAST_PADDING),
        long_silence=silence,
        enough=LONGEST_SECONDS,
        first_enough=LONGEST_SECONDS,
    )


class UtteranceCutter(WindowCutter):
    """What `gathered` handed out is never dropped as noise afterwards, and no cut is made in an utterance's first SETTLED_SECONDS
    but at its end."""

    block_samples = BLOCK_FRAMES * FRAME_SAMPLES

    def __init__(self, *, detector: Detector | None = None, rules: Rules = RULES) -> None:
        super().__init__(LONGEST_SECONDS, rules=rules, detector=detector)
        self._handed_out = 0

    def flush(self) -> list[Window]:
        """Ends the utterance that goes on with what was fed. Less than a frame is left to the next one."""
        whole = len(self._waiting) // FRAME_SAMPLES * FRAME_SAMPLES
        block, self._waiting = self._waiting[:whole], self._waiting[whole:]
        windows = self._hear(block, self._listen(block))
        self._tracker.finish()
        if spans := self._tracker.take_all():
            windows += self._emit(spans, until=min(spans[-1][1] + self._padding, self._tracker.frame))
        self._floor = self._tracker.frame
        self._forget()
        return windows

    @property
    def seconds_judged(self) -> float:
        """The detector has heard all sound before this; after a flush no window starts before."""
        return self._tracker.frame * FRAME_SAMPLES / SAMPLE_RATE

    @property
    def settled_seconds(self) -> float:
        """No window that is still to come starts before."""
        start = self._start()
        return (self._kept_from if start is None else start) * FRAME_SAMPLES / SAMPLE_RATE

    def unread(self, after: float) -> float:
        """The seconds of speech behind `after` in the utterance that goes on."""
        spans = (
            (start * FRAME_SAMPLES / SAMPLE_RATE, end * FRAME_SAMPLES / SAMPLE_RATE) for start, end in self._spans()
        )
        return sum(max(0.0, end - max(start, after)) for start, end in spans)

    def gathered(self) -> Window | None:
        """The utterance that goes on, up to its last speech; None while there is none, or nobody is sure that it is one."""
        start, spans = self._start(), self._spans()
        if start is None or not self._is_speech(spans, self._tracker.frame):
            return None
        until = min(spans[-1][1] + self._padding, self._tracker.frame)
        first, last = start * FRAME_SAMPLES, min(until * FRAME_SAMPLES, self._samples_seen)
        offset = self._kept_from * FRAME_SAMPLES
        speech = tuple((begin * FRAME_SAMPLES / SAMPLE_RATE, end * FRAME_SAMPLES / SAMPLE_RATE) for begin, end in spans)
        samples = self._kept[first - offset : last - offset]
        return Window(first / SAMPLE_RATE, last / SAMPLE_RATE, samples, speech)

    def hand_out(self, window: Window) -> None:
        """It is being read: from now on it is speech."""
        self._handed_out = max(self._handed_out, round(window.end * SAMPLE_RATE) // FRAME_SAMPLES)

    def _spans(self) -> list[Frames]:
        return self._tracker.all_spans()

    def _is_speech(self, spans: list[Frames], until: int) -> bool:
        return spans[0][0] < self._handed_out or super()._is_speech(spans, until)

    def _cut_full(self, start: int) -> Iterator[Window]:
        settled = start + round(SETTLED_SECONDS * SAMPLE_RATE / FRAME_SAMPLES)
        yield from self._cut_behind(settled, settled)
