"""Wire → Submission and filters, with a sentence for everything that can't be accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from accounts.models import PersonalToken, User
from whisper_jobs import exports, naming, uploads
from whisper_jobs.dialects import fields, idempotency, lookups, sandboxing
from whisper_jobs.dialects.fields import SpeakersSerializer
from whisper_jobs.dialects.native.errors import Unprocessable
from whisper_jobs.intake import Idempotency, Submission
from whisper_jobs.models import BackendPreference, Channel, Job, PromptTemplate, Task
from whisper_jobs.pipeline import models
from whisper_jobs.queries import ListFilter
from whisper_jobs.speech.formats import FormatOptions
from whisper_jobs.states import Status

MOST_LISTED = 200
LISTED = 50
MOST_TRANSLATIONS = 20
LONGEST_URL = 4000
#: Characters of an instruction for an analysis.
MOST_INSTRUCTION = 10_000
#: Characters of a text that comes before the first words; the models read about as much.
MOST_PROMPT = 1000
MOST_HOTWORDS = 200
#: Fields that go to the speech engine and the diarizer as they are.
_SPEECH = ("task", "initial_prompt", "temperature", "min_speakers", "max_speakers", "backend_preference")
#: Of the ways to hand in a recording exactly one is taken.
_SOURCES = ("source_url", "media_file", "upload_id")


class LanguageField(fields.LanguageField):
    """Unless it is required, it may be left out."""

    def __init__(self, **kwargs: Any) -> None:
        if not kwargs.get("required"):
            kwargs = {"required": False, "allow_blank": True, "default": "", **kwargs}
        super().__init__(**kwargs)


class LanguagesField(serializers.ListField):
    """Codes or names, each once. Forms may also call the field `name[]`, as some languages' clients do."""

    def get_value(self, dictionary: Any) -> Any:
        if isinstance(dictionary, MultiValueDict) and f"{self.field_name}[]" in dictionary:
            return dictionary.getlist(f"{self.field_name}[]")
        return super().get_value(dictionary)

    def to_internal_value(self, data: Any) -> list[str]:
        return list(dict.fromkeys(code for code in map(fields.code_of, super().to_internal_value(data)) if code))


