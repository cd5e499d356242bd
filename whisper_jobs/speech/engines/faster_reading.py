"""Reads windows with a loaded Whisper model of CTranslate2, many at once. Called by the faster-whisper engine alone.

What the library itself offers reads one long recording window by window, or many windows once without their times and without a
second try. This is openai-whisper's procedure (transcribe.py: decode, fall back, split at time marks, go on behind the last
one) for a batch of windows that don't know each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines.base import Options, Samples
from whisper_jobs.speech.engines.tidying import terms_of, text_of

Made = TypeVar("Made")
Features = npt.NDArray[np.float32]

FRAMES_PER_SECOND = 100
#: Each window starts anew with the first; a higher one is tried when the text repeats itself or is improbable.
TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
BEAM_SIZE = 5
BEST_OF = 5
#: openai-whisper's: more than this much shorter when packed, or less probable, and the text is taken to be wrong, ...
MOST_COMPRESSION, LEAST_LOGPROB = 2.4, -1.0
#: ... unless the model says that nobody speaks: then another try would only make up more.
NO_SPEECH_PROB = 0.6
#: What is left of a window behind its last words is read as well if it is this long.
LEAST_REST_FRAMES = 1 * FRAMES_PER_SECOND
#: The first time mark of a text lies within the first second, as in openai-whisper.
FIRST_MARK = 50
#: Half of the model's 448 tokens are for the text; the prompt must fit into the rest with what begins a text.
MOST_PROMPT_TOKENS = 219
SECONDS_BETWEEN_QUESTIONS = 0.25
#: Windows of a batch are this far apart on the library's clock, so that it takes none for the neighbour of another.
APART_SECONDS = 1000
#: openai-whisper's, which the library keeps as default values.
_OPENING, _CLOSING = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"


@dataclass(slots=True)
class Window:
    """`features` up to the end of its sound; `read` frames of them are done; `found` as openai-whisper's segments."""

    features: Features
    read: int = 0
    found: list[dict[str, Any]] = field(default_factory=list)

    @property
    def frames(self) -> int:
        return int(self.features.shape[-1])


@dataclass(frozen=True, slots=True)
class _Decoded:
    tokens: list[int]
    temperature: float
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float

    @property
    def is_doubtful(self) -> bool:
        if self.no_speech_prob > NO_SPEECH_PROB and self.avg_logprob < LEAST_LOGPROB:
            return False
        return self.compression_ratio > MOST_COMPRESSION or self.avg_logprob < LEAST_LOGPROB

    @property
    def rank(self) -> tuple[bool, float]:
        """Of doubtful ones the more probable is better, after those that don't repeat themselves."""
        return self.compression_ratio <= MOST_COMPRESSION, self.avg_logprob


def patiently(work: Callable[[Event], Made], should_stop: Callable[[], bool]) -> Made:
    """What `work` returns. It runs beside, since the library can't be interrupted; when it is to stop it is left to itself.

    The event that it gets is then set: it ends at the next call of the library. Raises JobError `cancelled`.
    """
    made: Future[Made] = Future()
    left = Event()
    Thread(target=_settle, args=(made, work, left), name="ctranslate2", daemon=True).start()
    while True:
        try:
            return made.result(timeout=SECONDS_BETWEEN_QUESTIONS)
        except NotYet:
            if made.done():
                raise
            if should_stop():
                left.set()
                raise JobError("cancelled") from None


def _settle(made: Future[Made], work: Callable[[Event], Made], left: Event) -> None:
    try:
        made.set_result(work(left))
    except BaseException as error:
        made.set_exception(error)


def features_of(model: Any, samples: Samples) -> Features:
    """The log-mel spectrogram up to the end of the sound, at least one frame."""
    shortest = model.feature_extractor.n_fft
    padded = np.pad(samples, (0, max(0, shortest - len(samples))))
    features: Features = model.feature_extractor(padded)[..., :-1].astype(np.float32)
    return features


def encode(model: Any, windows: Sequence[Window], frames: int) -> Any:
    """What the encoder makes of what is not yet read of each window, as a batch."""
    return model.encode(np.stack([_filled(window.features[:, window.read :], frames) for window in windows]))


def _filled(features: Features, frames: int) -> Features:
    """With silence to the length that the model expects.

    As loud as openai-whisper makes it, which the model has learnt: 8 decades below the loudest, but not below 1e-10.
    """
    rest = frames - features.shape[-1]
    if rest <= 0:
        return features[:, :frames]
    silence = max(float(features.max()) - 2.0, -1.5) if features.size else -1.5
    return np.pad(features, ((0, 0), (0, rest)), constant_values=silence)


