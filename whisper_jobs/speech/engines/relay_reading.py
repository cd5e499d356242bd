"""What a server that speaks OpenAI's audio protocol answers, as a Result: `verbose_json` with times, or `json` without.

It comes from outside, so that anything may stand in it: what makes no sense is left out, times are put into the window.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from whisper_jobs.errors import JobError
from whisper_jobs.media.naming import plain_text
from whisper_jobs.speech.engines.base import Result
from whisper_jobs.speech.languages import normalise
from whisper_jobs.speech.transcript import Decoding, Segment, Word


def read(body: str, *, seconds: float) -> Result:
    """`seconds` is how long the window is. Raises ValueError or RecursionError for what is no transcription."""
    told = json.loads(body)
    if not isinstance(told, dict) or not isinstance(told.get("text"), str):
        raise ValueError("this is no transcription")
    return Result(tuple(_segments(told, seconds)), _language(told.get("language")))


def _segments(told: dict[str, Any], seconds: float) -> Iterator[Segment]:
    words = sorted(_words(told.get("words"), seconds), key=lambda word: word.start)
    found = sorted(_timed(told.get("segments"), seconds), key=lambda segment: (segment.start, segment.end))
    if not found and (text := _text(told["text"])):
        found = [_whole(text, words, seconds)]
    for segment, own in zip(found, _dealt(words, found), strict=True):
        yield _with(segment, [*segment.words, *own])


def _timed(told: Any, seconds: float) -> Iterator[Segment]:
    """The segments that say when they are; some servers give each its words, others all of them beside the segments."""
    for each in _objects(told):
        span, text = _span(each, seconds), _text(each.get("text"))
        if span is not None and text:
            words = tuple(_words(each.get("words"), seconds))
            decoding = _decoding(each)
            yield Segment(*span, text, words, probability=_probability(decoding.avg_logprob), decoding=decoding)


def _whole(text: str, words: Sequence[Word], seconds: float) -> Segment:
    """One segment where the server tells no times of any, or of words alone."""
    if words:
        return Segment(words[0].start, max(word.end for word in words), text)
    return Segment(0.0, seconds, text)


def _dealt(words: Iterable[Word], segments: Sequence[Segment]) -> list[list[Word]]:
    """Each word to the segment that its middle lies in, or nearest to."""
    dealt: list[list[Word]] = [[] for _ in segments]
    for word in words:
        middle = (word.start + word.end) / 2
        away = [max(segment.start - middle, middle - segment.end, 0.0) for segment in segments]
        if away:
            dealt[away.index(min(away))].append(word)
    return dealt


def _with(segment: Segment, words: Sequence[Word]) -> Segment:
    """With these words, inside the segment, and written as its text writes them: many servers tell them bare."""
    written = segment.text.split()
    if len(written) == len(words):
        words = [replace(word, text=text) for word, text in zip(words, written, strict=True)]
    inside = (
        replace(
            word,
            start=_within(word.start, segment.start, segment.end),
            end=_within(word.end, segment.start, segment.end),
        )
        for word in words
    )
    return replace(segment, words=tuple(inside))


def _words(told: Any, seconds: float) -> Iterator[Word]:
    for each in _objects(told):
        span, text = _span(each, seconds), _text(each.get("word", each.get("text")))
        if span is not None and text:
            probability = _number(each.get("probability"))
            yield Word(*span, text, None if probability is None else _within(probability, 0.0, 1.0))


def _objects(told: Any) -> Iterator[dict[str, Any]]:
    yield from (each for each in (told if isinstance(told, list) else ()) if isinstance(each, dict))


def _span(told: dict[str, Any], seconds: float) -> tuple[float, float] | None:
    """Start and end inside the window; None for what says neither, or lies behind its end."""
    start, end = _number(told.get("start")), _number(told.get("end"))
    if start is None or end is None or start >= seconds:
        return None
    start = _within(start, 0.0, seconds)
    return start, _within(end, start, seconds)


def _decoding(told: dict[str, Any]) -> Decoding:
    names = ("temperature", "avg_logprob", "compression_ratio", "no_speech_prob")
    return Decoding(**{name: _number(told.get(name)) for name in names})


def _probability(avg_logprob: float | None) -> float | None:
    return None if avg_logprob is None else math.exp(min(0.0, avg_logprob))


def _language(told: Any) -> str | None:
    """Servers tell it as a name or as a code; one that is not known here is as good as none."""
    try:
        return normalise(told) if isinstance(told, str) else None
    except JobError:
        return None


def _text(told: Any) -> str:
    """Spaces of every kind, which plain_text would take out, part words."""
    return plain_text(" ".join(told.split())).strip() if isinstance(told, str) else ""


def _number(told: Any) -> float | None:
    if isinstance(told, bool) or not isinstance(told, int | float):
        return None
    try:
        number = float(told)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _within(number: float, least: float, most: float) -> float:
    return min(max(number, least), most)
