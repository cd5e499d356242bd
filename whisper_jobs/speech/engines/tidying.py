"""What Whisper engines have in common: their prompt, and segments as the rest of the project takes them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from whisper_jobs.speech.engines.base import Options
from whisper_jobs.speech.transcript import Decoding, Segment, Word

Found = Mapping[str, Any]


def prompt_of(options: Options) -> str:
    """What the model is told that came before, for a library that knows no hotwords: the terms, then the text asked for."""
    return " ".join(part for part in (terms_of(options), text_of(options)) if part)


def terms_of(options: Options) -> str:
    return _plain(f"{', '.join(options.hotwords)}.") if options.hotwords else ""


def text_of(options: Options) -> str:
    return _plain(options.initial_prompt.strip())


def _plain(text: str) -> str:
    """Whisper's own signs, such as `<|endoftext|>`, are words when people write them: a library obeys them, or fails."""
    return text.replace("<|", "< |")


def tidy(found: Iterable[Found], *, duration: float) -> tuple[Segment, ...]:
    """The segments that have text, in order and inside `duration` seconds: the libraries pad to 30 s and may speak on there.

    `found` has the keys of openai-whisper: start, end, text, avg_logprob, compression_ratio, no_speech_prob, temperature, and
    words with start, end, word, probability.
    """
    return tuple(_segments(found, duration))


def _segments(found: Iterable[Found], duration: float) -> Iterator[Segment]:
    position = 0.0
    for each in found:
        start = min(max(position, float(each["start"])), duration)
        end = min(float(each["end"]), duration)
        text = _text(each["text"])
        if not text or end <= start:
            continue
        position = start
        words = tuple(_words(each.get("words") or (), start=start, end=end))
        decoding = _decoding(each)
        probability = None if decoding.avg_logprob is None else math.exp(min(0.0, decoding.avg_logprob))
        yield Segment(start, end, text, words, probability=probability, decoding=decoding)


def _words(found: Iterable[Found], *, start: float, end: float) -> Iterator[Word]:
    position = start
    for each in found:
        word_start = min(max(position, float(each["start"])), end)
        word_end = min(max(word_start, float(each["end"])), end)
        if text := _text(each["word"]):
            probability = _number(each["probability"])
            yield Word(word_start, word_end, text, None if probability is None else min(1.0, probability))
        position = word_end


def _decoding(each: Found) -> Decoding:
    names = ("temperature", "avg_logprob", "compression_ratio", "no_speech_prob")
    return Decoding(**{name: _number(each[name]) for name in names})


def _number(told: Any) -> float | None:
    """None for NaN, which a model gives when its arithmetic is too coarse, and no database stores as JSON."""
    number = float(told)
    return number if math.isfinite(number) else None


def _text(told: str) -> str:
    """One of a model's tokens is NUL, which PostgreSQL has no text with."""
    return told.replace("\0", "").strip()
