"""The rows of live sessions, as the live process writes them. A session that has ended is not opened again by any of these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from whisper_jobs import queries
from whisper_jobs.models import LiveSession
from whisper_jobs.models.live_session import OPEN_STATES, SessionState

_REASON_CHARACTERS = 300
_SPEAK = "whisper.scaiecho_transcribe"
#: A live process writes a sign of life every few seconds.
SILENT = timedelta(minutes=1)
#: A session that has ended is known for so long.
TOLD = timedelta(days=30)
#: The servers that a client named come with its passwords there.
_WITHOUT_PASSWORDS: dict[str, list[object]] = {"ice_servers": []}


def of(session_id: UUID) -> LiveSession | None:
    return LiveSession.objects.select_related("owner").filter(pk=session_id).first()


def begin(session_id: UUID, process: str, *, longest: timedelta) -> bool:
    """Somebody is there: the session is live, in this process. False for one that was opened before, or has ended."""
    now = timezone.now()
    fresh = LiveSession.objects.filter(pk=session_id, state=SessionState.CREATED, process="")
    told = {"state": SessionState.LIVE, "process": process, "seen_at": now, "expires_at": now + longest}
    return fresh.update(**told) == 1


def cannot_begin(session_id: UUID, reason: str) -> None:
    unheard = LiveSession.objects.filter(pk=session_id, state__in=OPEN_STATES)
    told = {"state": SessionState.CLOSED, "reason": reason[:_REASON_CHARACTERS], "closed_at": timezone.now()}
    unheard.update(**told, **_WITHOUT_PASSWORDS)


def drop(session_id: UUID, *, until: timedelta) -> None:
    live = LiveSession.objects.filter(pk=session_id, state=SessionState.LIVE)
    live.update(state=SessionState.DROPPED, expires_at=timezone.now() + until)


def pick_up(session_id: UUID, *, longest: timedelta) -> None:
    dropped = LiveSession.objects.filter(pk=session_id, state=SessionState.DROPPED)
    dropped.update(state=SessionState.LIVE, expires_at=timezone.now() + longest)


def end(session_id: UUID, reason: str, audio_bytes: int) -> None:
    """What was heard is being made a recording (see heard)."""
    told = {"state": SessionState.ENDING, "reason": reason[:_REASON_CHARACTERS], "audio_bytes": audio_bytes}
    LiveSession.objects.filter(pk=session_id, state__in=OPEN_STATES).update(**told, **_WITHOUT_PASSWORDS)


@transaction.atomic
def seen(audio_bytes: Mapping[UUID, int]) -> None:
    """Signs of life of the sessions that this process holds."""
    now = timezone.now()
    for session_id, heard in audio_bytes.items():
        LiveSession.objects.filter(pk=session_id).update(audio_bytes=heard, seen_at=now)


def expire() -> None:
    """Sessions that nobody has come to."""
    late = LiveSession.objects.filter(state=SessionState.CREATED, expires_at__lt=timezone.now())
    late.update(state=SessionState.EXPIRED, closed_at=timezone.now(), **_WITHOUT_PASSWORDS)


def forget_old() -> None:
    """What became of sessions is told for a while; their recordings stay."""
    LiveSession.objects.filter(closed_at__lt=timezone.now() - TOLD).delete()


def lose_all_but(process: str, kept: Iterable[UUID]) -> None:
    """Sessions that give no sign of life any more, and of which nothing is on this disk."""
    open_states = [state for state in (*OPEN_STATES, SessionState.ENDING) if state != SessionState.CREATED]
    silent = LiveSession.objects.filter(state__in=open_states, seen_at__lt=timezone.now() - SILENT)
    gone = silent.exclude(process=process).exclude(pk__in=list(kept))
    gone.update(state=SessionState.LOST, closed_at=timezone.now(), **_WITHOUT_PASSWORDS)


def inactive(owners: Iterable[int]) -> set[int]:
    """Those of these users who may speak no more. A session over WebRTC may have no socket that would look."""
    wanted = set(owners)
    people = User.objects.filter(pk__in=wanted, is_active=True)
    return wanted - {user.pk for user in people if user.has_perm(_SPEAK) or queries.can_use(user)}
