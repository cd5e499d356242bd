"""What a session needs before it can begin: who may, which backend, engine and model, whose voices are known. Reads rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.conf import settings

from whisper_jobs import limits, policy, voices
from whisper_jobs.errors import JobError
from whisper_jobs.hearing.opening import ASKED_NOTHING, Asked, Opening
from whisper_jobs.hearing.session import BACKEND_DOWN
from whisper_jobs.hearing.spool import Head
from whisper_jobs.models import LiveSession, Speaker, Transport
from whisper_jobs.pipeline import backends, models
from whisper_jobs.speech.backends import Preference
from whisper_jobs.speech.recognition import Book, LiveVoices

NOT_FOUND, LOST = "SCAIECHO_WEBRTC_SESSION_NOT_FOUND", "SCAIECHO_WEBRTC_SESSION_STATE_LOST"
NOT_USABLE, QUOTA, TOO_MANY = "SCAIECHO_NO_USABLE_BACKEND", "SCAIECHO_QUOTA_EXCEEDED", "SCAIECHO_TOO_MANY_JOBS"
#: Wire codes of why a session can't be had.
_CODES = {"language_unsupported": "SCAIECHO_INVALID", "quota_exceeded": QUOTA}
_PREFERENCES: dict[str, Preference] = {"A": "A", "B": "B"}


class Refused(Exception):
    """There can be no such session; `code` is of the wire, the message a sentence that `told` knows."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class Known:
    """The voices of one session: the enrolled ones among them, what to call one, and how to let go of those who are erased."""

    speakers: set[UUID]
    label: Callable[[Sequence[float]], str]
    forget: Callable[[Collection[UUID]], None]


def opening(row: LiveSession, asked: Asked = ASKED_NOTHING) -> Opening:
    return Opening(
        session_id=row.pk,
        owner_id=row.owner_id,
        media_type=row.media_type,
        sample_rate=row.sample_rate,
        chunk_seconds=row.chunk_seconds,
        language=row.language,
        diarize=row.diarize,
        is_packed=row.transport == Transport.WEBSOCKET,
        ice_servers=row.ice_servers,
        asked=asked,
    )


def choose(row: LiveSession) -> Head:
    """The engine for this session, as a job of its owner would get it; nothing is downloaded meanwhile. Raises Refused."""
    language = row.language or None
    preference = _PREFERENCES.get(row.backend_preference, "any")
    wish = backends.Wish(settings.TOOLS.default_model, language, preference)
    try:
        limits.demand(row.owner)
        allowed = policy.allowed_for(row.owner)
        chosen = backends.chosen_for(wish, allowed, here=lambda: models.offer(wish.model, language))
    except policy.NoUsableBackend as error:
        raise Refused(NOT_USABLE, error.message) from error
    except JobError as error:
        raise Refused(_CODES.get(error.code, BACKEND_DOWN), error.message) from error
    except limits.LimitReached as error:
        raise Refused(TOO_MANY if isinstance(error, limits.TooManyJobs) else QUOTA, str(error)) from error
    choice = chosen.choice
    return Head(chosen.backend, choice.engine, choice.model, choice.quality, choice.reason, time.time())


def known_voices(row: LiveSession) -> Known | None:
    """How to call who speaks; None where that was not asked for."""
    if not row.diarize:
        return None
    entries = voices.book_for(row.owner)
    names = _names([speaker_id for speaker_id, _vector in entries])
    told_apart = LiveVoices(Book(entries), names)
    return Known(set(names), lambda vector: told_apart.label(np.asarray(vector, np.float32)), told_apart.forget)


def forget_erased(known: Known) -> None:
    """Takes those away who may not be recognised any more."""
    gone = known.speakers - set(voices.recognisable().filter(pk__in=known.speakers).values_list("pk", flat=True))
    if gone:
        known.speakers.difference_update(gone)
        known.forget(gone)


def _names(speakers: Sequence[UUID]) -> dict[UUID, str]:
    return dict(Speaker.objects.filter(pk__in=speakers).values_list("pk", "display_name"))
