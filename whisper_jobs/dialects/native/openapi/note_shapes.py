"""What answers about notes look like, for the description alone (see shapes)."""

from __future__ import annotations

from rest_framework.serializers import BooleanField, CharField, ChoiceField, DateTimeField, FloatField, IntegerField

from whisper_jobs.dialects.native.openapi.review_shapes import Any_, PersonSerializer
from whisper_jobs.note_rows import COLOURS


class NoteShapeSerializer(Any_):
    """At a place of the recording; without text a highlight."""

    id = IntegerField()
    start = FloatField(help_text="Seconds of the recording.")
    end = FloatField()
    quote = CharField(help_text="What was said there when the note was made.")
    text = CharField()
    colour = ChoiceField(COLOURS)
    author = PersonSerializer(allow_null=True)
    created_at = DateTimeField()
    changed_at = DateTimeField()


class NotesAnswerSerializer(Any_):
    ok = BooleanField()
    notes = NoteShapeSerializer(many=True)


class NoteAnswerSerializer(Any_):
    ok = BooleanField()
    note = NoteShapeSerializer()
    revision = IntegerField(help_text="The job's, with this change.")


class NoteDeletedSerializer(Any_):
    ok = BooleanField()
    message = CharField()
    revision = IntegerField(help_text="The job's, with this change.")
