"""What answers about search and tags look like, for the description alone (see shapes)."""

from __future__ import annotations

from rest_framework.serializers import BooleanField, CharField, FloatField, IntegerField, ListField

from whisper_jobs.dialects.native.openapi.shapes import Any_, JobSummarySerializer, count


class TagShapeSerializer(Any_):
    """One of the caller's own tags."""

    id = IntegerField()
    name = CharField()
    colour = IntegerField(help_text="A place in the palette of the pages.")


class TagAnswerSerializer(Any_):
    ok = BooleanField()
    tag = TagShapeSerializer()


class TagsAnswerSerializer(Any_):
    ok = BooleanField()
    tags = TagShapeSerializer(many=True)


class PlaceSerializer(Any_):
    """Where words were found."""

    start = FloatField(help_text="Seconds of the recording.")
    text = CharField()
    marks = ListField(child=ListField(child=IntegerField()), help_text="[start, end] of each word in `text`.")


class FoundSerializer(Any_):
    job = JobSummarySerializer()
    tags = TagShapeSerializer(many=True)
    places = PlaceSerializer(many=True)


class SearchAnswerSerializer(Any_):
    ok = BooleanField()
    results = FoundSerializer(many=True)
    next = count("The cursor of the next page.")
