"""What answers about corrections look like, for the description alone."""

from __future__ import annotations

from rest_framework.serializers import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    FloatField,
    IntegerField,
    ListField,
)

from whisper_jobs.dialects.native.openapi.shapes import (
    Any_,
    ErrorSerializer,
    SegmentSerializer,
    SpeakerSerializer,
    count,
    optional,
)
from whisper_jobs.models.correction import CorrectionKind


class AuthorSerializer(Any_):
    id = IntegerField()
    name = CharField()


class MadeSerializer(Any_):
    """One correction; `author` is null where a step of the job made it, or who did is gone."""

    number = IntegerField(help_text="The transcript as it was after it is the version of this number.")
    kind = ChoiceField(CorrectionKind.values)
    author = AuthorSerializer(allow_null=True)
    at = DateTimeField()
    of_number = count("What was taken back (undo), or gone back to (restore).")
    undone_by = count("The correction that took this one back.")
    removed = ListField(child=IntegerField(), help_text="Ids of segments that are gone.")
    before = SegmentSerializer(many=True, required=False, help_text="As it found them, where that was asked for.")
    segments = SegmentSerializer(many=True, help_text="As it left them.")
    speakers = SpeakerSerializer(many=True, allow_null=True, help_text="As it left them; null where it changed none.")


class CorrectionAnswerSerializer(Any_):
    ok = BooleanField()
    version = IntegerField()
    correction = MadeSerializer()


class CorrectionsAnswerSerializer(Any_):
    ok = BooleanField()
    version = IntegerField(help_text="The newest.")
    corrections = MadeSerializer(many=True)
    next = count("Number to go on after, or before; null at the end.")


class ConflictSerializer(ErrorSerializer):
    """`conflict`: somebody else was faster; `not_ready`: there is no transcript yet, and nothing but the sentence."""

    error = CharField(help_text="As `message`.")
    version = IntegerField(required=False)
    segments = SegmentSerializer(many=True, required=False, help_text="Those that are still there, as they are now.")
    removed = ListField(child=IntegerField(), required=False, help_text="Ids of those that are gone.")


class MatchSerializer(Any_):
    id = IntegerField()
    revision = IntegerField()
    start = FloatField()
    speaker = optional()
    before = CharField()
    after = CharField(allow_blank=True)


class PreviewAnswerSerializer(Any_):
    ok = BooleanField()
    count = IntegerField(help_text="Segments that would change.")
    matches = MatchSerializer(many=True, help_text="The first 500 of them.")
    more = BooleanField(help_text="There are others.")
