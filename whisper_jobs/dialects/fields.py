"""Fields that dialects have alike, each under names of its own: a language, a recording, how many people speak."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from whisper_jobs.errors import JobError
from whisper_jobs.speech import languages
from whisper_jobs.told import in_words_of_the_reader

MOST_SPEAKERS = 50


def code_of(language: str | None) -> str:
    """The code of what people call a language; empty for nothing and for `auto`. Raises ValidationError."""
    try:
        return languages.normalise(language) or ""
    except JobError as error:
        raise serializers.ValidationError(in_words_of_the_reader(error.message)) from error


class LanguageField(serializers.CharField):
    """A code or a name of a language. Nothing, where that may be, and `auto` mean: find out."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> str:
        return code_of(super().run_validation(data))


class TermsField(serializers.ListField):
    """Short texts: a list, or one text with commas or lines between them; each counts once."""

    def to_internal_value(self, data: Any) -> list[str]:
        terms = re.split(r"[,\n]", data) if isinstance(data, str) else data
        return [term for term in dict.fromkeys(super().to_internal_value(terms)) if term]


class RecordingField(serializers.FileField):
    """A file that has something in it."""

    def __init__(self, **kwargs: Any) -> None:
        empty = gettext_lazy("The file is empty. Choose one that has sound in it.")
        super().__init__(allow_empty_file=False, max_length=1000, error_messages={"empty": empty}, **kwargs)


class SpeakersSerializer(serializers.Serializer[Any]):
    """How many speakers there are, as far as is known."""

    min_speakers = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=MOST_SPEAKERS
    )
    max_speakers = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=MOST_SPEAKERS
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        least, most = attrs["min_speakers"], attrs["max_speakers"]
        if least and most and least > most:
            raise serializers.ValidationError({"max_speakers": [_("This is fewer than the least number of speakers.")]})
        return attrs
