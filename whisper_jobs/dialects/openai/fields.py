"""The fields of both calls, each with what it may hold."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework import serializers

from whisper_jobs import exports
from whisper_jobs.dialects.fields import LanguageField, RecordingField

#: Longer ones are refused; of what is left the end counts.
MOST_PROMPT = 100_000
MOST_KEYWORDS, LONGEST_KEYWORD = 200, 100
#: As OpenAI has it.
MOST_SPEAKERS, LONGEST_NAME = 4, 64
MOST_LANGUAGES = 20
FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
#: Of which there are words to send before the end.
STREAMED = ("json", "text", "diarized_json")


class VadSerializer(serializers.Serializer[Any]):
    """What `server_vad` can be told."""

    type = serializers.ChoiceField(["server_vad"])
    prefix_padding_ms = serializers.IntegerField(required=False, min_value=0, max_value=60_000)
    silence_duration_ms = serializers.IntegerField(required=False, min_value=0, max_value=60_000)
    threshold = exports.NumberField(required=False, min_value=0.0, max_value=1.0)


class ChunkingField(serializers.Field[Any, Any, Any, Any]):
    """`auto`, or an object with the type `server_vad`. Recordings are cut at silences whatever it says."""

    def to_internal_value(self, data: Any) -> str:
        told = _object(data) if data != "auto" else None
        if told is not None:
            self._demand_vad(told)
        return "auto" if told is None else json.dumps(told, sort_keys=True)

    def _demand_vad(self, told: Any) -> None:
        if not isinstance(told, dict):
            raise serializers.ValidationError(_("Send “auto”, or an object with the type “server_vad”."))
        if unknown := [name for name in told if name not in VadSerializer().fields]:
            raise serializers.ValidationError(_("“%(name)s” is not known here.") % {"name": unknown[0][:100]})
        form = VadSerializer(data=told)
        if not form.is_valid():
            name, sentences = next(iter(form.errors.items()))
            raise serializers.ValidationError(f"{name}: {sentences[0]}")

    def to_representation(self, value: Any) -> Any:
        return value


def _object(data: Any) -> Any:
    """An object, as fields of the form have put it together or written as JSON."""
    if not isinstance(data, str):
        return data
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return data


class TranslationSerializer(serializers.Serializer[Any]):
    """Fields of POST /v1/audio/translations. `language` is what is spoken, which OpenAI's own doesn't ask for."""

    LISTS: ClassVar[tuple[str, ...]] = ()
    OBJECTS: ClassVar[tuple[str, ...]] = ()

    file = RecordingField()
    model = serializers.CharField(max_length=200)
    language = LanguageField(required=False, allow_blank=True, default="")
    prompt = serializers.CharField(required=False, allow_blank=True, default="", max_length=MOST_PROMPT)
    response_format = serializers.ChoiceField(FORMATS, required=False, default="json")
    temperature = exports.NumberField(required=False, allow_null=True, default=None, min_value=0.0, max_value=1.0)


class TranscriptionSerializer(TranslationSerializer):
    """Fields of POST /v1/audio/transcriptions."""

    LISTS = (
        "include",
        "keywords",
        "known_speaker_names",
        "known_speaker_references",
        "languages",
        "timestamp_granularities",
    )
    OBJECTS = ("chunking_strategy",)

    response_format = serializers.ChoiceField((*FORMATS, "diarized_json"), required=False, default="json")
    stream = serializers.BooleanField(required=False, allow_null=True, default=False)
    chunking_strategy = ChunkingField(required=False, allow_null=True, default=None)
    include = serializers.ListField(child=serializers.ChoiceField(["logprobs"]), default=list, max_length=10)
    timestamp_granularities = serializers.ListField(
        child=serializers.ChoiceField(["word", "segment"]), default=list, max_length=10
    )
    keywords = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_KEYWORD), default=list, max_length=MOST_KEYWORDS
    )
    languages = serializers.ListField(child=LanguageField(), default=list, max_length=MOST_LANGUAGES)
    known_speaker_names = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_NAME), default=list, max_length=MOST_SPEAKERS
    )
    known_speaker_references = serializers.ListField(
        child=serializers.CharField(trim_whitespace=False), default=list, max_length=MOST_SPEAKERS
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        form = attrs["response_format"]
        _demand(not attrs["stream"] or form in STREAMED, "stream", _("This format is not streamed: %(format)s."), form)
        _demand(
            not attrs["timestamp_granularities"] or form == "verbose_json",
            "timestamp_granularities",
            _("Times are told in verbose_json only, not in %(format)s."),
            form,
        )
        _demand(
            not attrs["include"] or form == "json",
            "include",
            _("logprobs are told in json only, not in %(format)s."),
            form,
        )
        _demand_speakers(attrs)
        return attrs


def _demand_speakers(attrs: dict[str, Any]) -> None:
    names, references = attrs["known_speaker_names"], attrs["known_speaker_references"]
    field = "known_speaker_names"
    _demand(
        not names or attrs["response_format"] == "diarized_json",
        field,
        _("Speakers are told in diarized_json only, not in %(format)s."),
        attrs["response_format"],
    )
    _demand(len(set(names)) == len(names), field, _("Each name can be there once only."))
    _demand(len(names) == len(references), "known_speaker_references", _("Send one sample for each name."))


def _demand(is_so: bool, field: str, told: str, form: str = "") -> None:
    if not is_so:
        raise serializers.ValidationError({field: [told % {"format": form} if form else told]})
