"""The callback's row through the life of its job: made with it, made due when it ends, made anew when it is restarted.

Each is called inside the transaction that changes the job, so that no callback tells of what was rolled back. Sending is
callbacks' work.
"""

from __future__ import annotations

from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from accounts.models import PersonalToken
from whisper_jobs.addresses import host_of
from whisper_jobs.models import Delivery, DeliveryForm, DeliveryState, Job

COMPLETED, FAILED, TEST = "whisper.job.completed", "whisper.job.failed", "whisper.test"
HOST_CHARACTERS = 255


def add(job: Job, url: str, token: PersonalToken | None, *, form: str = DeliveryForm.ENVELOPE) -> Delivery:
    """`url` has passed outbound.Guard.check_url."""
    return Delivery.objects.create(job=job, url=url, host=host_of(url)[:HOST_CHARACTERS], token=token, form=form)


def add_test(token: PersonalToken, url: str) -> Delivery:
    """Due at once; it belongs to no job."""
    told = {"event": TEST, "state": DeliveryState.DUE, "due_at": timezone.now()}
    return Delivery.objects.create(url=url, host=host_of(url)[:HOST_CHARACTERS], token=token, **told)


def make_due(job: Job, event: str) -> bool:
    """The job has ended: its callback may be sent from the commit on. False when nobody asked for one."""
    held = Delivery.objects.filter(job=job, state=DeliveryState.HELD)
    return bool(held.update(state=DeliveryState.DUE, event=event, due_at=timezone.now()))


def renew(job: Job) -> None:
    """A restarted job will end once more, so it calls back once more; what was not sent yet would be stale news."""
    last = Delivery.objects.filter(job=job).order_by("-id").first()
    if last is None or last.state == DeliveryState.HELD:
        return
    drop_unsent(job)
    add(job, last.url, last.token, form=last.form)


def drop_unsent(job: Job) -> None:
    """In one statement, so that none is claimed in between: one that is on its way right now is not tried again."""
    unclaimed = Case(When(Q(run_id=None), then=Value(DeliveryState.DROPPED)), default=F("state"))
    Delivery.objects.filter(job=job, state=DeliveryState.DUE).update(state=unclaimed, due_at=None)
