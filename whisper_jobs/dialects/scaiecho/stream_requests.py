"""The open frame of the WebSocket → a row for the session, or the one that goes on; a sentence for what can't be accepted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers

from accounts.models import User
from whisper_jobs import limits, policy
from whisper_jobs.dialects.scaiecho.errors import ScaiError
from whisper_jobs.dialects.scaiecho.live_access import may_tell_speakers_apart
from whisper_jobs.dialects.scaiecho.requests import LanguageHintField, PreferenceField
from whisper_jobs.exports import NumberField
from whisper_jobs.media.streamed import MEDIA_TYPES, is_known
from whisper_jobs.models import Channel, LiveSession, Transport

#: A row that was made is opened at once.
OPEN_SECONDS = 60
Json = dict[str, Any]


class MediaTypeField(serializers.CharField):
    """As browsers write them: spaces, capitals and parameters don't count."""

    def __init__(self) -> None:
        super().__init__(default="audio/wav", max_length=60)

    def run_validation(self, data: Any = serializers.empty) -> str:
        kind: str = super().run_validation(data)
        if not is_known(kind):
            told = _("media_type is one of: %(known)s.") % {"known": ", ".join(MEDIA_TYPES)}
            raise serializers.ValidationError(told)
        return kind


class OpenSerializer(serializers.Serializer[Any]):
    language_hint = LanguageHintField()
    media_type = MediaTypeField()
    backend_preference = PreferenceField()
    chunk_seconds = NumberField(default=5.0, min_value=0.5, max_value=60.0)
    sample_rate = serializers.IntegerField(default=16_000, min_value=8_000, max_value=48_000)
    diarize = serializers.BooleanField(default=False)


class ResumeSerializer(serializers.Serializer[Any]):
    """`after`: where the last final words end that the client has."""

    resume = serializers.UUIDField()
    after = NumberField(default=0.0, min_value=0.0)


@dataclass(frozen=True, slots=True)
class Opened:
    """What the live process is asked first."""

    session_id: UUID
    op: str
    after: float = 0.0


def frame(text: str) -> Json:
    """A text frame. Raises ScaiError."""
    try:
        told = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ScaiError("SCAIECHO_INVALID", _("This frame is no JSON.")) from error
    if not isinstance(told, dict) or not isinstance(told.get("type"), str):
        raise ScaiError("SCAIECHO_INVALID", _("A text frame is a JSON object with a “type”."))
    return told


def _refuse(name: str) -> NoReturn:
    """NaN and the like are no JSON, and no number that anything can be compared with."""
    raise ValueError(name)


def opened(owner: User, told: Json, *, is_page: bool) -> Opened:
    """Raises ValidationError, ScaiError, LimitReached, NoUsableBackend."""
    if told.get("resume") is not None:
        return _resumed(owner, told)
    form = OpenSerializer(data=told)
    form.is_valid(raise_exception=True)
    if form.validated_data["diarize"] and not may_tell_speakers_apart(owner, is_page=is_page):
        raise ScaiError("SCAIECHO_FORBIDDEN", _("Telling speakers apart needs the permission scaiecho:diarize."))
    if not settings.TOOLS.has_live:
        raise ScaiError("SCAIECHO_BACKEND_UNAVAILABLE", _("Live sessions are switched off on this server."))
    policy.allowed_for(owner)
    limits.demand(owner)
    return Opened(_made(owner, form.validated_data, is_page=is_page).pk, "open")


def _made(owner: User, told: Json, *, is_page: bool) -> LiveSession:
    kept = ("media_type", "backend_preference", "chunk_seconds", "sample_rate", "diarize")
    return LiveSession.objects.create(
        owner=owner,
        tenant_id=owner.tenant_id,
        transport=Transport.WEBSOCKET,
        channel=Channel.WEB if is_page else Channel.API,
        language=told["language_hint"],
        expires_at=timezone.now() + timedelta(seconds=OPEN_SECONDS),
        **{name: told[name] for name in kept},
    )


def _resumed(owner: User, told: Json) -> Opened:
    form = ResumeSerializer(data=told)
    form.is_valid(raise_exception=True)
    mine = LiveSession.objects.filter(owner=owner, transport=Transport.WEBSOCKET)
    row = mine.filter(pk=form.validated_data["resume"]).first()
    if row is None:
        raise ScaiError("SCAIECHO_NOT_FOUND", _("There is no such session."))
    if row.closed_at:
        job = {"job_id": str(row.job_id)} if row.job_id else {}
        raise ScaiError("SCAIECHO_NOT_FOUND", _("This session has ended."), **job)
    return Opened(row.pk, "resume", form.validated_data["after"])
