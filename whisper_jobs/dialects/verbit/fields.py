"""Kinds of parameters: what JSON says outright, and what forms can only say as text."""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from whisper_jobs.dialects.fields import TermsField, code_of

LONGEST_TEXT = 100
MOST_KEYS, LONGEST_VALUE = 100, 1000


class LanguageField(serializers.CharField):
    """A tag such as “en-US”, kept as it is written."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=16, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        text = super().run_validation(data)
        code_of(text)
        return text


class TextsField(TermsField):
    def __init__(self, *, most: int) -> None:
        text = serializers.CharField(max_length=LONGEST_TEXT, allow_blank=True)
        super().__init__(child=text, required=False, default=list, max_length=most)


class LanguagesField(serializers.ListField):
    """Tags, each language once, as codes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=LanguageField(), **kwargs)

    def to_internal_value(self, data: Any) -> list[str]:
        listed = data.split(",") if isinstance(data, str) else data
        return list(dict.fromkeys(filter(None, map(code_of, super().to_internal_value(listed)))))


class ObjectField(serializers.Field[Any, Any, Any, Any]):
    """An object, or the JSON of one as text; empty is one without anything."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        try:
            told = json.loads(data) if isinstance(data, str) and data.strip() else data or {}
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            raise serializers.ValidationError(_("Send an object, or the JSON of one."))
        return told

    def to_representation(self, value: Any) -> Any:
        return value


class FlatObjectField(ObjectField):
    """One whose values are texts, numbers, yes or no, or nothing."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        told = super().to_internal_value(data)
        if len(told) > MOST_KEYS:
            raise serializers.ValidationError(_("There are more than %(most)d entries.") % {"most": MOST_KEYS})
        names, texts = (
            serializers.CharField(max_length=LONGEST_TEXT),
            serializers.CharField(max_length=LONGEST_VALUE, allow_blank=True),
        )
        return {
            names.run_validation(name): texts.run_validation(value) if isinstance(value, str) else _scalar(value)
            for name, value in told.items()
        }


def _scalar(value: Any) -> Any:
    is_known = value is None or isinstance(value, bool | int | float)
    # What JSON itself has no word for, or PostgreSQL no room, can't be kept.
    if not is_known or len(str(value)) > LONGEST_TEXT or str(value) in ("nan", "inf", "-inf"):
        raise serializers.ValidationError(
            _("The entries are texts, numbers, true, false or null, and no lists or objects.")
        )
    return value