@extend_schema_field({"type": "string", "format": "uri", "maxLength": LONGEST_URL})
class AddressField(serializers.CharField):
    """What is checked by the guard, not by its looks."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST_URL, **kwargs)


class TermsField(fields.TermsField):
    """Forms may also repeat the field."""

    def get_value(self, dictionary: Any) -> Any:
        if isinstance(dictionary, MultiValueDict) and self.field_name in dictionary:
            return ",".join(dictionary.getlist(self.field_name))
        return super().get_value(dictionary)


class SubmissionSerializer(SpeakersSerializer):
    """Fields of POST /api/whisper/jobs."""

    source_url = AddressField(required=False, allow_blank=True, default="")
    media_file = fields.RecordingField(required=False)
    upload_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    source_label = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    source_note = serializers.CharField(required=False, allow_blank=True, default="", max_length=10_000)
    model = serializers.CharField(required=False, allow_blank=True, default="", max_length=100)
    language = LanguageField()
    analysis_language = LanguageField()
    translation_target_languages = LanguagesField(
        child=serializers.CharField(max_length=40, allow_blank=True), default=list, max_length=MOST_TRANSLATIONS
    )
    disable_diarization = serializers.BooleanField(required=False, default=False)
    human_review = serializers.BooleanField(
        required=False, default=False, help_text="The job completes when a person has approved of its transcript."
    )
    use_glossary = serializers.BooleanField(
        required=False, default=False, help_text="The caller's glossary is added to `hotwords`."
    )
    task = serializers.ChoiceField(required=False, default=Task.TRANSCRIBE, choices=Task.values)
    initial_prompt = serializers.CharField(required=False, allow_blank=True, default="", max_length=MOST_PROMPT)
    hotwords = TermsField(
        child=serializers.CharField(max_length=100, allow_blank=True), default=list, max_length=MOST_HOTWORDS
    )
    temperature = exports.NumberField(required=False, allow_null=True, default=None, min_value=0.0, max_value=1.0)
    backend_preference = serializers.ChoiceField(
        required=False, default=BackendPreference.ANY, choices=BackendPreference.values
    )

    def validate_source_url(self, url: str) -> str:
        return lookups.checked(url) if url else ""

    def validate_model(self, name: str) -> str:
        name = name or settings.TOOLS.default_model
        if not models.is_known(name):
            known = ", ".join(["auto", *(model.name for model in models.known())])
            raise serializers.ValidationError(
                _("There is no model “%(name)s”. Choose one of: %(known)s.") % {"name": name, "known": known}
            )
        return name

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = [name for name in _SOURCES if attrs.get(name)]
        if len(given) != 1:
            told = (
                _("Send either a media URL or a file, not both.")
                if given
                else _("Send a media URL (source_url) or a file (media_file).")
            )
            raise serializers.ValidationError({name: [told] for name in (given or _SOURCES[:2])})
        return super().validate(attrs)


class TokenSubmissionSerializer(SubmissionSerializer):
    """Fields of POST /api/whisper/transcribe: a program that hands in a recording is called back."""

    callback_url = AddressField()

    def validate_callback_url(self, url: str) -> str:
        return lookups.admitted(url)


class JsonSubmissionSerializer(SubmissionSerializer):
    """As the description shows it for JSON, which has no files."""

    media_file = None  # type: ignore[assignment]


class JsonTokenSubmissionSerializer(TokenSubmissionSerializer):
    media_file = None  # type: ignore[assignment]


def submission(request: Request, owner: User, channel: str | None) -> Submission:
    """What was submitted. Raises ValidationError or Unprocessable, both answered with 422."""
    data = request.data
    if refusal := uploads.upload_refusal(request._request):
        raise Unprocessable(refusal, code="source_too_large", errors={"media_file": [refusal]})
    if len(request.FILES.getlist("media_file")) > 1:
        told = _("Send one file per job.")
        raise Unprocessable(told, errors={"media_file": [told]})
    token = request.auth if isinstance(request.auth, PersonalToken) else None
    script = sandboxing.script_for(request, token)
    form = (TokenSubmissionSerializer if channel == Channel.API else SubmissionSerializer)(data=data)
    form.is_valid(raise_exception=True)
    told = form.validated_data
    return Submission(
        owner=owner,
        channel=channel or Channel.WEB,
        source_url=told["source_url"],
        media_file=told.get("media_file"),
        upload_id=told["upload_id"],
        source_label=told["source_label"],
        source_note=told["source_note"],
        model=told["model"],
        language=told["language"],
        analysis_language=told["analysis_language"],
        translation_target_languages=tuple(told["translation_target_languages"]),
        disable_diarization=told["disable_diarization"],
        needs_approval=told["human_review"],
        use_glossary=told["use_glossary"],
        **{name: told[name] for name in _SPEECH},
        hotwords=tuple(told["hotwords"]),
        callback_url=told.get("callback_url", ""),
        token=token,
        script=script,
        idempotency=idempotency.asked(request, told),
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


def version_field() -> serializers.IntegerField:
    """Number of the version of the transcript that is asked for: 0 is the engine's. The newest where it is left out."""
    return serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0, max_value=2**31 - 1)


def _of_one_kind(attrs: dict[str, Any]) -> dict[str, Any]:
    if attrs["version"] is not None and attrs["language"]:
        raise serializers.ValidationError({"version": [_("Translations have no versions.")]})
    return attrs


