"""Verbs for the trash: into it, out of it, and what has lain there long enough goes for good. Each is one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from whisper_jobs import lifecycle
from whisper_jobs.models import Job
from whisper_jobs.pen import Gone, editing
from whisper_jobs.runs import NotAllowed
from whisper_jobs.states import Stage

#: Deleted at once; the rest waits for the next round.
MOST_REAPED = 500


def discard(job_id: int) -> Job:
    """Moves a job into the trash; one that waits in the queue is cancelled first. Raises NotAllowed, Gone."""
    with transaction.atomic():
        if Job.objects.filter(pk=job_id, stage=Stage.QUEUED).exists():
            lifecycle.request_cancel(job_id)
        with editing(job_id) as edit:
            job = edit.job
            if not job.is_terminal:
                raise NotAllowed(_("This recording is being worked on. Cancel it first, then move it to the trash."))
            job.trashed_at = job.trashed_at or edit.now
    return job


def restore(job_id: int) -> Job:
    """Takes a job out of the trash; it is as it was. Raises Gone."""
    with editing(job_id) as edit:
        edit.job.trashed_at = None
    return edit.job


def delete(job_id: int) -> None:
    """For good. Raises NotAllowed for one that is not in the trash, or no longer, Gone."""
    _delete(job_id, timezone.now())


def reap(after: timedelta) -> int:
    """Deletes for good what has been in the trash for so long. Returns how many."""
    then = timezone.now() - after
    long_ago = Job.objects.filter(trashed_at__lte=then).order_by("trashed_at")
    return sum(_reaped(job_id, then) for job_id in long_ago.values_list("pk", flat=True)[:MOST_REAPED])


def _reaped(job_id: int, then: datetime) -> bool:
    """False when somebody took it out, or deleted it, meanwhile."""
    try:
        _delete(job_id, then)
    except (Gone, NotAllowed):
        return False
    return True


def _delete(job_id: int, thrown_away_by: datetime) -> None:
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id).first()
        if job is None:
            raise Gone(job_id)
        if job.trashed_at is None or job.trashed_at > thrown_away_by:
            raise NotAllowed(_("This recording is not in the trash."))
        lifecycle.delete(job_id)
