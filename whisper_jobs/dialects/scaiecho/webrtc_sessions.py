"""WebRTC sessions as rows, and what is asked of the live process about them. Views and the control socket call this."""

from __future__ import annotations

import importlib.util
import logging
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from whisper_jobs import limits, policy
from whisper_jobs.dialects.scaiecho.errors import STATUSES, ScaiError
from whisper_jobs.hearing import client
from whisper_jobs.models import Channel, LiveSession, Transport
from whisper_jobs.models.live_session import OPEN_STATES, SessionState
from whisper_jobs.told import in_words_of_the_reader

log = logging.getLogger(__name__)
#: From making a session to its offer.
OFFER_SECONDS = 60

Json = dict[str, Any]


@cache
def _has_webrtc() -> bool:
    return all(importlib.util.find_spec(name) for name in ("aiortc", "av"))


def demand_possible() -> None:
    """Raises ScaiError where no WebRTC session can be had on this server."""
    if not settings.TOOLS.has_live:
        raise ScaiError("SCAIECHO_BACKEND_UNAVAILABLE", _("Live sessions are switched off on this server."))
    if not _has_webrtc():
        told = _("WebRTC is not installed on this server. Stream over the WebSocket instead.")
        raise ScaiError("SCAIECHO_WEBRTC_UNAVAILABLE", told)


def create(owner: User, told: Json, *, is_page: bool) -> LiveSession:
    """A session that waits for its offer. Raises ScaiError, LimitReached, NoUsableBackend."""
    demand_possible()
    policy.allowed_for(owner)
    limits.demand(owner)
    return LiveSession.objects.create(
        owner=owner,
        tenant_id=owner.tenant_id,
        transport=Transport.WEBRTC,
        channel=Channel.WEB if is_page else Channel.API,
        language=told["language_hint"],
        media_type=told["media_type"],
        sample_rate=told["sample_rate"],
        chunk_seconds=told["chunk_seconds"],
        backend_preference=told["backend_preference"],
        diarize=told["diarize"],
        ice_servers=[dict(server) for server in told["ice_servers"]],
        expires_at=timezone.now() + timedelta(seconds=OFFER_SECONDS),
    )


def find(owner: User, session_id: str) -> LiveSession:
    """The caller's own session, in whatever state. Raises ScaiError."""
    try:
        key = UUID(session_id)
    except ValueError as error:
        raise _not_found() from error
    row = LiveSession.objects.filter(pk=key, owner=owner, transport=Transport.WEBRTC).first()
    if row is None:
        raise _not_found()
    return row


def find_known(owner: User, session_id: str) -> LiveSession:
    """One that goes on, or that has ended well. Raises ScaiError."""
    row = find(owner, session_id)
    if row.state == SessionState.CREATED and row.expires_at <= timezone.now():
        _move(row, SessionState.EXPIRED)
    if row.state == SessionState.LOST:
        raise _state_lost()
    if row.state == SessionState.EXPIRED:
        raise _not_found()
    return row


def find_open(owner: User, session_id: str) -> LiveSession:
    """One that can still be connected to. Raises ScaiError."""
    row = find_known(owner, session_id)
    if row.state not in OPEN_STATES:
        raise _not_found()
    return row


def answer(row: LiveSession, sdp: str) -> str:
    """The live process's answer to an offer. Raises ScaiError."""
    question = {"op": "rtc.offer", "session_id": str(row.pk), "sdp": sdp, "ice_servers": row.ice_servers}
    return str(_ask(question)["sdp"])


def add_candidate(row: LiveSession, told: Json) -> None:
    """Before the offer there is nothing to add to; a peer is found by its own packets as well. Raises ScaiError."""
    if row.state != SessionState.CREATED:
        _ask({"op": "rtc.candidate", "session_id": str(row.pk), **told})


def close(row: LiveSession) -> None:
    """Ends it; what was heard becomes a recording. One that is over stays so. Raises ScaiError."""
    if row.state == SessionState.CREATED:
        _move(row, SessionState.CLOSED)
    if row.state in OPEN_STATES:
        _ask({"op": "rtc.close", "session_id": str(row.pk)})


def _move(row: LiveSession, state: SessionState) -> None:
    """Of one that waits for its offer; nothing when the offer came first. The row is then as it is."""
    waiting = LiveSession.objects.filter(pk=row.pk, state=SessionState.CREATED)
    waiting.update(state=state, closed_at=timezone.now())
    row.refresh_from_db()


def _ask(question: Json) -> Json:
    try:
        told = async_to_sync(client.ask)(question)
    except client.Unavailable as error:
        log.warning("the live process could not be asked: %s", error)
        sentence = _("Live transcription can't be reached now. Try again later.")
        raise ScaiError("SCAIECHO_BACKEND_UNAVAILABLE", sentence) from error
    if told.get("type") == "error":
        raise refusal(told)
    return told


def refusal(told: Json) -> ScaiError:
    """What the live process refuses with, in the terms of this dialect."""
    code = told.get("code", "")
    message = in_words_of_the_reader(str(told.get("message", "")))
    return ScaiError(code if code in STATUSES else "SCAIECHO_BACKEND_UNAVAILABLE", message)


def _not_found() -> ScaiError:
    told = _("There is no such session, or it has expired. Create a new one.")
    return ScaiError("SCAIECHO_WEBRTC_SESSION_NOT_FOUND", told)


def _state_lost() -> ScaiError:
    told = _("The session was lost when the server restarted. Create a new one.")
    return ScaiError("SCAIECHO_WEBRTC_SESSION_STATE_LOST", told)
