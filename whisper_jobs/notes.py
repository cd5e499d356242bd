"""Verbs for notes and highlights: add, change, remove. Each is one transaction with the job locked.

Whoever sees a job sees its notes and may change them: those are its owner, the managers of its tenant and the admins.
"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import User
from whisper_jobs import note_rows, search
from whisper_jobs.media.naming import plain_text
from whisper_jobs.models import Job, Note
from whisper_jobs.note_rows import COLOURS
from whisper_jobs.pen import Edit, editing
from whisper_jobs.runs import NotAllowed

#: Of one recording, and characters of one.
MOST_NOTES, LONGEST_TEXT = 1000, 2000
#: Jobs of which the duration is not known end here.
LONGEST_SECONDS = 10_000_000.0


class NoSuchNote(Exception):
    """The job has no such note, or has it no longer."""


class ChangedMeanwhile(Exception):
    """Somebody else has changed the note since it was read."""


def add(job_id: int, *, by: User, start: float, end: float | None = None, text: str = "", colour: int = 0) -> Note:
    """A note from `start` to `end` (seconds), else to the end of what is being said at `start`; without text a highlight.

    The same note of the same person once more is the note that is there. Raises NotAllowed, Gone.
    """
    with editing(job_id) as edit:
        start, end = _within(edit.job, start, end)
        told = {"author": by, "start": start, "end": end, "text": _tidy(text), "colour": colour % len(COLOURS)}
        if there := Note.objects.filter(job=edit.job, **told).first():
            return there
        if Note.objects.filter(job=edit.job).count() >= MOST_NOTES:
            raise NotAllowed(_("This recording has as many notes as this server keeps. Delete one first."))
        quote = note_rows.said_between(job_id, start, end)
        note = Note.objects.create(job=edit.job, quote=quote, **told)
        _tell(edit)
    return note


def change(
    job_id: int, note_id: int, *, text: str | None = None, colour: int | None = None, seen: datetime | None = None
) -> Note:
    """Another text or colour. Raises ChangedMeanwhile where it was changed since `seen`, NoSuchNote, Gone."""
    with editing(job_id) as edit:
        note = _note(edit.job, note_id)
        if seen is not None and note.changed_at != seen:
            raise ChangedMeanwhile(note_id)
        before = (note.text, note.colour)
        note.text = note.text if text is None else _tidy(text)
        note.colour = note.colour if colour is None else colour % len(COLOURS)
        if (note.text, note.colour) != before:
            note.save(update_fields=["text", "colour", "changed_at"])
            _tell(edit)
    return note


def remove(job_id: int, note_id: int) -> Job:
    """Raises NoSuchNote, Gone."""
    with editing(job_id) as edit:
        _note(edit.job, note_id).delete()
        _tell(edit)
    return edit.job


def _tell(edit: Edit) -> None:
    search.reindex_heads([edit.job])
    edit.show_notes()


def _note(job: Job, note_id: int) -> Note:
    note = Note.objects.select_related("author").filter(job=job, pk=note_id).first()
    if note is None:
        raise NoSuchNote(note_id)
    note.job = job
    return note


def _tidy(text: str) -> str:
    return plain_text(text.replace("\r\n", "\n")).strip()[:LONGEST_TEXT]


def _within(job: Job, start: float, end: float | None) -> tuple[float, float]:
    """The stretch, as far as the recording goes. To the millisecond, so that the same place is the same."""
    longest = job.source_duration_seconds or LONGEST_SECONDS
    # Players and engines differ by a little about where a recording ends.
    if not 0 <= start <= longest + 1:
        raise NotAllowed(_("The recording has no such place."))
    end = note_rows.end_of_what_is_said(job.pk, start) if end is None else end
    if end < start:
        raise NotAllowed(_("A note can't end before it begins."))
    return round(start, 3), round(max(start, min(end, longest)), 3)
