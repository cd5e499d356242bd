"""Watches over what an engine says: repeats, words over silence and guesses are tried once more, then kept and marked.

Called by the pipeline in the place of `engine.transcribe`. Words are left out only where neither the voice detector nor the
model heard speech, and that is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from whisper_jobs.errors import JobError
from whisper_jobs.speech.credits import is_credit, is_farewell
from whisper_jobs.speech.engines.base import Engine, Options, Result, Samples
from whisper_jobs.speech.loops import MOST_COMPRESSION, looping
from whisper_jobs.speech.transcript import Decoding, Segment, Suspicion, Word

#: Start and end, seconds from the window's first sample.
Span = tuple[float, float]

#: openai-whisper's thresholds: text less probable than the first failed, and above the second the model hears no speech.
LOWEST_LOGPROB, MOST_NO_SPEECH = -1.0, 0.6
#: A window that is tried once more: without a prompt, which may have led the model astray, and with some chance.
RETRY_TEMPERATURES = (0.4, 0.8)
#: Soft consonants are no voice, and word times are about this exact.
MARGIN_SECONDS = 0.3
#: Nobody speaks faster. Characters that stand for syllables count as three letters.
MOST_LETTERS_PER_SECOND, LETTERS_PER_SYLLABLE = 45.0, 3
FEWEST_LETTERS_TO_TIME = 12
#: Shorter words are no sound at all; when most words of a segment are, its times are invented.
SHORTEST_WORD_SECONDS, FEWEST_WORDS_TO_TIME = 0.03, 4
#: Text below this mean probability of its words, where the detector heard nothing, is improbable.
LOWEST_PROBABILITY = 0.3
FEWEST_PROMPT_WORDS = 4


@dataclass(frozen=True, slots=True)
class Judged:
    """A result whose segments are marked, and the words that are not in it any more."""

    result: Result
    left_out: tuple[str, ...] = ()

    @property
    def is_suspect(self) -> bool:
        return any(segment.suspect for segment in self.result.segments)

    @property
    def letters(self) -> int:
        return sum(_letters(segment.text) for segment in self.result.segments)

    @property
    def trusted_letters(self) -> int:
        return sum(_letters(segment.text) for segment in self.result.segments if segment.suspect is None)

    @property
    def badness(self) -> tuple[bool, float, float]:
        """Repeats are worst, then the share of the text that is suspicious, then how improbable it is."""
        segments = self.result.segments
        known = [
            each.decoding.avg_logprob for each in segments if each.decoding and each.decoding.avg_logprob is not None
        ]
        improbable = -sum(known) / len(known) if known else 0.0
        return (
            any(s.suspect == "repeats" for s in segments),
            1 - self.trusted_letters / max(1, self.letters),
            improbable,
        )


def guarded(
    engine: Engine, windows: Sequence[Samples], options: Options, *, speech: Sequence[Sequence[Span]]
) -> list[Result]:
    """What the engine says of the windows, one result each, with `Segment.suspect` set where it may be wrong.

    `speech` has, per window, the spans in which the voice detector heard speech. Raises JobError as the engine does.
    """
    heard = engine.transcribe(windows, options)
    first = [judge(result, spans, prompt=_prompt(options)) for result, spans in zip(heard, speech, strict=True)]
    better = _tried_again(engine, windows, options, first=first, speech=speech)
    for judged in better:
        if judged.left_out:
            words = " ".join(judged.left_out)
            options.tell(f"Words were left out where neither the voice detector nor the model hears speech: “{words}”.")
    return [judged.result for judged in better]


def judge(result: Result, speech: Sequence[Span], *, prompt: str = "") -> Judged:
    """One window's result: its segments marked, without the words that nobody said. Pure."""
    heard = [_without_unheard(segment, speech) for segment in result.segments]
    kept = [segment for segment, _ in heard if segment is not None]
    repeating = looping([segment.text for segment in kept])
    marked = tuple(
        replace(segment, suspect=_suspicion(segment, speech, repeats=index in repeating, prompt=prompt))
        for index, segment in enumerate(kept)
    )
    return Judged(replace(result, segments=marked), tuple(word for _, words in heard for word in words))


