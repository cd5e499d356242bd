"""Wire → Submission, job and policy, with the published code or a sentence for everything that can't be accepted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from accounts.models import PersonalToken, User
from whisper_jobs import exports, policy, uploads
from whisper_jobs.dialects import idempotency, sandboxing
from whisper_jobs.dialects.calling import own_job
from whisper_jobs.dialects.scaiecho.access import may
from whisper_jobs.dialects.scaiecho.errors import ScaiError, invalid
from whisper_jobs.errors import JobError
from whisper_jobs.intake import Submission
from whisper_jobs.models import Channel, Job
from whisper_jobs.speech import languages
from whisper_jobs.told import in_words_of_the_reader

_CODE = re.compile(r"[A-Za-z]{2}")


class LanguageHintField(serializers.CharField):
    """An ISO 639-1 code; empty means: find out."""

    def __init__(self) -> None:
        super().__init__(required=False, allow_blank=True, default="", max_length=2)

    def run_validation(self, data: Any = serializers.empty) -> str:
        code: str = super().run_validation(data)
        if code and not _CODE.fullmatch(code):
            raise serializers.ValidationError(_("Give a language as two letters, such as “en”."))
        try:
            return languages.normalise(code) or ""
        except JobError as error:
            raise serializers.ValidationError(in_words_of_the_reader(error.message)) from error


class PreferenceField(serializers.CharField):
    """As it is published in, as a job has it out; empty is `any`."""

    def __init__(self) -> None:
        super().__init__(required=False, allow_blank=True, default="any", max_length=100)

    def run_validation(self, data: Any = serializers.empty) -> str:
        try:
            return policy.preference(super().run_validation(data) or "any")
        except (ValueError, serializers.ValidationError) as error:
            told = _("backend_preference is one of: %(known)s.") % {"known": ", ".join(policy.PREFERENCES)}
            raise ScaiError("SCAIECHO_BAD_BACKEND_PREFERENCE", told) from error


class TranscribeSerializer(serializers.Serializer[Any]):
    """Fields of POST /transcribe."""

    file = serializers.FileField(allow_empty_file=True, max_length=1000)
    language_hint = LanguageHintField()
    backend_preference = PreferenceField()
    temperature = exports.NumberField(required=False, allow_null=True, default=None, min_value=0.0, max_value=1.0)
    force_async = serializers.BooleanField(required=False, default=False)
    diarize = serializers.BooleanField(required=False, default=False)


@dataclass(frozen=True, slots=True)
class Asked:
    submission: Submission
    #: Whether the answer is to wait for the transcript.
    is_inline: bool


def transcription(request: Request, owner: User) -> Asked:
    """What was handed in. Raises ScaiError, ValidationError, idempotency.Refused, policy.NoUsableBackend."""
    _demand_whole_body(request)
    form = TranscribeSerializer(data=request.data)
    form.is_valid(raise_exception=True)
    told = form.validated_data
    file = told["file"]
    if not file.size:
        raise ScaiError("SCAIECHO_EMPTY_AUDIO", _("The file is empty. Choose one that has sound in it."))
    if told["diarize"] and not may(owner, "scaiecho:diarize"):
        raise ScaiError("SCAIECHO_FORBIDDEN", _("Telling speakers apart needs the permission scaiecho:diarize."))
    token = request.auth if isinstance(request.auth, PersonalToken) else None
    script = sandboxing.script_or_work(request, token, owner)
    submission = Submission(
        owner=owner,
        channel=Channel.API,
        media_file=file,
        model=settings.TOOLS.default_model,
        language=told["language_hint"],
        temperature=told["temperature"],
        backend_preference=told["backend_preference"],
        disable_diarization=not told["diarize"],
        script=script,
        idempotency=idempotency.asked(request, told),
    )
    is_small = file.size <= settings.TOOLS.scaiecho_async_audio_threshold_bytes
    return Asked(submission, is_inline=is_small and not told["force_async"])


def _demand_whole_body(request: Request) -> None:
    # Read first: the reason why a file was not kept is left on the request by whoever reads it.
    files = request.FILES.getlist("file")
    if refusal := uploads.upload_refusal(request._request):
        raise ScaiError("SCAIECHO_TOO_LARGE", refusal)
    if len(files) > 1:
        raise invalid({"file": [_("Send one file per request.")]})


def job_of(user: User, number: str) -> Job:
    """The caller's own job; what is another's is not there, whoever they may be to each other."""
    found = own_job(user, number)
    if found is None:
        raise no_such_job()
    return found


def no_such_job() -> ScaiError:
    return ScaiError("SCAIECHO_JOB_NOT_FOUND", _("There is no such job."))


def policy_changes(request: Request) -> dict[str, Any]:
    """What a tenant's policy is to be; whether it can be is for the policy to say."""
    if not isinstance(request.data, dict):
        raise ScaiError("SCAIECHO_TENANT_POLICY_INVALID", _("Send the fields to change as a JSON object."))
    return {str(name): value for name, value in request.data.items()}
