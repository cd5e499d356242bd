"""The words of one live session. Its owner feeds it sound, has its work read by an engine (`reading.read`), tells the deltas."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import TypeVar

from whisper_jobs.speech import windows
from whisper_jobs.speech.engines.base import Result
from whisper_jobs.speech.streaming.agreement import Agreement, Rules, all_words, text_of
from whisper_jobs.speech.streaming.heard import Closed, Delta, Heard, Work
from whisper_jobs.speech.streaming.utterances import RULES, SETTLED_SECONDS, UtteranceCutter
from whisper_jobs.speech.transcript import Segment, Word
from whisper_jobs.speech.windows import Detector, Pcm, Window, as_floats

Spoken = TypeVar("Spoken", Word, Segment)

#: A long utterance is read again when it has grown by this share: what a read costs grows with it.
GROWTH = 0.05
#: Sound is read before a whole chunk of it is new, since a word is final with the second read at the soonest.
READ_SHARE = 0.7
#: Of a chunk as short as this with the third, if the engine isn't sure: reads that are near to each other make the same mistakes.
SHORT_CHUNK_SECONDS, SHORT_READ_SHARE, SURE = 1.0, 0.42, 0.9
#: A word on which no reads agree is final after so many chunks.
PATIENCE_CHUNKS = 1.7
#: Seconds: times that are so near to each other are the same.
ROUNDING = 1e-6
#: In a pause a small part of what is read otherwise is enough: no more of the last words will come.
PAUSE_SHARE, PAUSE_SECONDS = 0.1, 0.25


class Captioner:
    """Only ever used by one thread at a time. Its memory doesn't grow with the session, as long as its work is read."""

    def __init__(
        self, *, chunk_seconds: float, detector: Detector | None = None, cutting: windows.Rules = RULES
    ) -> None:
        """`chunk_seconds`: how much new sound makes another interim read worth while (0.5 … 60). Less than SHORT_CHUNK_SECONDS is
        taken for that: a word needs so much sound behind it. `cutting`: what ends an utterance."""
        chunk = max(chunk_seconds, SHORT_CHUNK_SECONDS)
        is_short = chunk == SHORT_CHUNK_SECONDS
        self._apart_seconds = (SHORT_READ_SHARE if is_short else READ_SHARE) * chunk
        self._rules = Rules(patience_seconds=PATIENCE_CHUNKS * chunk, sure=SURE if is_short else 0.0)
        self._cutter = UtteranceCutter(detector=detector, rules=cutting)
        self._ended: deque[Window] = deque()  # utterances that are over, and not final yet
        self._agreement = Agreement(self._rules)
        self._numbers = count()
        self._out: Work | None = None
        self._read_until = self._final_until = 0.0
        self._shown = ""
        self._is_finished = False

    def feed(self, samples: Pcm) -> list[Window]:
        """16 kHz mono, any length. The utterances that are over with it."""
        if self._is_finished:
            raise ValueError("the session is finished")
        return self._over(self._cutter.feed(samples))

    def finish(self) -> list[Window]:
        """No more sound comes: what was heard becomes final work. May be called again."""
        if self._is_finished:
            return []
        ended = self._over(self._cutter.finish())
        # Last: other threads ask meanwhile whether it is done.
        self._is_finished = True
        return ended

    def flush(self) -> list[Window]:
        """What was heard becomes final work, and more may come."""
        return self._over(self._cutter.flush())

    def forget(self, start: float) -> None:
        """What was heard from this second on is not read, unless its words are final."""
        self._cutter.flush()
        self._ended = deque(window for window in self._ended if window.end <= start + ROUNDING)
        if self._out is not None and self._out.end > start + ROUNDING:
            self._out = None
        if not self._ended:
            self._agreement, self._shown = Agreement(self._rules), ""

    def _over(self, ended: list[Window]) -> list[Window]:
        self._ended += ended
        return ended

    def work(self, *, hurried: bool = False) -> Work | None:
        """What is to be read next; None when nothing is due, or one is out. `hurried`: whole utterances only."""
        if self._out is not None:
            return None
        if self._ended:
            self._out = self._work(self._ended[0], is_final=True)
        elif not hurried and (window := self._due()) is not None:
            self._cutter.hand_out(window)
            self._out = self._work(window, is_final=False)
        return self._out

    def take(self, work: Work, result: Result) -> Heard:
        """What the engine said of it, times from the work's first sample. Nothing for a work that is not out any more."""
        if self._out is None or self._out.number != work.number:
            return Heard()
        work, self._out = self._out, None
        self._read_until = max(self._read_until, work.end)
        placed = replace(result, segments=tuple(_placed(segment, work) for segment in result.segments))
        return self._close(placed) if work.is_final else Heard(tuple(self._interim(work, placed)))

    def give_up(self, work: Work) -> None:
        """The engine failed, or died: the same is due again."""
        if self._out is not None and self._out.number == work.number:
            self._out = None

    @property
    def seconds_heard(self) -> float:
        """All sound that was fed."""
        return self._cutter.seconds_seen

    @property
    def seconds_judged(self) -> float:
        """All sound of which it is known where in it somebody speaks; all of it after a flush, but for a part of a frame."""
        return self._cutter.seconds_judged

    @property
    def began(self) -> float | None:
        """Where the utterance starts that goes on; None while nobody is sure that somebody speaks."""
        window = self._cutter.gathered()
        if window is None:
            return None
        # What somebody was told of is not dropped as noise afterwards.
        self._cutter.hand_out(window)
        return window.start

    @property
    def seconds_final(self) -> float:
        """Sound before this is done with: its words are in closed windows, or it has none."""
        if self.is_done:
            return self.seconds_heard
        return self._ended[0].start if self._ended else self._cutter.settled_seconds

    @property
    def lag(self) -> float:
        """Seconds of speech that were heard and that no read has covered yet; silence isn't counted."""
        spans = (span for window in self._ended for span in window.speech)
        ended = sum(max(0.0, end - max(start, self._read_until)) for start, end in spans)
        return ended + self._cutter.unread(self._read_until)

    @property
    def is_done(self) -> bool:
        """`finish` was called and all is final."""
        return self._is_finished and not self._ended

    def _due(self) -> Window | None:
        window = self._cutter.gathered()
        if window is None:
            return None
        fresh = window.speech[-1][1] - max(self._read_until, window.speech[0][0])
        wanted = max(self._apart_seconds, GROWTH * (window.end - window.start))
        return window if fresh >= (PAUSE_SHARE * wanted if _is_whole(window) else wanted) else None

    def _work(self, window: Window, *, is_final: bool) -> Work:
        return Work(next(self._numbers), window.start, as_floats(window.samples), is_final, window.speech)

    def _interim(self, work: Work, result: Result) -> Iterator[Delta]:
        # A cut may still be made behind these seconds, and words behind a cut belong to the next utterance.
        may_settle = work.end - work.start <= SETTLED_SECONDS
        words, is_whole = all_words(result), _is_whole(work)
        read = self._agreement.hear(words, until=work.end, may_settle=may_settle, is_whole=is_whole)
        if read.settled:
            yield self._final(text_of(read.settled), read.settled)
        if (text := text_of(read.open)) != self._shown:
            yield self._show(text, read.open, until=work.end)

    def _close(self, result: Result) -> Heard:
        window = self._ended.popleft()
        parts = self._agreement.end(result.segments)
        self._agreement = Agreement(self._rules)
        deltas = [self._final(part.text, part.words or (part.segment,)) for part in parts if part.text]
        if self._shown:
            deltas.append(self._show("", (), until=window.end))
        self._final_until = max(self._final_until, window.end)
        segments = tuple(part.segment for part in parts)
        told = (result.language, result.language_probability)
        return Heard(tuple(deltas), Closed(window.start, window.end, window.speech, segments, *told))

    def _final(self, text: str, said: Sequence[Word | Segment]) -> Delta:
        delta = _delta(text, said, is_final=True, after=self._final_until, until=said[-1].end)
        self._final_until, self._shown = delta.end, ""
        return delta

    def _show(self, text: str, said: Sequence[Word], *, until: float) -> Delta:
        self._shown = text
        return _delta(text, said, is_final=False, after=self._final_until, until=until)


def _is_whole(part: Window | Work) -> bool:
    """Whether it ends in silence, so that its last word is none that was cut."""
    return part.end - part.speech[-1][1] >= PAUSE_SECONDS


def _delta(text: str, said: Sequence[Word | Segment], *, is_final: bool, after: float, until: float) -> Delta:
    """Times of different reads of the same words differ a little: none goes back behind what is final."""
    start = max(after, said[0].start) if said else after
    known = [each.probability for each in said if each.probability is not None]
    words = tuple(each for each in said if isinstance(each, Word))
    return Delta(text, is_final, start, max(start, until), sum(known) / len(known) if known else 0.0, words)


def _placed(segment: Segment, work: Work) -> Segment:
    """On the session's clock, and inside of what was read, whatever an engine says."""
    moved = segment.shifted(work.start)
    return replace(_inside(moved, work), words=tuple(_inside(word, work) for word in moved.words))


def _inside(each: Spoken, work: Work) -> Spoken:
    start = min(max(work.start, each.start), work.end)
    return replace(each, start=start, end=min(max(start, each.end), work.end))
