"""JSON: our own, which loses nothing, and OpenAI's verbose_json."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from whisper_jobs.speech.formats.options import FormatOptions
from whisper_jobs.speech.languages import LANGUAGES
from whisper_jobs.speech.running_text import RunningText
from whisper_jobs.speech.transcript import Decoding, Paragraph, ParagraphBuilder, Segment, Transcript, Word

Json = dict[str, Any]


class _Text:
    """The whole text, gathered while segments go by."""

    def __init__(self) -> None:
        self._builder = ParagraphBuilder()
        self._read: list[Paragraph | None] = []

    def add(self, segment: Segment) -> None:
        self._read.append(self._builder.add(segment))

    def joined(self, between: str) -> str:
        self._read.append(self._builder.finish())
        return between.join(paragraph.text for paragraph in self._read if paragraph)


def render_json(transcript: Transcript, options: FormatOptions) -> Iterator[str]:
    """One object; its text comes last because it is known only when the last segment has been read."""
    language, duration = _dumps(transcript.language), _dumps(_rounded(transcript.duration))
    yield f'{{"language": {language}, "duration": {duration}, "segments": ['
    text = _Text()
    for number, segment in enumerate(transcript.segments):
        text.add(segment)
        yield ("," if number else "") + "\n" + _dumps(_segment(number, segment, options))
    notes = "" if transcript.notes is None else f' "notes": {_dumps([asdict(note) for note in transcript.notes])},'
    yield f'\n],{notes} "text": {_dumps(text.joined(chr(10) * 2))}}}\n'


def _segment(number: int, segment: Segment, options: FormatOptions) -> Json:
    speaker = {"speaker": segment.speaker} if segment.speaker and options.speakers else {}
    suspect = {"suspect": segment.suspect} if segment.suspect else {}
    times = {"id": number, "start": _rounded(segment.start), "end": _rounded(segment.end)}
    words = [_word(word) for word in segment.words]
    return {**times, "text": segment.text, **speaker, **suspect, "words": words}


def _word(word: Word) -> Json:
    times = {"word": word.text, "start": _rounded(word.start), "end": _rounded(word.end)}
    return {**times, "probability": _rounded(word.probability, 4)}


def render_verbose_json(transcript: Transcript, options: FormatOptions) -> Iterator[str]:
    return verbose_json(transcript)


def verbose_json(
    transcript: Transcript, *, segments: bool = True, words: bool = True, more: Json | None = None
) -> Iterator[str]:
    """The keys of OpenAI's `TranscriptionVerbose` (https://platform.openai.com/docs/api-reference/audio/verbose-json-object).

    All of them, with a value of their type: tokens are not kept, so there are none; what an engine doesn't tell is 0.
    `more` comes at the end.
    """
    language = LANGUAGES.get(transcript.language or "", transcript.language or "").lower()
    head = {"task": transcript.task, "language": language, "duration": _rounded(transcript.duration) or 0.0}
    yield _dumps(head)[:-1] + (', "segments": [' if segments else "")
    text, spoken = RunningText(), list[str]()
    for number, segment in enumerate(transcript.segments):
        text.add(segment.text)
        spoken += [_dumps(_verbose_word(word)) for word in segment.words if words]
        if segments:
            yield ("," if number else "") + "\n" + _dumps(verbose_segment(number, segment))
    yield "\n]" if segments else ""
    if words:
        # Not in one string, which would hold all of them once more.
        yield ', "words": ['
        yield from (("," if number else "") + "\n" + word for number, word in enumerate(spoken))
        yield "]"
    yield f", {_dumps({'text': text.text, **(more or {})})[1:]}\n"


def verbose_segment(number: int, segment: Segment) -> Json:
    decoding = segment.decoding or Decoding()
    return {
        "id": number,
        # Frames of 10 ms, as openai-whisper counts.
        "seek": round(segment.start * 100),
        "start": _rounded(segment.start),
        "end": _rounded(segment.end),
        "text": segment.text,
        "tokens": [],
        "temperature": _rounded(decoding.temperature, 2) or 0.0,
        "avg_logprob": _rounded(_logarithm(segment, decoding), 4) or 0.0,
        "compression_ratio": _rounded(_ratio(segment, decoding), 4) or 0.0,
        "no_speech_prob": _rounded(decoding.no_speech_prob, 6) or 0.0,
    }


def _logarithm(segment: Segment, decoding: Decoding) -> float | None:
    """Where the engine has none, that of the segment's probability."""
    if decoding.avg_logprob is not None:
        return decoding.avg_logprob
    probability = segment.probability
    return math.log(probability) if probability is not None and 0 < probability <= 1 else None


def _ratio(segment: Segment, decoding: Decoding) -> float:
    """Bytes of the text ÷ bytes when compressed, as openai-whisper's utils.compression_ratio."""
    if decoding.compression_ratio is not None:
        return decoding.compression_ratio
    text = segment.text.encode("utf-8", "replace")
    return len(text) / len(zlib.compress(text))


def _verbose_word(word: Word) -> Json:
    return {"word": word.text, "start": _rounded(word.start), "end": _rounded(word.end)}


def _rounded(value: float | None, digits: int = 3) -> float | None:
    """NaN and infinity are no JSON."""
    return round(value, digits) if value is not None and math.isfinite(value) else None


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
