"""Deletes the original media of jobs that have ended long ago, for tenants that keep it for some days. The words stay."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from whisper_jobs import audit, policy, uploads
from whisper_jobs.models import Job, JobVoice, Step, Waveform
from whisper_jobs.pen import Edit, Gone, editing
from whisper_jobs.states import TERMINAL, StepState

#: In one transaction, with one entry in the audit log.
BATCH = 50
#: Of one tenant at once; the rest waits for the next round.
MOST = 1000
_AT_WORK = (StepState.READY, StepState.RUNNING, StepState.WAITING)


def reap() -> int:
    """Returns how many jobs have lost their sound."""
    return sum(_reap(tenant, days) for tenant, days in policy.retention().items())


def due(tenant: int, days: int) -> int:
    """How many would lose their sound at once if it were kept for so many days."""
    return _due(tenant, timezone.now() - timedelta(days=days)).count()


def _reap(tenant: int, days: int) -> int:
    then = timezone.now() - timedelta(days=days)
    jobs = list(_due(tenant, then).values_list("pk", flat=True)[:MOST])
    batches = (jobs[start : start + BATCH] for start in range(0, len(jobs), BATCH))
    return sum(_expire(tenant, days, batch, then) for batch in batches)


def _due(tenant: int, then: datetime) -> QuerySet[Job]:
    """Oldest first. A step that was asked for again, such as telling speakers apart, still needs the sound."""
    ended = Job.objects.filter(tenant=tenant, stage__in=TERMINAL, completed_at__lte=then, media__gt="")
    return ended.filter(~Exists(_steps_at_work(OuterRef("pk")))).order_by("pk")


def _steps_at_work(job: int | OuterRef) -> QuerySet[Step]:
    return Step.objects.filter(job=job, state__in=_AT_WORK)


def _expire(tenant: int, days: int, jobs: list[int], then: datetime) -> int:
    """The rows forget the files in one transaction with the entry that tells of it, and then the files go.

    A process that dies in between leaves files that no row knows, which uploads.reap_orphans deletes.
    """
    with transaction.atomic():
        gone = [media for media in (_forget(job, then) for job in jobs) if media]
        if gone:
            told = {"jobs": [job for job, _media, _size in gone], "bytes": sum(size for _job, _media, size in gone)}
            subject = f"tenant {tenant}"
            audit.record("media.expired", subject, actor=None, tenant=tenant, count=len(gone), days=days, **told)
    for _job, media, _size in gone:
        uploads.remove(media)
    return len(gone)


def _forget(job_id: int, then: datetime) -> tuple[int, str, int] | None:
    """Key, media and size of a job that has none any more; None for one that is gone, or at work again meanwhile."""
    try:
        with editing(job_id) as edit:
            job = edit.job
            if not _is_due(edit, then):
                return None
            had = (job.pk, job.media, job.source_size_bytes or 0)
            job.media, job.media_removed_at = "", edit.now
            Waveform.objects.filter(job=job).delete()
            # A voice is as good as the sound that it was heard in.
            JobVoice.objects.filter(job=job).update(sealed="")
            edit.log("The time for which the sound is kept is over: it was deleted. The words stay.")
            return had
    except Gone:
        return None


def _is_due(edit: Edit, then: datetime) -> bool:
    job = edit.job
    ended = job.is_terminal and job.completed_at is not None and job.completed_at <= then
    return ended and bool(job.media) and not _steps_at_work(job.pk).exists()
