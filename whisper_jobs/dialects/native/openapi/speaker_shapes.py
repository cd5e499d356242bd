"""What is told of enrolled speakers, for the description alone."""

from __future__ import annotations

from typing import Any

from rest_framework.serializers import BooleanField, CharField, DateTimeField, FloatField, IntegerField, Serializer


class RecognitionSerializer(Serializer[Any]):
    job_id = IntegerField()
    title = CharField()
    created_at = DateTimeField()
    label = CharField(help_text="Of the job's `diarization.speakers`.")  # type: ignore[assignment]
    seconds = FloatField(help_text="How long the voice is heard.")
    score = FloatField(allow_null=True, help_text="How like the voices are, up to 1; null where a person named it.")
    recognised = BooleanField(help_text="Recognised by the voice.")


class RecognitionsAnswerSerializer(Serializer[Any]):
    ok = BooleanField()
    recognitions = RecognitionSerializer(many=True)
    next = IntegerField(allow_null=True, help_text="`cursor` of the next page.")
