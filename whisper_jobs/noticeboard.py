"""The notices of a job that ends: rows for its owner's mail and browsers, made in the transaction that ends it.

Sending them is the work of notices. Only recordings of the web queue are announced; programs are called back.
"""

from __future__ import annotations

from django.utils import timezone

from accounts.models import User
from whisper_jobs.models import Channel, Job, Notice, NoticeState, PushSubscription


def post(job: Job) -> bool:
    """False when nobody is to be told. What an earlier end of this job has not told yet is old news, and goes."""
    if job.channel != Channel.WEB or job.failure_code == "cancelled":
        return False
    # The browsers first: whoever forgets one locks it before its notices.
    wanted: list[PushSubscription | None] = [*_browsers(job), *([None] if _wants_mail(job) else [])]
    Notice.objects.filter(job=job, state=NoticeState.DUE, run_id=None).delete()
    now = timezone.now()
    made = [Notice(job=job, user_id=job.owner_id, subscription=one, due_at=now) for one in wanted]
    return bool(Notice.objects.bulk_create(made))


def _wants_mail(job: Job) -> bool:
    return User.objects.filter(pk=job.owner_id, is_active=True, mails_when_done=True).exists()


def _browsers(job: Job) -> list[PushSubscription]:
    """Locked, since a browser that unsubscribes at this moment would have the database refuse the end of the job."""
    found = PushSubscription.objects.filter(user_id=job.owner_id, user__is_active=True)
    return list(found.select_for_update(no_key=True, of=("self",)))
