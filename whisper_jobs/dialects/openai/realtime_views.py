"""Client secrets: what a server gets for a page that is to open a Realtime session by itself, in the shapes of both versions."""

from __future__ import annotations

import time
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from whisper_jobs.dialects.openai import realtime_keys, realtime_session
from whisper_jobs.dialects.openai.realtime_items import new_id
from whisper_jobs.dialects.openai.realtime_session import Json, Setup
from whisper_jobs.dialects.openai.views import OpenAIView
from whisper_jobs.dialects.refusals import Kind, Refused

#: Seconds that a secret is good for where the client says nothing, in this version and in the one before.
USUAL, USUAL_BEFORE = 600, 60
LEAST, MOST = 10, 7200


class SecretView(OpenAIView):
    #: JSON alone, by the server's own reader of it.
    parser_classes: Any = tuple(one for one in OpenAIView.parser_classes if issubclass(one, JSONParser))

    def secret(self, setup: Setup, seconds: int) -> Json:
        expires_at = int(time.time()) + seconds
        return {"value": realtime_keys.secret(self.token, setup, expires_at=expires_at), "expires_at": expires_at}


class ClientSecretsView(SecretView):
    def post(self, request: Request) -> Response:
        told = _only(request.data, "expires_after", "session")
        setup = realtime_session.updated(Setup(), told.get("session", {"type": "transcription"}))
        secret = self.secret(setup, _seconds(told.get("expires_after"), "expires_after", USUAL))
        session = {"id": new_id("sess"), "expires_at": 0, **realtime_session.told(setup)}
        return Response({**secret, "session": session})


class TranscriptionSessionsView(SecretView):
    def post(self, request: Request) -> Response:
        told = dict(_object(request.data, "session"))
        wanted = _only(told.pop("client_secret", None) or {}, "expires_at", of="client_secret")
        setup = realtime_session.updated_before(Setup(), told)
        secret = self.secret(setup, _seconds(wanted.get("expires_at"), "client_secret.expires_at", USUAL_BEFORE))
        session = {"id": new_id("sess"), "expires_at": 0, **realtime_session.told_before(setup)}
        return Response({**session, "client_secret": secret})


def _seconds(told: Any, name: str, usual: int) -> int:
    if told is None:
        return usual
    told = _only(told, "anchor", "seconds", of=name)
    seconds = told.get("seconds", usual)
    if told.get("anchor", "created_at") != "created_at":
        raise Refused(Kind.INVALID, _("Leave it out, or send “created_at”."), field=f"{name}.anchor")
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not LEAST <= seconds <= MOST:
        between = _("Send a whole number from %(least)d to %(most)d.") % {"least": LEAST, "most": MOST}
        raise Refused(Kind.INVALID, between, field=f"{name}.seconds")
    return seconds


def _only(told: Any, *names: str, of: str = "") -> Json:
    """An object with no other names than these. Raises Refused."""
    asked = _object(told, of or "session")
    if unknown := next((name for name in asked if name not in names), None):
        path = f"{of}.{unknown}"[:200].removeprefix(".")
        sentence = _("Unknown parameter: “%(name)s”.") % {"name": path}
        raise Refused(Kind.INVALID, sentence, code="unknown_parameter", field=path)
    return asked


def _object(told: Any, name: str) -> Json:
    if not isinstance(told, dict):
        raise Refused(Kind.INVALID, _("This is no JSON object."), field=name)
    return told
