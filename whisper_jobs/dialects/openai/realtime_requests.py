"""The events of Realtime clients, and the address that they open: wire → what is asked, or a refusal in words for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, NoReturn
from urllib.parse import parse_qs

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from whisper_jobs import limits, policy
from whisper_jobs.dialects.openai import models_list, realtime_session
from whisper_jobs.dialects.openai.realtime_session import LIVE_MODELS, Setup
from whisper_jobs.dialects.openai.requests import PROMPT_CHARACTERS
from whisper_jobs.dialects.refusals import Kind, Refused
from whisper_jobs.models import Channel, LiveSession, Transport

APPEND, COMMIT, CLEAR = (f"input_audio_buffer.{verb}" for verb in ("append", "commit", "clear"))
UPDATE, UPDATE_BEFORE = "session.update", "transcription_session.update"
EVENTS = (UPDATE, UPDATE_BEFORE, APPEND, COMMIT, CLEAR)
#: What clients of conversations send, which are not held here.
_OF_CONVERSATIONS = ("response.", "conversation.item.", "output_audio_buffer.")
#: A row that was made is opened at once.
OPEN_SECONDS = 60
#: As OpenAI has it.
LEAST_COMMIT_SECONDS = 0.1
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    kind: str
    #: The client's own number of it, told again with an error.
    id: str | None
    told: Mapping[str, Any]


def event(text: str) -> Event:
    """Raises Refused."""
    try:
        told = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Refused(Kind.NOT_ALLOWED, _("This event is no JSON."), code="invalid_json") from error
    if not isinstance(told, dict):
        raise Refused(Kind.NOT_ALLOWED, _("An event is a JSON object with a “type”."), code="invalid_event")
    number, kind = told.get("event_id"), told.get("type")
    return Event(kind if isinstance(kind, str) else "", number[:512] if isinstance(number, str) else None, told)


def _refuse(name: str) -> NoReturn:
    """NaN and the like are no JSON, and no number that anything can be compared with."""
    raise ValueError(name)


def demand_known(asked: Event) -> None:
    """Raises Refused."""
    if asked.kind in EVENTS:
        return
    if not asked.kind:
        raise Refused(Kind.INVALID, "", code="required", field="type")
    if asked.kind.startswith(_OF_CONVERSATIONS):
        told = _("“%(name)s” is for conversations. This server transcribes, and gives no responses.")
        raise Refused(Kind.INVALID, told % {"name": asked.kind[:100]}, field="type")
    told = _("There is no event “%(name)s”. Those that can be sent are: %(known)s.")
    raise Refused(Kind.INVALID, told % {"name": asked.kind[:100], "known": ", ".join(EVENTS)}, field="type")


def session(setup: Setup, asked: Event, *, is_heard: bool) -> Setup:
    """What the session is from now on. Raises Refused."""
    if "session" not in asked.told:
        raise Refused(Kind.INVALID, "", code="required", field="session")
    read = realtime_session.updated_before if asked.kind == UPDATE_BEFORE else realtime_session.updated
    new = read(setup, asked.told["session"])
    if is_heard and _fixed(new) != _fixed(setup):
        told = _("The format, the model, the delay and turn_detection can't be changed once sound was appended.")
        raise Refused(Kind.NOT_ALLOWED, told, code="session_has_begun")
    return new


def _fixed(setup: Setup) -> Setup:
    """The part that a session which has begun keeps."""
    return replace(setup, language="", prompt="", keywords=(), logprobs=False, model="" if not setup.diarizes else "d")


def asked_for(query: bytes) -> Setup:
    """By the address: `intent=transcription`, or a `model` that transcribes. Raises Refused."""
    told = parse_qs(query.decode("latin-1"))
    intent, model = (told.get(name, [""])[0] for name in ("intent", "model"))
    if intent not in ("", "transcription"):
        raise Refused(
            Kind.INVALID, _("This server transcribes: leave “intent” out, or send “transcription”."), field="intent"
        )
    known = (*models_list.OPENAI, *LIVE_MODELS, models_list.AUTO, settings.TOOLS.default_model)
    if model in known:
        return Setup(model=model)
    if model and not intent:
        told_model = _("“%(name)s” is no model that transcribes live. Connect with intent=transcription.")
        raise Refused(Kind.NOT_FOUND, told_model % {"name": model[:100]}, code="model_not_found", field="model")
    return Setup()


def demand_enough(seconds: float) -> None:
    """Raises Refused."""
    if seconds < LEAST_COMMIT_SECONDS:
        told = _("There is too little sound to commit: %(ms).2f ms. Append at least 100 ms.")
        raise Refused(Kind.NOT_ALLOWED, told % {"ms": 1000 * max(0.0, seconds)}, code="input_audio_buffer_commit_empty")


# --- what the live process is asked -----------------------------------------------------------------


def made(owner: User, setup: Setup) -> LiveSession:
    """Raises LimitReached, NoUsableBackend."""
    policy.allowed_for(owner)
    limits.demand(owner)
    return LiveSession.objects.create(
        owner=owner,
        tenant_id=owner.tenant_id,
        transport=Transport.WEBSOCKET,
        channel=Channel.API,
        language=setup.language,
        media_type="audio/pcm",
        sample_rate=setup.rate,
        chunk_seconds=setup.chunk_seconds,
        diarize=setup.diarizes,
        expires_at=timezone.now() + timedelta(seconds=OPEN_SECONDS),
    )


def opening(row: LiveSession, setup: Setup) -> Json:
    return {"op": "open", "session_id": str(row.pk), "turns": _turns(setup), **_hints(setup)}


def hinting(setup: Setup) -> Json:
    return {"op": "hint", "language": setup.language, **_hints(setup)}


def _turns(setup: Setup) -> Json:
    vad = setup.vad
    if vad is None:
        return {}
    padding, silence = vad.prefix_padding_ms / 1000, vad.silence_duration_ms / 1000
    return {"threshold": vad.threshold, "padding": padding, "silence": silence}


def _hints(setup: Setup) -> Json:
    return {"prompt": setup.prompt[-PROMPT_CHARACTERS:], "hotwords": list(setup.keywords)}
