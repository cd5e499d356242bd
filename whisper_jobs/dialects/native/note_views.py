"""Notes and highlights of a job: GET all of them, POST one, PATCH and DELETE one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from whisper_jobs import exports, note_rows, notes
from whisper_jobs.dialects.native.access import WhisperView
from whisper_jobs.dialects.native.errors import Unprocessable
from whisper_jobs.models import Note
from whisper_jobs.note_rows import COLOURS


class NoteSerializer(serializers.Serializer[Any]):
    """Fields of POST …/notes. Without `end` the note goes to the end of what is being said at `start`."""

    start = exports.NumberField(min_value=0, help_text="Seconds of the recording.")
    end = exports.NumberField(required=False, allow_null=True, default=None, min_value=0)
    text = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=notes.LONGEST_TEXT, help_text="Empty: a highlight."
    )
    colour = serializers.ChoiceField(COLOURS, required=False, default=COLOURS[0])


class NoteChangeSerializer(serializers.Serializer[Any]):
    """Fields of PATCH …/notes/ID. What is left out stays as it is."""

    text = serializers.CharField(required=False, allow_blank=True, max_length=notes.LONGEST_TEXT)
    colour = serializers.ChoiceField(COLOURS, required=False)
    changed_at = serializers.DateTimeField(
        required=False, help_text="That of the note as it was read: refused (`note_changed`) when it has changed since."
    )


class NotesView(WhisperView):
    def get(self, request: Request, job_id: int) -> Response:
        found = note_rows.notes_of(self.job(job_id).pk)
        return Response({"ok": True, "notes": [note_rows.payload(note) for note in found]})

    def post(self, request: Request, job_id: int) -> Response:
        job, form = self.job(job_id), NoteSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        told = form.validated_data
        return _answer(notes.add(job.pk, by=self.user, **{**told, "colour": COLOURS.index(told["colour"])}), 201)


class NoteView(WhisperView):
    def patch(self, request: Request, job_id: int, note_id: int) -> Response:
        job, form = self.job(job_id), NoteChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        told = form.validated_data
        colour = COLOURS.index(told["colour"]) if "colour" in told else None
        with _refusing():
            changed = notes.change(job.pk, note_id, text=told.get("text"), colour=colour, seen=told.get("changed_at"))
        return _answer(changed)

    def delete(self, request: Request, job_id: int, note_id: int) -> Response:
        job = self.job(job_id)
        with _refusing():
            job = notes.remove(job.pk, note_id)
        return Response({"ok": True, "message": _("The note is deleted."), "revision": job.revision})


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except notes.NoSuchNote as error:
        raise NotFound(_("There is no such note.")) from error
    except notes.ChangedMeanwhile as error:
        told = _("Somebody has changed this note meanwhile.")
        raise Unprocessable(told, code="note_changed", errors={"changed_at": [told]}) from error


def _answer(note: Note, status: int = 200) -> Response:
    """`revision` is the job's, so that whoever watches it knows its own change."""
    told = {"ok": True, "note": note_rows.payload(note), "revision": note.job.revision}
    return Response(told, status=status)
