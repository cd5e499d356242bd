"""Wire → Submission, runs, and the form of a result, with a sentence for everything that can't be accepted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from accounts.models import PersonalToken, User
from whisper_jobs import uploads
from whisper_jobs.dialects import fields, idempotency, lookups, sandboxing
from whisper_jobs.dialects.calling import note_idle
from whisper_jobs.dialects.camb.language_ids import IDS
from whisper_jobs.dialects.refusals import Kind, Refused
from whisper_jobs.intake import Submission
from whisper_jobs.models import Channel

#: As the published API has it.
MOST_RUNS = 5
LONGEST_URL = 4000
#: What the recording is called by; the second names are from before.
_FILES, _URLS = ("media_file", "file"), ("media_url", "audio_url")
#: A form tells the formatting of segments as JSON.
_MOST_OPTIONS = 2000
#: What Camb.ai does with these is not done here, unless they ask for nothing else than is done.
_IDLE = {"folder_id": None, "transcription_mode": "fast", "formatting_options": ""}
#: Of the music around a voice too, which is never in a transcript.
_IDLE_EVER = ("run_audio_cleaning", "include_music_in_fg")
#: No language has a longer number.
_MOST_DIGITS = 6


class LanguageField(fields.LanguageField):
    """A number of Camb.ai's, a tag such as `en-us`, or `auto`."""

    def to_internal_value(self, data: Any) -> str:
        told: str = super().to_internal_value(data)
        return _tag(told) if told.isascii() and told.isdigit() else told


def _tag(number: str) -> str:
    known = IDS.get(int(number)) if len(number) <= _MOST_DIGITS else None
    if known is None:
        raise serializers.ValidationError(
            _("There is no language with this number here. GET /apis/source-languages tells those that there are.")
        )
    return known[0]


class OptionsField(serializers.CharField):
    """A JSON object; segments are not formed by it."""

    def __init__(self) -> None:
        super().__init__(required=False, allow_blank=True, default="", max_length=_MOST_OPTIONS)

    def run_validation(self, data: Any = serializers.empty) -> str:
        told: str = super().run_validation(json.dumps(data) if isinstance(data, dict) else data)
        if told and not isinstance(_read(told), dict):
            raise serializers.ValidationError(_("Write formatting_options as a JSON object."))
        return told


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


class AddressField(serializers.CharField):
    """What the guard lets out, if anything."""

    def __init__(self) -> None:
        super().__init__(required=False, allow_blank=True, allow_null=True, default="", max_length=LONGEST_URL)

    def run_validation(self, data: Any = serializers.empty) -> str:
        url: str = super().run_validation(data) or ""
        return lookups.checked(url) if url else ""


class TranscribeSerializer(serializers.Serializer[Any]):
    """Fields of POST /transcribe. Those from `folder_id` on are checked, and change nothing here."""

    media_file = fields.RecordingField(required=False)
    media_url = AddressField()
    file = fields.RecordingField(required=False)
    audio_url = AddressField()
    language = LanguageField()
    project_name = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    project_description = serializers.CharField(required=False, allow_blank=True, default="", max_length=10_000)
    folder_id = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0, max_value=2**62)
    transcription_mode = serializers.ChoiceField(required=False, default="fast", choices=["fast", "slow"])
    run_audio_cleaning = serializers.BooleanField(required=False, default=True)
    include_music_in_fg = serializers.BooleanField(required=False, default=True)
    formatting_options = OptionsField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = [name for name in (*_FILES, *_URLS) if attrs.get(name)]
        if not given:
            told = _("Send a file (media_file) or the address of one (media_url).")
            raise serializers.ValidationError({"media_file": [told]}, code="required")
        if len(given) > 1:
            raise serializers.ValidationError({name: [_("Send one file or one address, not more.")] for name in given})
        return attrs


def submission(request: Request, owner: User, token: PersonalToken) -> Submission:
    """What was handed in. Raises Refused, ValidationError, idempotency.Refused, policy.NoUsableBackend."""
    _demand_whole_body(request)
    form = TranscribeSerializer(data=request.data)
    form.is_valid(raise_exception=True)
    told, script = form.validated_data, sandboxing.script_or_work(request, token, owner)
    note_idle(request, _without_effect(request, told))
    file: UploadedFile[Any] | None = told.get("media_file") or told.get("file")
    return Submission(
        owner=owner,
        channel=Channel.API,
        media_file=file,
        source_url=told["media_url"] or told["audio_url"],
        source_label=told["project_name"],
        source_note=told["project_description"],
        model=settings.TOOLS.default_model,
        language=told["language"],
        script=script,
        idempotency=idempotency.asked(request, told),
    )


def _without_effect(request: Request, told: dict[str, Any]) -> list[str]:
    """Of the fields that were sent: those of Camb.ai's that nothing is done with, and those that nobody knows."""
    idle = [name for name, usual in _IDLE.items() if told[name] != usual]
    return [*idle, *(name for name in request.data if name in _IDLE_EVER or name not in told)]


def _demand_whole_body(request: Request) -> None:
    # Read first: the reason why a file was not kept is left on the request by whoever reads it.
    files = [one for name in _FILES for one in request.FILES.getlist(name)]
    if refusal := uploads.upload_refusal(request._request):
        raise Refused(Kind.TOO_LARGE, refusal)
    if len(files) > 1:
        raise Refused(Kind.INVALID, _("Send one file per request."), field=_FILES[0])


@dataclass(frozen=True, slots=True)
class Result:
    """How a transcript is told: its segments where `format_name` is empty, else as text, or as the address of a file."""

    format_name: str
    is_file: bool
    has_words: bool


class ResultSerializer(serializers.Serializer[Any]):
    """Parameters of GET /transcription-result."""

    format_type = serializers.ChoiceField(required=False, default="", choices=["txt", "srt", "vtt"])
    data_type = serializers.ChoiceField(required=False, default="", choices=["json", "raw_data", "file"])
    word_level_timestamps = serializers.BooleanField(required=False, default=False)


def result(request: Request) -> Result:
    form = ResultSerializer(data=request.query_params)
    form.is_valid(raise_exception=True)
    told = form.validated_data
    is_file = told["data_type"] == "file"
    name = told["format_type"] or ("txt" if is_file else "")
    return Result(name, is_file, told["word_level_timestamps"])


class RunsSerializer(serializers.Serializer[Any]):
    """Field of POST /transcription-results."""

    run_ids = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=2**62), allow_empty=False, max_length=MOST_RUNS
    )


def runs(request: Request) -> list[int]:
    """Each once, in the order in which they were asked for."""
    form = RunsSerializer(data=request.data)
    form.is_valid(raise_exception=True)
    return list(dict.fromkeys(form.validated_data["run_ids"]))


def run_number(told: str) -> str:
    """Raises Refused for what can't be the number of a run."""
    if not (told.isascii() and told.isdigit()):
        raise Refused(Kind.INVALID, _("A run_id is a whole number."), code="int_parsing", field="run_id")
    return told