class SegmentsSerializer(serializers.Serializer[Any]):
    """Parameters of GET …/segments: those stored after `since`, a page at a time."""

    since = serializers.IntegerField(required=False, default=0, min_value=0, max_value=2**31 - 1)
    offset = serializers.IntegerField(required=False, default=0, min_value=0, max_value=2**31 - 1)
    limit = serializers.IntegerField(required=False, default=500, min_value=1, max_value=1000)
    language = LanguageField()
    version = version_field()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return _of_one_kind(attrs)


class ExportSerializer(exports.OptionsSerializer):
    """Parameters of GET …/exports/…; with a language, a translation instead of what was said."""

    language = LanguageField()
    version = version_field()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return super().validate(_of_one_kind(attrs))


@dataclass(frozen=True, slots=True)
class Export:
    language: str
    options: FormatOptions
    version: int | None = None


def export(request: Request) -> Export:
    form = ExportSerializer(data=request.query_params)
    form.is_valid(raise_exception=True)
    told = form.validated_data
    return Export(told["language"], exports.options(told), told["version"])


class RunNowSerializer(serializers.Serializer[Any]):
    limit = serializers.IntegerField(required=False, default=10, min_value=1, max_value=1000)
    reset_failed = serializers.BooleanField(required=False, default=False)


class AgainSerializer(serializers.Serializer[Any]):
    """Field of POST …/again."""

    model = serializers.CharField(max_length=100)

    def validate_model(self, name: str) -> str:
        return SubmissionSerializer().validate_model(name)


@dataclass(frozen=True, slots=True)
class Again:
    model: str
    idempotency: Idempotency | None


def again(request: Request) -> Again:
    # It is real work in any case.
    sandboxing.script_for(request, None)
    form = AgainSerializer(data=request.data)
    form.is_valid(raise_exception=True)
    return Again(form.validated_data["model"], idempotency.asked(request, form.validated_data))


class NamingSerializer(serializers.Serializer[Any]):
    """Fields of PATCH …/jobs/ID. What is left out stays as it is; without a title of its own a job has its source's."""

    source_label = serializers.CharField(required=False, allow_blank=True, max_length=naming.LONGEST_LABEL)
    source_note = serializers.CharField(required=False, allow_blank=True, max_length=naming.LONGEST_NOTE)


class RefillSerializer(serializers.Serializer[Any]):
    """Fields of POST …/refill: the gaps that begin from `start` to `end` (seconds), all of them if neither is told."""

    start = exports.NumberField(required=False, allow_null=True, default=None, min_value=0.0)
    end = exports.NumberField(required=False, allow_null=True, default=None, min_value=0.0)


class TranslateSerializer(serializers.Serializer[Any]):
    """Field of POST …/translate."""

    language = LanguageField(required=True, allow_blank=False)

    def validate_language(self, code: str) -> str:
        if not code:
            raise serializers.ValidationError(_("Name the language to translate to."))
        return code


class AnalyzeSerializer(serializers.Serializer[Any]):
    """Fields of POST …/analyze. A template is one's own; `instruction` says the same in place."""

    language = LanguageField()
    template = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1, max_value=2**62)
    instruction = serializers.CharField(required=False, allow_blank=True, default="", max_length=MOST_INSTRUCTION)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["template"] and attrs["instruction"]:
            raise serializers.ValidationError({"instruction": [_("Send a template or an instruction, not both.")]})
        return attrs


def analysis_asked(request: Request, user: User, job: Job) -> dict[str, str]:
    """Language and instruction of the analysis that is asked for; in the recording's own language unless told otherwise."""
    form = AnalyzeSerializer(data=request.data)
    form.is_valid(raise_exception=True)
    told = form.validated_data
    language = told["language"] or job.analysis_language or job.text_language or "en"
    return {"language": language, "instruction": told["instruction"] or _template(user, told["template"])}


def _template(user: User, pk: int | None) -> str:
    if pk is None:
        return ""
    found = PromptTemplate.objects.filter(owner=user, pk=pk).first()
    if found is None:
        raise serializers.ValidationError({"template": [_("You have no such template.")]})
    return found.instruction
