"""What a socket reads from the database: always through the same rule of who sees what, and in which channel (None: both)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from channels.db import database_sync_to_async

from accounts.models import User
from whisper_jobs import pace, payloads, queries
from whisper_jobs.states import UNHEARD

Json = dict[str, Any]
SEGMENTS_PER_MESSAGE = 200


def job(user: User, job_id: int, channel: str | None = None) -> Json | None:
    found = queries.visible_jobs(user, channel).filter(pk=job_id).first()
    if found is None:
        return None
    places, etas = pace.outlook([found])
    api = "transcribe" if channel else "native"
    return payloads.job_full(found, places.get(job_id), eta=etas.get(job_id), text_so_far=False, api=api)


def revision_of(user: User, job_id: int, channel: str | None = None) -> int | None:
    return queries.visible_jobs(user, channel).filter(pk=job_id).values_list("revision", flat=True).first()


def place(user: User, job_id: int, channel: str | None = None) -> Json | None:
    """Where a job that waits stands now and how long it will take; None for one that waits no more."""
    found = queries.visible_jobs(user, channel).filter(pk=job_id, stage__in=UNHEARD).first()
    if found is None:
        return None
    places, etas = pace.outlook([found])
    return {"queue_position": places.get(job_id), "eta_seconds": etas.get(job_id)}


async def segments(job_id: int, since: int) -> AsyncIterator[list[Json]]:
    """Segments stored after a revision, some hundred at a time."""
    offset = 0
    while page := await database_sync_to_async(_segments)(job_id, since, offset):
        yield page
        offset += SEGMENTS_PER_MESSAGE


def _segments(job_id: int, since: int, offset: int) -> list[Json]:
    rows = queries.segments_since(job_id, since)[offset : offset + SEGMENTS_PER_MESSAGE]
    return [payloads.segment(row) for row in rows]


def queue(user: User, channel: str | None = None) -> Json:
    found, following = queries.page_of_jobs(user, queries.ListFilter(), channel)
    places, etas = pace.outlook(found)
    return {
        "jobs": [payloads.job_summary(one, places.get(one.pk), etas.get(one.pk)) for one in found],
        "next": following,
        "summary": queries.summary(user, channel),
    }


def line(user: User, channel: str | None = None) -> Json:
    """Counts, and of this user's jobs that wait the places and how long they will take."""
    waiting = list(queries.visible_jobs(user, channel).filter(stage__in=UNHEARD)[:200])
    places, etas = pace.outlook(waiting)
    return {
        "summary": queries.summary(user, channel),
        "positions": places,
        "etas": etas,
    }
