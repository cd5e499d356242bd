"""What documents to read have in common: a head with title and facts, and paragraphs with clock and speaker."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from whisper_jobs.speech.formats.clocks import short_clock
from whisper_jobs.speech.formats.options import FormatOptions
from whisper_jobs.speech.pieces import clean
from whisper_jobs.speech.transcript import Paragraph, Transcript, paragraphs


@dataclass(frozen=True, slots=True)
class Document:
    """A transcript without the times of its words: ten hours are about a megabyte. `head`: lines under the title."""

    title: str
    head: tuple[str, ...]
    paragraphs: tuple[Paragraph, ...]
    language: str | None


def document_of(transcript: Transcript, options: FormatOptions) -> Document:
    told = tuple(spoken(transcript, options))
    speakers = list(dict.fromkeys(one.speaker for one in told if one.speaker and not one.is_note))
    head = (
        facts_of(transcript),
        f"{clean(options.labels.speakers)}: {', '.join(speakers)}" if speakers else "",
        clean(options.labels.draft) if transcript.is_draft else "",
    )
    return Document(title_of(transcript), tuple(filter(None, head)), told, transcript.language)


def spoken(transcript: Transcript, options: FormatOptions) -> Iterator[Paragraph]:
    """The paragraphs, each in one clean line, with its speaker where that is wanted, and notes behind those in which they begin."""
    noted = _notes(transcript, options)
    note = next(noted, None)
    for paragraph in _paragraphs(transcript, options):
        while note and note.start < paragraph.start:
            yield note
            note = next(noted, None)
        yield paragraph
    while note:
        yield note
        note = next(noted, None)


def _paragraphs(transcript: Transcript, options: FormatOptions) -> Iterator[Paragraph]:
    segments = transcript.segments
    if not options.speakers:
        segments = (replace(segment, speaker=None) for segment in segments)
    for paragraph in paragraphs(segments):
        if text := clean(paragraph.text):
            yield replace(paragraph, text=text, speaker=clean(paragraph.speaker or "") or None)


def _notes(transcript: Transcript, options: FormatOptions) -> Iterator[Paragraph]:
    for note in sorted(transcript.notes or (), key=lambda note: note.start) if options.notes else ():
        quote = clean(note.quote)
        text = " ".join(filter(None, (f"“{quote}”" if quote else "", clean(note.text))))
        yield Paragraph(
            note.start, text, ", ".join(filter(None, (options.labels.note, clean(note.author)))), is_note=True
        )


def title_of(transcript: Transcript) -> str:
    return clean(transcript.title)


def facts_of(transcript: Transcript) -> str:
    date = transcript.date.isoformat() if transcript.date else ""
    duration = transcript.duration
    length = short_clock(duration) if duration is not None and math.isfinite(duration) else ""
    return " · ".join(filter(None, (date, length)))
