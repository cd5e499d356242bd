"""Wire → Submission and the form of the answer, with a sentence for everything that can't be accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from accounts.models import PersonalToken, User
from whisper_jobs import uploads
from whisper_jobs.dialects import fields, idempotency, sandboxing
from whisper_jobs.dialects.asr import raw_sound
from whisper_jobs.dialects.asr.authentication import PARAMETER
from whisper_jobs.dialects.calling import note_idle
from whisper_jobs.dialects.refusals import Kind, Refused
from whisper_jobs.intake import Submission
from whisper_jobs.models import Channel, Task

OUTPUTS = ("txt", "vtt", "srt", "tsv", "json")
#: A language is found in so much of the beginning.
DETECTION_SECONDS = 30.0
#: Characters; the models read the end of a longer prompt, and so is it kept.
PROMPT_CHARACTERS, MOST_PROMPT = 1000, 100_000


class FileSerializer(serializers.Serializer[Any]):
    """What both calls take. `encode=false`: the file is nothing but samples, 16 kHz, mono, 16 bits."""

    audio_file = fields.RecordingField()
    encode = serializers.BooleanField(required=False, default=True)


class AsrSerializer(fields.SpeakersSerializer, FileSerializer):
    """What POST /asr takes besides. Silence is left out of every transcript, whatever `vad_filter` says."""

    task = serializers.ChoiceField(required=False, default=Task.TRANSCRIBE, choices=Task.values)
    language = fields.LanguageField(required=False, allow_blank=True, default="")
    initial_prompt = serializers.CharField(required=False, allow_blank=True, default="", max_length=MOST_PROMPT)
    vad_filter = serializers.BooleanField(required=False, allow_null=True, default=None)
    word_timestamps = serializers.BooleanField(required=False, default=False)
    diarize = serializers.BooleanField(required=False, default=False)
    output = serializers.ChoiceField(required=False, default="txt", choices=OUTPUTS)


@dataclass(frozen=True, slots=True)
class Asked:
    submission: Submission
    output: str
    has_words: bool


def transcription(request: Request, owner: User, token: PersonalToken) -> Asked:
    """Raises Refused, ValidationError, idempotency.Refused, policy.NoUsableBackend, OSError when the disk is full."""
    told = _validated(request, AsrSerializer)
    submission = _submission(
        request,
        told,
        owner,
        token,
        task=told["task"],
        language=told["language"],
        initial_prompt=told["initial_prompt"][-PROMPT_CHARACTERS:],
        disable_diarization=not told["diarize"],
        min_speakers=told["min_speakers"],
        max_speakers=told["max_speakers"],
        idempotency=idempotency.asked(request, told),
    )
    return Asked(submission, told["output"], told["word_timestamps"])


def detection(request: Request, owner: User, token: PersonalToken) -> Submission:
    """The beginning of a recording alone, to find its language. Raises the same."""
    told = _validated(request, FileSerializer)
    return _submission(request, told, owner, token, disable_diarization=True, most_seconds=DETECTION_SECONDS)


def _submission(request: Request, told: dict[str, Any], owner: User, token: PersonalToken, **more: Any) -> Submission:
    script = sandboxing.script_or_work(request, token, owner)
    file: UploadedFile[Any] = told["audio_file"]
    return Submission(
        owner=owner,
        channel=Channel.API,
        media_file=file if told["encode"] or script else raw_sound.as_wav(file),
        model=settings.TOOLS.default_model,
        script=script,
        **more,
    )


def _validated(request: Request, kind: type[FileSerializer]) -> dict[str, Any]:
    """Fields may be in the query or in the form; the query is asked first."""
    # Read first: the reason why a file was not kept is left on the request by whoever reads it.
    told = {**dict(cast("Mapping[str, Any]", request.data).items()), **request.query_params.dict()}
    if refusal := uploads.upload_refusal(request._request):
        raise Refused(Kind.TOO_LARGE, refusal)
    if len(request.FILES.getlist("audio_file")) > 1:
        raise Refused(Kind.INVALID, _("Send one file per request."), field="audio_file")
    form = kind(data=told)
    form.is_valid(raise_exception=True)
    idle = ["vad_filter"] if form.validated_data.get("vad_filter") is False else []
    note_idle(request, [*idle, *(name for name in told if name not in form.fields and name != PARAMETER)])
    return dict(form.validated_data)
