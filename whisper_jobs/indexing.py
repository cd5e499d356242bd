"""Lets the search know the recordings that are older than it, some at a time, so that nothing waits for them.

Each is indexed in a transaction of its own: stopped anywhere, it goes on with those that are left.
"""

from __future__ import annotations

import logging
import time

from django.db import OperationalError, transaction
from django.db.models import QuerySet

from whisper_jobs import search
from whisper_jobs.models import Job

log = logging.getLogger(__name__)
#: Looked up at once, and how long the lane's other work waits for them.
BATCH, SECONDS = 200, 2.0


def unknown() -> QuerySet[Job]:
    """Recordings that the search does not know, the newest first."""
    return Job.objects.exclude(search.has_head()).order_by("-pk")


def index(job_id: int) -> bool:
    """False when it was deleted meanwhile."""
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id).first()
        if job is not None:
            search.reindex(job)
    return job is not None


def catch_up(seconds: float = SECONDS) -> bool:
    """Indexes recordings for so long, one at least. False when none is left that can be."""
    until, done = time.monotonic() + seconds, 0
    for job_id in list(unknown().values_list("pk", flat=True)[:BATCH]):
        done += _tried(job_id)
        if done and time.monotonic() >= until:
            break
    return done > 0


def _tried(job_id: int) -> bool:
    """One that can't be indexed does not keep the others from it."""
    try:
        index(job_id)
    except OperationalError:
        raise
    except Exception:
        log.exception("recording %s could not be indexed", job_id)
        return False
    return True
