"""What answers about approvals, places to check and the glossary look like, for the description alone (see shapes)."""

from __future__ import annotations

from typing import Any, get_args

from rest_framework.serializers import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    FloatField,
    IntegerField,
    ListField,
    Serializer,
)

from whisper_jobs.models import ReviewState
from whisper_jobs.speech.spots import Reason

Any_ = Serializer[Any]
REASONS = list(get_args(Reason))


class PersonSerializer(Any_):
    id = IntegerField()
    name = CharField()


class ApprovalSerializer(Any_):
    """Where the approval stands that the job waits for."""

    state = ChoiceField(ReviewState.choices)
    assignee = PersonSerializer(allow_null=True)
    decided_by = PersonSerializer(allow_null=True)
    note = CharField(allow_null=True)
    changed_at = DateTimeField()
    approved_version = IntegerField(allow_null=True, help_text="`transcript_version` that was approved.")


class ReviewAnswerSerializer(Any_):
    ok = BooleanField()
    review = ApprovalSerializer(allow_null=True)
    editors = PersonSerializer(many=True, help_text="Who can see the job, and may be assigned.")


class PieceSerializer(Any_):
    """Part of the text; marked where it has a reason."""

    text = CharField()
    reason = ChoiceField(REASONS, allow_null=True)
    start = FloatField(allow_null=True)
    end = FloatField(allow_null=True)
    term = CharField(allow_null=True, help_text="Of the glossary, which this is nearly.")


class SegmentNameSerializer(Any_):
    """A segment in one of its states, as corrections name it."""

    id = IntegerField()
    revision = IntegerField()


class SpotSerializer(Any_):
    """A segment to look at, or speech without words (`segment` is null)."""

    segment = SegmentNameSerializer(allow_null=True)
    start = FloatField()
    end = FloatField()
    reason = ChoiceField(REASONS)
    speaker = CharField(allow_null=True)
    text = CharField()
    pieces = PieceSerializer(many=True)


class SpotsAnswerSerializer(Any_):
    ok = BooleanField()
    version = IntegerField()
    spots = SpotSerializer(many=True)
    more = BooleanField()


class GlossaryAnswerSerializer(Any_):
    ok = BooleanField()
    terms = ListField(child=CharField())
