"""Looks after the sessions of a live process: who is idle, too long, gone for good, not allowed any more, or out of minutes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable

from django.conf import settings

from accounts.models import User
from whisper_jobs import limits, policy
from whisper_jobs.errors import FAILURES
from whisper_jobs.hearing import choosing, rows
from whisper_jobs.hearing.session import BACKEND_DOWN, End, Session
from whisper_jobs.hearing.sessions import AGAIN_SECONDS, Sessions, database

log = logging.getLogger(__name__)
Work = Callable[[Sessions], Awaitable[None]]
TURN_SECONDS = 0.5
#: Speech that nobody has read yet is kept in memory; behind by so much a session can't catch up.
MOST_LAG_SECONDS = 300.0
#: Between two signs of life in the rows, and between two looks at who may still speak.
SEEN_SECONDS, ALLOWED_SECONDS = 10.0, 20.0
FORGET_SECONDS = 3600.0
UNAUTHORIZED = "SCAIECHO_UNAUTHORIZED"
DROPPED = "The connection was lost, and nobody came back."
IDLE = "No sound came for a long time."
LONG = "The session was as long as this server allows."
BEHIND = "The server can't keep up with the words. What was heard is kept and becomes a recording."
FORBIDDEN = "Your organisation has forbidden what reads these words. What was heard is kept and becomes a recording."
NOT_ALLOWED = "The account or the token may not be used any more."


async def tend(sessions: Sessions) -> None:
    """For as long as the process lives. None of the works waits for another: a long recording is stored meanwhile."""
    works: tuple[tuple[Work, float], ...] = (
        (_end_those_over, TURN_SECONDS),
        (_tell_rows, SEEN_SECONDS),
        (_look_at_owners, ALLOWED_SECONDS),
        (Sessions.recover, AGAIN_SECONDS),
        (_forget_old, FORGET_SECONDS),
    )
    async with asyncio.TaskGroup() as group:
        for work, pause in works:
            group.create_task(_again_and_again(work, sessions, pause))


async def _again_and_again(work: Work, sessions: Sessions, pause: float) -> None:
    """What fails once, such as the database, is tried again."""
    while True:
        try:
            await work(sessions)
        except Exception:
            log.exception("live sessions could not be looked after")
        await asyncio.sleep(pause)


async def _end_those_over(sessions: Sessions) -> None:
    for session in sessions.held:
        if session.ending is None and (reason := _why_over(session)):
            session.end(End(reason=reason))
        elif session.ending is None and session.lag >= MOST_LAG_SECONDS:
            session.end(End(BEHIND, BACKEND_DOWN, BEHIND))


def _why_over(session: Session) -> str:
    """Why a session has to end now; empty while it may go on."""
    tools, now = settings.TOOLS, time.monotonic()
    if session.dropped_at is not None and now - session.dropped_at >= tools.live_resume_seconds:
        return DROPPED
    if now - session.heard_at >= tools.live_idle_minutes * 60:
        return IDLE
    return LONG if session.seconds >= tools.live_max_hours * 3600 else ""


async def _tell_rows(sessions: Sessions) -> None:
    await database(rows.seen, {session.id: session.audio_bytes for session in sessions.held})
    await database(rows.expire)


async def _forget_old(_sessions: Sessions) -> None:
    await database(rows.forget_old)


async def _look_at_owners(sessions: Sessions) -> None:
    held: defaultdict[int, list[Session]] = defaultdict(list)
    for session in sessions.held:
        if session.ending is None:
            held[session.opening.owner_id].append(session)
    gone = await database(rows.inactive, held)
    for owner_id, own in held.items():
        end = End(NOT_ALLOWED, UNAUTHORIZED, NOT_ALLOWED) if owner_id in gone else await _out_of_minutes(owner_id, own)
        for session in own if end else await _forbidden(owner_id, own):
            session.end(end or End(FORBIDDEN, choosing.NOT_USABLE, FORBIDDEN))
    for known in list(sessions.voices.values()):
        await database(choosing.forget_erased, known)


async def _forbidden(owner_id: int, own: list[Session]) -> list[Session]:
    """Those whose sound goes where the owner's organisation does not allow it any more."""
    allowed = await database(_allowed, owner_id)
    return [session for session in own if session.head.backend not in allowed]


def _allowed(owner_id: int) -> tuple[str, ...]:
    tenant = User.objects.values_list("tenant_id", flat=True).get(pk=owner_id)
    return policy.BACKENDS[policy.seen(tenant).allowed_backends]


async def _out_of_minutes(owner_id: int, own: list[Session]) -> End | None:
    """The sessions' own minutes are charged when they end, so that they are counted here."""
    message = await database(_lack, owner_id, sum(session.seconds_read for session in own))
    return End(message, choosing.QUOTA, message) if message else None


def _lack(owner_id: int, seconds: float) -> str:
    """Why an owner may have no more than these seconds; empty while there is more."""
    owner = User.objects.select_related("tenant").get(pk=owner_id)
    try:
        limits.demand(owner, seconds=seconds, jobs=0)
    except limits.LimitReached as error:
        return limits.failure(error.standing) or FAILURES["quota_exceeded"]
    return ""