class Reader:
    """Reads windows of one language. `frames` is the length to which they are filled."""

    def __init__(self, model: Any, options: Options, left: Event, *, language: str, frames: int) -> None:
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import get_suppressed_tokens

        self._model, self._options, self._left, self._frames = model, options, left, frames
        self._tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, options.task, language)
        self._suppressed = get_suppressed_tokens(self._tokenizer, [-1])
        self._prompt = self._make_prompt()

    def read(self, windows: Sequence[Window], encoded: Any) -> None:
        """Fills `found` of each. `encoded`: what `encode` made of all of them."""
        pending = list(windows)
        while pending:
            if encoded is None:
                encoded = self._encode(pending)
            decoded = self._decode(pending, encoded)
            pending = self._take(pending, decoded, encoded)
            encoded = None

    def _encode(self, windows: Sequence[Window]) -> Any:
        self._end_if_left()
        return encode(self._model, windows, self._frames)

    def _end_if_left(self) -> None:
        if self._left.is_set():
            raise JobError("cancelled")

    def _make_prompt(self) -> list[int]:
        """The terms come first and get half of the room; of the text before, the end counts."""
        tokens, told = self._tokenizer, (terms_of(self._options), text_of(self._options))
        terms, text = (tokens.encode(f" {each}") if each else [] for each in told)
        terms = terms[: MOST_PROMPT_TOKENS if not text else MOST_PROMPT_TOKENS // 2]
        before = [*terms, *text[-(MOST_PROMPT_TOKENS - len(terms)) :]]
        return [*([tokens.sot_prev] if before else []), *before, *tokens.sot_sequence]

    def _decode(self, windows: Sequence[Window], encoded: Any) -> list[_Decoded]:
        """The text of each; those that are doubtful are decoded again, together, at the next temperature."""
        best: list[_Decoded | None] = [None] * len(windows)
        open_places, held = list(range(len(windows))), encoded
        for temperature in self._options.temperatures or TEMPERATURES:
            if held is None:
                held = self._encode([windows[place] for place in open_places])
            for place, decoded in zip(open_places, self._generate(held, len(open_places), temperature), strict=True):
                other = best[place]
                if other is None or not decoded.is_doubtful or decoded.rank > other.rank:
                    best[place] = decoded
            still = [place for place in open_places if _settled(best[place]).is_doubtful]
            held = held if len(still) == len(open_places) else None
            open_places = still
            if not open_places:
                break
        return [_settled(each) for each in best]

    def _generate(self, encoded: Any, count: int, temperature: float) -> list[_Decoded]:
        self._end_if_left()
        search = (
            {"beam_size": 1, "num_hypotheses": BEST_OF, "sampling_topk": 0, "sampling_temperature": temperature}
            if temperature > 0
            else {"beam_size": BEAM_SIZE}
        )
        results = self._model.model.generate(
            encoded,
            [self._prompt] * count,
            max_length=self._model.max_length,
            max_initial_timestamp_index=FIRST_MARK,
            suppress_tokens=self._suppressed,
            return_scores=True,
            return_no_speech_prob=True,
            **search,
        )
        return [self._decoded(result, temperature) for result in results]

    def _decoded(self, result: Any, temperature: float) -> _Decoded:
        from faster_whisper.transcribe import get_compression_ratio

        tokens = list(result.sequences_ids[0])
        text = self._tokenizer.decode(tokens).strip()
        # The score is a mean over the tokens; openai-whisper counts the end of the text as one more.
        logprob = result.scores[0] * len(tokens) / (len(tokens) + 1)
        return _Decoded(tokens, temperature, logprob, get_compression_ratio(text), result.no_speech_prob)

    def _take(self, windows: Sequence[Window], decoded: Sequence[_Decoded], encoded: Any) -> list[Window]:
        """Stores the segments with the times of their words; the windows of which more is to be read."""
        clocks = [(place + 1) * APART_SECONDS for place in range(len(windows))]
        parts = [self._split(*each) for each in zip(windows, decoded, clocks, strict=True)]
        lengths = [window.frames - window.read for window in windows]
        segments = [found for found, _next, _ended in parts]
        self._model.add_word_timestamps(segments, self._tokenizer, encoded, lengths, _OPENING, _CLOSING, 0.0)
        further = []
        for window, each, clock, (found, behind, ended) in zip(windows, decoded, clocks, parts, strict=True):
            window.found += [self._segment(one, each, clock) for one in found]
            read = window.frames if ended else _behind_last_word(window, behind)
            if read > window.read and window.frames - read >= LEAST_REST_FRAMES:
                further.append(window)
            window.read = read
        return further

    def _split(self, window: Window, decoded: _Decoded, clock: int) -> tuple[list[dict[str, Any]], int, bool]:
        """Segments between the marks, the frame of the window to go on at, and whether the text says that it is all."""
        at = clock * FRAMES_PER_SECOND + window.read
        found, behind, ended = self._model._split_segments_by_timestamps(
            tokenizer=self._tokenizer,
            tokens=decoded.tokens,
            time_offset=at / FRAMES_PER_SECOND,
            segment_size=window.frames - window.read,
            segment_duration=(window.frames - window.read) / FRAMES_PER_SECOND,
            seek=at,
        )
        return found, behind - clock * FRAMES_PER_SECOND, ended

    def _segment(self, found: dict[str, Any], decoded: _Decoded, clock: int) -> dict[str, Any]:
        def moved(part: dict[str, Any]) -> dict[str, Any]:
            """By the clock; what that subtraction adds behind the hundredths is no part of the time."""
            return {**part, "start": round(part["start"] - clock, 3), "end": round(part["end"] - clock, 3)}

        return {
            **moved(found),
            "text": self._tokenizer.decode(found["tokens"]),
            "words": [moved(word) for word in found["words"]],
            "temperature": decoded.temperature,
            "avg_logprob": decoded.avg_logprob,
            "compression_ratio": decoded.compression_ratio,
            "no_speech_prob": decoded.no_speech_prob,
        }


def _settled(decoded: _Decoded | None) -> _Decoded:
    assert decoded is not None
    return decoded


def _behind_last_word(window: Window, behind: int) -> int:
    """Words end where they are heard to end, which says more than a mark that may lie behind silence."""
    ends = [word["end"] for segment in window.found for word in segment["words"]]
    last = round(ends[-1] * FRAMES_PER_SECOND) if ends else 0
    return last if last > window.read else behind
