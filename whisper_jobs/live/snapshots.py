"""What a socket reads from the database: always through the same rule of who sees what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from channels.db import database_sync_to_async

from accounts.models import User
from whisper_jobs import payloads, queries
from whisper_jobs.states import UNHEARD

Json = dict[str, Any]
SEGMENTS_PER_MESSAGE = 200


def job(user: User, job_id: int) -> Json | None:
    found = queries.visible_jobs(user).filter(pk=job_id).first()
    return payloads.job_full(found, queries.positions([found]).get(found.pk), text_so_far=False) if found else None


def revision_of(user: User, job_id: int) -> int | None:
    return queries.visible_jobs(user).filter(pk=job_id).values_list("revision", flat=True).first()


async def segments(job_id: int, since: int) -> AsyncIterator[list[Json]]:
    """Segments stored after a revision, some hundred at a time."""
    offset = 0
    while page := await database_sync_to_async(_segments)(job_id, since, offset):
        yield page
        offset += SEGMENTS_PER_MESSAGE


def _segments(job_id: int, since: int, offset: int) -> list[Json]:
    rows = queries.segments_since(job_id, since)[offset : offset + SEGMENTS_PER_MESSAGE]
    return [payloads.segment(row) for row in rows]


def queue(user: User) -> Json:
    found, following = queries.page_of_jobs(user, queries.ListFilter())
    places = queries.positions(found)
    return {
        "jobs": [payloads.job_summary(one, places.get(one.pk)) for one in found],
        "next": following,
        "summary": queries.summary(user),
    }


def line(user: User) -> Json:
    """Counts, and the places of this user's jobs that wait."""
    waiting = list(queries.visible_jobs(user).filter(stage__in=UNHEARD)[:200])
    return {"summary": queries.summary(user), "positions": queries.positions(waiting)}