def _tried_again(
    engine: Engine,
    windows: Sequence[Samples],
    options: Options,
    *,
    first: list[Judged],
    speech: Sequence[Sequence[Span]],
) -> list[Judged]:
    """Suspicious windows once more with other settings; of the two attempts the better one. A draft engine has no others."""
    again = [index for index, judged in enumerate(first) if judged.is_suspect]
    if not again or engine.quality == "draft":
        return first
    other = replace(options, initial_prompt="", hotwords=(), temperatures=RETRY_TEMPERATURES)
    try:
        results = engine.transcribe([windows[index] for index in again], other)
    except JobError as error:
        if error.code == "cancelled":
            raise
        return first  # suspicious words are better than none
    best = list(first)
    for index, result in zip(again, results, strict=True):
        second = judge(result, speech[index])
        best[index] = second if _is_better(second, first[index]) else first[index]
    return best


def _is_better(second: Judged, first: Judged) -> bool:
    """Never when it lost what the first had: saying nothing is not suspicious, but not better either."""
    if not second.letters or second.letters * 2 < first.trusted_letters:
        return False
    return second.badness < first.badness


def _suspicion(segment: Segment, speech: Sequence[Span], *, repeats: bool, prompt: str) -> Suspicion | None:
    decoding = segment.decoding or Decoding()
    if repeats or (decoding.compression_ratio or 0.0) > MOST_COMPRESSION:
        return "repeats"
    improbable = decoding.avg_logprob is not None and decoding.avg_logprob < LOWEST_LOGPROB
    if not _heard(segment, speech):
        if improbable or _doubts(segment) or is_credit(segment.text) or is_farewell(segment.text):
            return "no_speech"
    elif is_credit(segment.text):
        return "no_speech"
    if improbable or _is_too_fast(segment) or _echoes(segment.text, prompt):
        return "unsure"
    return segment.suspect


def _without_unheard(segment: Segment, speech: Sequence[Span]) -> tuple[Segment | None, tuple[str, ...]]:
    """Without the words over silence, if the model says as well that it heard no speech; and those words."""
    if not _calls_no_speech(segment.decoding or Decoding()):
        return segment, ()
    if not segment.words:
        return (segment, ()) if _heard(segment, speech) else (None, (segment.text,))
    kept = tuple(word for word in segment.words if _touches(word, speech))
    left_out = tuple(word.text for word in segment.words if not _touches(word, speech))
    if not left_out:
        return segment, ()
    return (segment.of_words(kept) if kept else None), left_out


def _heard(segment: Segment, speech: Sequence[Span]) -> bool:
    """Whether the detector heard speech under any part of it."""
    return any(_touches(each, speech) for each in segment.words or (segment,))


def _touches(each: Segment | Word, speech: Sequence[Span]) -> bool:
    return any(each.start < end + MARGIN_SECONDS and each.end > start - MARGIN_SECONDS for start, end in speech)


def _calls_no_speech(decoding: Decoding) -> bool:
    return decoding.no_speech_prob is not None and decoding.no_speech_prob > MOST_NO_SPEECH


def _doubts(segment: Segment) -> bool:
    """Whether the engine itself thinks little of it."""
    doubtful = segment.probability is not None and segment.probability < LOWEST_PROBABILITY
    return doubtful or _calls_no_speech(segment.decoding or Decoding())


def _is_too_fast(segment: Segment) -> bool:
    """More letters than anybody can say in the time, or most words without any."""
    letters = _letters(segment.text)
    if letters >= FEWEST_LETTERS_TO_TIME and letters > MOST_LETTERS_PER_SECOND * (segment.end - segment.start):
        return True
    squeezed = sum(word.end - word.start < SHORTEST_WORD_SECONDS for word in segment.words)
    return len(segment.words) >= FEWEST_WORDS_TO_TIME and squeezed * 2 > len(segment.words)


def _letters(text: str) -> int:
    """Letters, with those that stand for a whole syllable or more counted as several."""
    return sum(LETTERS_PER_SYLLABLE if letter >= "\u3000" else 1 for letter in text if letter.isalnum())


def _prompt(options: Options) -> str:
    return " ".join((*options.hotwords, options.initial_prompt))


def _echoes(text: str, prompt: str) -> bool:
    """The prompt instead of what was said; heard again without it, it stands."""
    said = _bare(text)
    return len(said) >= FEWEST_PROMPT_WORDS and f" {' '.join(said)} " in f" {' '.join(_bare(prompt))} "


def _bare(text: str) -> list[str]:
    return ["".join(filter(str.isalnum, word)) for word in text.casefold().split()]
