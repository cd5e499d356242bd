"""Transcript → text of a file, piece by piece, so that a download of ten hours needs no memory.

FORMATS is the table of everything that can be downloaded; called by views, the command line and the dialects.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from whisper_jobs.speech.transcript import Paragraph, ParagraphBuilder, Segment, Transcript, Word, paragraphs


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    extension: str
    content_type: str
    render: Callable[[Transcript], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Cue:
    """A caption with whole milliseconds: `end_ms` > `start_ms`, and starts never go back."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    speaker: str | None


def render_txt(transcript: Transcript) -> Iterator[str]:
    between = ""
    for paragraph in paragraphs(transcript.segments):
        speaker = f"{_one_line(paragraph.speaker)}: " if paragraph.speaker else ""
        yield f"{between}{speaker}{paragraph.text}\n"
        between = "\n"


def render_srt(transcript: Transcript) -> Iterator[str]:
    for number, cue in enumerate(_cues(transcript), start=1):
        # An arrow in the text would be read as a line of times.
        text = "\n".join(cue.lines).replace("-->", "→")
        speaker = f"{_one_line(cue.speaker)}: ".replace("-->", "→") if cue.speaker else ""
        yield f"{number}\n{clock(cue.start_ms, ',')} --> {clock(cue.end_ms, ',')}\n{speaker}{text}\n\n"


def render_vtt(transcript: Transcript) -> Iterator[str]:
    yield "WEBVTT\n\n"
    for cue in _cues(transcript):
        voice = f"<v {_escape(_one_line(cue.speaker))}>" if cue.speaker else ""
        text = _escape("\n".join(cue.lines))
        yield f"{clock(cue.start_ms, '.')} --> {clock(cue.end_ms, '.')}\n{voice}{text}\n\n"


def render_json(transcript: Transcript) -> Iterator[str]:
    """One object; its text comes last because it is known only when the last segment has been read."""
    language, duration = _dumps(transcript.language), _dumps(_rounded(transcript.duration))
    yield f'{{"language": {language}, "duration": {duration}, "segments": ['
    builder = ParagraphBuilder()
    read: list[Paragraph | None] = []
    for number, segment in enumerate(transcript.segments):
        read.append(builder.add(segment))
        yield ("," if number else "") + "\n" + _dumps(_segment(number, segment))
    read.append(builder.finish())
    text = _dumps("\n\n".join(paragraph.text for paragraph in read if paragraph))
    yield f'\n], "text": {text}}}\n'


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format("txt", ".txt", "text/plain; charset=utf-8", render_txt),
        Format("srt", ".srt", "application/x-subrip; charset=utf-8", render_srt),
        Format("vtt", ".vtt", "text/vtt; charset=utf-8", render_vtt),
        Format("json", ".json", "application/json", render_json),
    )
}


def clock(milliseconds: int, decimal_mark: str = ".") -> str:
    """`HH:MM:SS.mmm`; hours take as many digits as they need."""
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{decimal_mark}{milliseconds:03}"


def _cues(transcript: Transcript) -> Iterator[Cue]:
    earliest = 0
    for segment in transcript.segments:
        lines = tuple(filter(None, map(_one_line, segment.text.splitlines())))
        if not lines:
            continue
        start = max(earliest, _milliseconds(segment.start))
        yield Cue(start, max(start + 1, _milliseconds(segment.end)), lines, segment.speaker)
        earliest = start


def _milliseconds(seconds: float) -> int:
    """Rounded before it is split into a clock: 59.9996 s is one minute, not 59.1000."""
    return round(seconds * 1000)


def _one_line(text: str) -> str:
    return " ".join(text.replace("\0", "").split())


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    speaker = {"speaker": segment.speaker} if segment.speaker else {}
    times = {"id": number, "start": _rounded(segment.start), "end": _rounded(segment.end)}
    return {**times, "text": segment.text, **speaker, "words": [_word(word) for word in segment.words]}


def _word(word: Word) -> dict[str, Any]:
    times = {"word": word.text, "start": _rounded(word.start), "end": _rounded(word.end)}
    return {**times, "probability": _rounded(word.probability, 4)}


def _rounded(value: float | None, digits: int = 3) -> float | None:
    """NaN and infinity are no JSON."""
    return round(value, digits) if value is not None and math.isfinite(value) else None


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
