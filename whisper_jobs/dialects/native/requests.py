"""Wire → Submission and filters, with a sentence for everything that can't be accepted."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.request import Request

from accounts.models import User
from whisper_jobs import uploads
from whisper_jobs.dialects.native.errors import Unprocessable
from whisper_jobs.errors import JobError
from whisper_jobs.intake import Submission
from whisper_jobs.models import Channel
from whisper_jobs.outbound import Guard
from whisper_jobs.pipeline import models
from whisper_jobs.queries import ListFilter
from whisper_jobs.speech import languages
from whisper_jobs.states import Status

MOST_LISTED = 200
LISTED = 50
_FIELDS = ("source_url", "media_file")


class LanguageField(serializers.CharField):
    """A language code or name; empty and `auto` mean: find out."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, allow_blank=True, default="", max_length=40, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> str:
        return _language(super().run_validation(data))


def _language(text: str) -> str:
    try:
        return languages.normalise(text) or ""
    except JobError as error:
        raise serializers.ValidationError(error.message) from error


class SubmissionSerializer(serializers.Serializer[Any]):
    """Fields of POST /api/whisper/jobs."""

    source_url = serializers.CharField(required=False, allow_blank=True, default="", max_length=4000)
    media_file = serializers.FileField(
        required=False,
        allow_empty_file=False,
        max_length=1000,
        error_messages={"empty": gettext_lazy("The file is empty. Choose one that has sound in it.")},
    )
    source_label = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    source_note = serializers.CharField(required=False, allow_blank=True, default="", max_length=10_000)
    model = serializers.CharField(required=False, allow_blank=True, default="", max_length=100)
    language = LanguageField()
    analysis_language = LanguageField()
    translation_target_languages = serializers.ListField(child=serializers.CharField(max_length=40), default=list)

    def validate_source_url(self, url: str) -> str:
        if not url:
            return ""
        try:
            Guard(settings.TOOLS.outbound_allow).check_url(url)
        except JobError as error:
            raise serializers.ValidationError(error.message, code=error.code) from error
        return url

    def validate_model(self, name: str) -> str:
        name = name or settings.TOOLS.default_model
        if not models.is_known(name):
            known = ", ".join(["auto", *(model.name for model in models.known())])
            raise serializers.ValidationError(
                _("There is no model “%(name)s”. Choose one of: %(known)s.") % {"name": name, "known": known}
            )
        return name

    def validate_translation_target_languages(self, wanted: list[str]) -> list[str]:
        return list(dict.fromkeys(code for code in map(_language, wanted) if code))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = [name for name in _FIELDS if attrs.get(name)]
        if len(given) != 1:
            told = (
                _("Send either a media URL or a file, not both.")
                if given
                else _("Send a media URL (source_url) or a file (media_file).")
            )
            raise serializers.ValidationError({name: [told] for name in (given or _FIELDS)})
        return attrs


def submission(request: Request, owner: User, channel: str = Channel.WEB) -> Submission:
    """What was submitted. Raises ValidationError or Unprocessable, both answered with 422."""
    data = request.data
    if refusal := uploads.upload_refusal(request._request):
        raise Unprocessable(refusal, code="source_too_large", errors={"media_file": [refusal]})
    if len(request.FILES.getlist("media_file")) > 1:
        told = _("Send one file per job.")
        raise Unprocessable(told, errors={"media_file": [told]})
    form = SubmissionSerializer(data=data)
    form.is_valid(raise_exception=True)
    told = form.validated_data
    return Submission(
        owner=owner,
        channel=channel,
        source_url=told["source_url"],
        media_file=told.get("media_file"),
        source_label=told["source_label"],
        source_note=told["source_note"],
        model=told["model"],
        language=told["language"],
        analysis_language=told["analysis_language"],
        translation_target_languages=tuple(told["translation_target_languages"]),
    )


class ListSerializer(serializers.Serializer[Any]):
    """Parameters of GET /api/whisper/jobs. A limit above the most is cut to it."""

    limit = serializers.IntegerField(required=False, default=LISTED, min_value=1)
    status = serializers.ChoiceField(
        required=False, allow_blank=True, default="", choices=[*Status.values, "active", "processing"]
    )
    channel = serializers.ChoiceField(required=False, allow_blank=True, default="", choices=Channel.values)
    q = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    cursor = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0, max_value=2**62)


def list_filter(request: Request) -> ListFilter:
    form = ListSerializer(data=request.query_params)
    form.is_valid(raise_exception=True)
    told = form.validated_data
    return ListFilter(
        status=told["status"],
        channel=told["channel"],
        text=told["q"],
        cursor=told["cursor"],
        limit=min(MOST_LISTED, told["limit"]),
    )


class SegmentsSerializer(serializers.Serializer[Any]):
    """Parameters of GET …/segments: those stored after `since`, a page at a time."""

    since = serializers.IntegerField(required=False, default=0, min_value=0, max_value=2**31 - 1)
    offset = serializers.IntegerField(required=False, default=0, min_value=0, max_value=2**31 - 1)
    limit = serializers.IntegerField(required=False, default=500, min_value=1, max_value=1000)


class RunNowSerializer(serializers.Serializer[Any]):
    limit = serializers.IntegerField(required=False, default=10, min_value=1, max_value=1000)
    reset_failed = serializers.BooleanField(required=False, default=False)


class AgainSerializer(serializers.Serializer[Any]):
    model = serializers.CharField(max_length=100)

    def validate_model(self, name: str) -> str:
        return SubmissionSerializer().validate_model(name)
