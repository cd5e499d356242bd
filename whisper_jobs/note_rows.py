"""Notes of a recording as they are read: in order, as JSON, and what was said where one stands. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any

from django.db.models import QuerySet

from whisper_jobs.models import Note, Segment
from whisper_jobs.speech.transcript import Note as Written
from whisper_jobs.speech.transcript import join_words

Json = dict[str, Any]
#: Codes of the palette, by place. Pages have the names and css/notes.css the colours.
COLOURS = ("yellow", "green", "blue", "pink", "purple")
LONGEST_QUOTE = 300


def notes_of(job_id: int) -> QuerySet[Note]:
    """In order of time, each with its author."""
    return Note.objects.filter(job=job_id).select_related("author").order_by("start", "id")


def payload(note: Note) -> Json:
    author = note.author
    return {
        "id": note.pk,
        "start": note.start,
        "end": note.end,
        "quote": note.quote,
        "text": note.text,
        "colour": COLOURS[note.colour % len(COLOURS)],
        "author": {"id": author.pk, "name": author.name or author.email} if author else None,
        "created_at": note.created_at.isoformat(),
        "changed_at": note.changed_at.isoformat(),
    }


def written(job_id: int) -> tuple[Written, ...]:
    """As formats write them."""
    return tuple(_written(note) for note in notes_of(job_id))


def _written(note: Note) -> Written:
    author = (note.author.name or note.author.email) if note.author else ""
    colour = COLOURS[note.colour % len(COLOURS)]
    return Written(note.start, note.end, note.quote, note.text, author, colour)


def said_between(job_id: int, start: float, end: float) -> str:
    """The words whose middle lies between these seconds, cut where they are many."""
    rows = Segment.objects.filter(job=job_id, start__lte=end, end__gte=start).order_by("start", "id")
    said = ""
    for row in rows.iterator(chunk_size=20):
        said = reduce(join_words, _words_of(row, start, end), said)
        if len(said) > LONGEST_QUOTE:
            return said[: LONGEST_QUOTE - 1].rstrip() + "…"
    return said


def _words_of(row: Segment, start: float, end: float) -> Iterable[str]:
    """Of a segment whose words have no times all of them, where the stretch has its middle or lies within it."""
    if row.words:
        return [" ".join(word.split()) for first, last, word, _ in row.words if start <= (first + last) / 2 <= end]
    is_within = start <= (row.start + row.end) / 2 <= end or (row.start <= start and end <= row.end)
    return row.text.split() if is_within else []


def end_of_what_is_said(job_id: int, second: float) -> float:
    """When the segment that is spoken at a second ends; that second where nobody speaks."""
    spoken = Segment.objects.filter(job=job_id, start__lte=second, end__gt=second).order_by("-start", "-id")
    return spoken.values_list("end", flat=True).first() or second
