"""Wire → orders: the parameters of a call, wherever they stand, checked; a sentence for everything that can't be accepted.

A parameter that is not known is refused, unless it asks for nothing: empty, null or false.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from accounts.models import PersonalToken, User
from whisper_jobs import orders, profiles, queries, uploads
from whisper_jobs.dialects import lookups, sandboxing
from whisper_jobs.dialects.fields import SpeakersSerializer, code_of
from whisper_jobs.dialects.refusals import Kind, Refused
from whisper_jobs.dialects.verbit import fields
from whisper_jobs.dialects.verbit.authentication import PARAMETER as TOKEN
from whisper_jobs.dialects.verbit.errors import BAD_ADDRESS
from whisper_jobs.models import Captions, Order, Profile
from whisper_jobs.pipeline import models
from whisper_jobs.sandbox import MOST_FINISH_IN, Script
from whisper_jobs.speech.formats import FORMATS

Told = Mapping[str, Any]
VERSION = 4
#: Of every call; each reads them by itself.
_COMMON = ("v", "job_id", TOKEN)
_FILES = ("file", "media_file")
LONGEST_URL = 4000
MOST_TRANSLATIONS = 20
#: What others call a format → its name here.
_SAME_FORMATS = {"web_vtt": "vtt"}


# --- where parameters stand -------------------------------------------------------------------------


def parameters(request: Request) -> dict[str, Any]:
    """Those of the query and those of the body, which is a form or a JSON object. Raises Refused."""
    body = request.data
    if not isinstance(body, Mapping):
        raise Refused(Kind.UNREADABLE, _("Send the parameters as a form or as a JSON object."))
    query, sent = _plain(request.query_params), _plain(body)
    for name in query.keys() & sent.keys():
        if str(query[name]) != str(sent[name]):
            raise Refused(Kind.UNREADABLE, _("“%(name)s” is given twice, and differently.") % {"name": name[:40]})
    return {**query, **sent}


def _plain(told: Told) -> dict[str, Any]:
    """Of forms: one value as it is, several or those of `name[]` as a list."""
    if not isinstance(told, QueryDict):
        return dict(told)
    return {
        name.removesuffix("[]"): values if name.endswith("[]") or len(values) > 1 else values[0]
        for name, values in told.lists()
    }


class VersionSerializer(serializers.Serializer[Any]):
    v = serializers.IntegerField(min_value=1, max_value=VERSION)


class JobSerializer(serializers.Serializer[Any]):
    job_id = serializers.IntegerField()


def version(told: Told) -> int:
    return int(_checked(VersionSerializer, told)["v"])


def order_of(user: User, token: PersonalToken, told: Told) -> Order:
    """The caller's own order. What is another's is not there."""
    number = _checked(JobSerializer, told)["job_id"]
    found = orders.find(user, number, is_sandbox=token.is_sandbox) if 0 < number < 2**63 else None
    if found is None:
        raise Refused(Kind.NOT_FOUND, _("There is no such job."))
    return found


def _checked(kind: type[serializers.Serializer[Any]], told: Told, **context: Any) -> dict[str, Any]:
    form = kind(data=told, context=context)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def _only(kind: type[serializers.Serializer[Any]], told: Told, **context: Any) -> dict[str, Any]:
    """As `_checked`, and what the call does not know is refused."""
    known = {*kind().fields, *_COMMON}
    for name, value in told.items():
        if name not in known and value not in (None, "", "false", False, [], {}):
            wrong = _("This server has no parameter of this name here.")
            raise ValidationError({str(name)[:100]: [serializers.ErrorDetail(wrong, "unknown")]})
    return _checked(kind, {name: value for name, value in told.items() if value is not None}, **context)


# --- a new job --------------------------------------------------------------------------------------


class NewSerializer(serializers.Serializer[Any]):
    """Of /job/new."""

    profile = serializers.CharField(max_length=100)
    job_name = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    external_id = serializers.CharField(required=False, allow_blank=True, default="", max_length=255)
    language = fields.LanguageField(required=False, allow_blank=True, default="")
    glossary = fields.TextsField(most=200)
    labels = fields.TextsField(most=50)
    job_metadata = fields.FlatObjectField(required=False, default=dict)

    def validate_profile(self, name: str) -> Profile:
        found = profiles.find(self.context["user"], name)
        if found is None:
            known = ", ".join([*profiles.BUILT_IN, *(one.name for one in profiles.of(self.context["user"])[:20])])
            told = _("There is no profile “%(name)s”. Choose one of: %(known)s.")
            raise ValidationError(told % {"name": name, "known": known})
        return found


def draft(told: Told, user: User) -> orders.Draft:
    if told.get("job_id"):
        raise ValidationError({"job_id": [_("A new job gets its number here.")]})
    asked = _only(NewSerializer, told, user=user)
    return orders.Draft(
        profile=asked["profile"],
        name=asked["job_name"],
        external_id=asked["external_id"],
        language=asked["language"],
        glossary=tuple(asked["glossary"]),
        labels=tuple(asked["labels"]),
        metadata=asked["job_metadata"],
    )


# --- its media --------------------------------------------------------------------------------------


class MediaSerializer(serializers.Serializer[Any]):
    """Of /job/add_media: one of them."""

    media_url = serializers.CharField(required=False, allow_blank=True, default="", max_length=LONGEST_URL)
    file = serializers.FileField(required=False, max_length=1000)
    media_file = serializers.FileField(required=False, max_length=1000)

    def validate_media_url(self, url: str) -> str:
        return _address(url) if url else ""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = [attrs[name] for name in ("media_url", *_FILES) if attrs.get(name)]
        if not given:
            wrong = serializers.ErrorDetail(_("Send a media URL (media_url) or a file (file)."), "required")
            raise ValidationError({"media_url": [wrong]})
        if len(given) > 1:
            raise ValidationError({"media_url": [_("Send either a media URL or a file, not both.")]})
        return {"media": given[0]}


def media(request: Request, told: Told) -> str | UploadedFile[Any]:
    """An address or a file. Raises Refused, ValidationError."""
    if refusal := uploads.upload_refusal(request._request):
        raise Refused(Kind.TOO_LARGE, refusal)
    given: str | UploadedFile[Any] = _only(MediaSerializer, told)["media"]
    return given


def _address(url: str) -> str:
    """Raises ValidationError for what nothing is fetched from or sent to, as far as that can be told at once."""
    try:
        return lookups.admitted(url)
    except ValidationError as error:
        raise ValidationError(str(error.detail[0]), code=BAD_ADDRESS) from error  # type: ignore[index]  # a list here


# --- the start --------------------------------------------------------------------------------------


class OptionsSerializer(SpeakersSerializer):
    """What `options` may hold, in place of what the profile says. One number of speakers takes the place of both."""

    model = serializers.CharField(required=False, max_length=100)
    translation_languages = fields.LanguagesField(required=False, max_length=MOST_TRANSLATIONS)

    def validate_model(self, name: str) -> str:
        if not models.is_known(name):
            known = ", ".join(["auto", *(model.name for model in models.known())])
            told = _("There is no model “%(name)s”. Choose one of: %(known)s.") % {"name": name, "known": known}
            raise ValidationError(told)
        return name

    def validate_translation_languages(self, codes: list[str]) -> list[str]:
        if codes and not queries.can_enrich(self.context["user"]):
            raise ValidationError(_("Your account may not use a language model. An administrator can allow it."))
        return codes


class StartSerializer(serializers.Serializer[Any]):
    """Of /job/perform_transcription."""

    url = serializers.CharField(required=False, allow_blank=True, default="", max_length=LONGEST_URL)
    options = fields.ObjectField(required=False, default=dict)
    finish_in = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=0, max_value=MOST_FINISH_IN
    )
    finish_with_error = serializers.BooleanField(required=False, default=False)

    def validate_url(self, url: str) -> str:
        return _address(url) if url else ""

    def validate_options(self, told: dict[str, Any]) -> dict[str, Any]:
        return _only(OptionsSerializer, told, **self.context)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        asked = {"finish_in": attrs["finish_in"] is not None, "finish_with_error": attrs["finish_with_error"]}
        if not self.context["is_sandbox"] and (given := [name for name, is_asked in asked.items() if is_asked]):
            raise ValidationError({name: [_("This is for tokens of the sandbox alone.")] for name in given})
        return attrs


def start(request: Request, told: Told, user: User, token: PersonalToken) -> orders.Start:
    asked = _only(StartSerializer, told, user=user, is_sandbox=token.is_sandbox)
    changes = dict(asked["options"])
    speakers = {name: changes.pop(name) for name in ("min_speakers", "max_speakers")}
    if any(speakers.values()):
        changes |= speakers
    if "translation_languages" in changes:
        changes["translation_target_languages"] = tuple(changes.pop("translation_languages"))
    fails = asked["finish_with_error"] and asked["finish_in"] is not None
    default = Script(finish_in=asked["finish_in"], error="internal_error" if fails else "")
    return orders.Start(
        callback_url=asked["url"], changes=changes, script=sandboxing.script_for(request, token, default=default)
    )


# --- what comes of it -------------------------------------------------------------------------------


class InfoSerializer(serializers.Serializer[Any]):
    """Of /job/info: nothing beside what every call has."""


class CaptionSerializer(serializers.Serializer[Any]):
    """Of /job/get_caption and /job/draft."""

    caption_format = serializers.CharField(required=False, allow_blank=True, default="", max_length=40)
    language = fields.LanguageField(required=False, allow_blank=True, default="")

    def validate_caption_format(self, told: str) -> str:
        name = _SAME_FORMATS.get(told.lower(), told.lower())
        if name and name not in FORMATS:
            known = ", ".join([*FORMATS, *_SAME_FORMATS])
            wrong = _("There is no such format. Choose one of: %(known)s.")
            raise ValidationError(wrong % {"known": known})
        return name


@dataclass(frozen=True, slots=True)
class Caption:
    """`language` is a code, empty for that of the recording."""

    format: str
    language: str
    profile: Profile


def demand_nothing_more(told: Told) -> None:
    _only(InfoSerializer, told)


def caption(told: Told, order: Order) -> Caption:
    asked = _only(CaptionSerializer, told)
    profile = orders.profile_of(order) or Profile()
    usual = "txt" if profile.captions == Captions.PLAIN else "srt"
    return Caption(asked["caption_format"] or usual, code_of(asked["language"]), profile)
