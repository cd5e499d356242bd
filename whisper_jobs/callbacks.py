"""Verbs for deliveries: claim, record, free, send once more. Each is one short transaction; a deliverer sends between two.

The claim is exclusive and fenced like a step's. An answer that was not recorded, because the process died, leads to another
attempt with the same id: at least once, never by two at a time.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Min, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import tokens
from accounts.models import PersonalToken
from whisper_jobs import envelope, outbox, posting
from whisper_jobs.doorbell import ring_on_commit
from whisper_jobs.models import Attempt, Delivery, DeliveryForm, DeliveryState, Job, Order
from whisper_jobs.outbound import Guard
from whisper_jobs.pen import Edit, Gone, editing
from whisper_jobs.posting import Letter, Outcome
from whisper_jobs.runs import NotAllowed
from whisper_jobs.sandbox import MOST_CALLBACK_FAILURES, script_of
from whisper_jobs.states import Lane, Stage

#: Between one attempt and the next, give or take a tenth; after the last there is no other.
PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
#: The last attempt in the status form comes within 48 hours.
STATUS_PAUSES = (*PAUSES[:6], timedelta(hours=12), timedelta(hours=12))
PAUSES_OF = {DeliveryForm.ENVELOPE: PAUSES, DeliveryForm.STATUS: STATUS_PAUSES}
SANDBOX_PAUSES = (timedelta(seconds=1),) * MOST_CALLBACK_FAILURES
JITTER = 0.1
#: A claim is never as old: an exchange takes 15 s at most. Who held it is dead or cut off.
LEASE = timedelta(seconds=60)
#: Rows looked at in one go when choosing which to claim.
PAGE = 200
TESTS_KEPT = timedelta(days=7)
_UNCLAIMED = {"run_id": None, "worker": "", "claimed_at": None}


# --- claims ---------------------------------------------------------------------------------------


def claim(worker: str, *, slots: int, room: Callable[[str], int], full: Collection[str] = ()) -> list[Delivery]:
    """Takes up to `slots` due deliveries, the longest due first, of each host no more than it has `room`; none of `full`."""
    chosen = _choose(slots, room, set(full))
    if not chosen:
        return []
    run_id, free = uuid4(), _due().filter(pk__in=chosen)
    with transaction.atomic():
        # What another deliverer is taking at this moment is its own. Where there is no such lock, writers queue anyway.
        mine = list(free.select_for_update(skip_locked=True).values_list("pk", flat=True))
        free.filter(pk__in=mine).update(run_id=run_id, worker=worker, claimed_at=timezone.now())
    return list(Delivery.objects.filter(run_id=run_id).select_related("job", "token").order_by("due_at", "id"))


def _due() -> QuerySet[Delivery]:
    return Delivery.objects.filter(state=DeliveryState.DUE, run_id=None, due_at__lte=timezone.now())


def _choose(slots: int, room: Callable[[str], int], full: set[str]) -> list[int]:
    """Every look at a page chooses at least one or is the last, so there are no more looks than slots."""
    chosen: list[int] = []
    taken: Counter[str] = Counter()
    while len(chosen) < slots:
        line = _due().exclude(host__in=full).exclude(pk__in=chosen).order_by("due_at", "id")
        page = list(line.values_list("pk", "host")[:PAGE])
        for pk, host in page:
            if host not in full and len(chosen) < slots:
                chosen.append(pk)
                taken[host] += 1
            if taken[host] >= room(host):
                full.add(host)
        if len(page) < PAGE:
            break
    return chosen


def next_due(full: Collection[str] = ()) -> datetime | None:
    """When the next delivery that nobody has claimed is due; past when it is so already."""
    unclaimed = Delivery.objects.filter(state=DeliveryState.DUE, run_id=None, due_at__isnull=False)
    at: datetime | None = unclaimed.exclude(host__in=full).aggregate(at=Min("due_at"))["at"]
    return at


def free(worker: str) -> int:
    """Frees what a deliverer had claimed that is known to be dead. It goes behind others that are due: it may have been why."""
    return _release(Delivery.objects.filter(worker=worker, run_id__isnull=False), timezone.now())


def free_silent() -> int:
    """Frees claims that are older than any exchange can last."""
    silent = Delivery.objects.filter(run_id__isnull=False, claimed_at__lt=timezone.now() - LEASE)
    return _release(silent, timezone.now())


def hand_back(deliveries: Sequence[Delivery]) -> int:
    """This process ends with these on their way. They are sent again when what was begun here can't arrive any more."""
    runs = {delivery.run_id for delivery in deliveries}
    mine = Delivery.objects.filter(pk__in=[delivery.pk for delivery in deliveries], run_id__in=runs)
    return _release(mine, timezone.now() + timedelta(seconds=posting.TIMEOUT_SECONDS))


def _release(claimed: QuerySet[Delivery], due_at: datetime) -> int:
    """No attempt is counted. Those of jobs that were restarted meanwhile are stale, and dropped."""
    stale = When(due_at=None, then=Value(DeliveryState.DROPPED))
    again = When(due_at__isnull=False, then=Value(due_at))
    return claimed.update(**_UNCLAIMED, state=Case(stale, default=F("state")), due_at=Case(again, default=None))


# --- what is sent ---------------------------------------------------------------------------------


def letter_of(delivery: Delivery) -> Letter | None:
    """What to send now. None when the job has been restarted since, so that this is no news any more."""
    if not _is_news(delivery):
        return None
    is_status = delivery.form == DeliveryForm.STATUS
    return Letter(
        url=delivery.url,
        message_id=delivery.webhook_id,
        body=envelope.form_encoded(_status(delivery)) if is_status else envelope.json_encoded(_envelope(delivery)),
        secrets=tokens.signing_secrets(delivery.token) if delivery.token else (),
        content_type=envelope.FORM if is_status else envelope.JSON,
        needs_ok=is_status,
    )


def _is_news(delivery: Delivery) -> bool:
    ended = {outbox.FAILED: Stage.FAILED, outbox.COMPLETED: Stage.COMPLETED}
    return delivery.job is None or delivery.job.stage == ended.get(delivery.event)


def _envelope(delivery: Delivery) -> envelope.Json:
    job, thin = delivery.job, delivery.token is not None and delivery.token.thin_callbacks
    if job is None:
        return envelope.test()
    if job.stage == Stage.FAILED:
        return envelope.failed(job)
    return envelope.completed(job, envelope.read(job, thin=thin), thin=thin)


def _status(delivery: Delivery) -> envelope.Json:
    assert delivery.job is not None
    return envelope.status(delivery.job, Order.objects.filter(job=delivery.job).first())


def drop(delivery: Delivery) -> None:
    mine = Delivery.objects.filter(pk=delivery.pk, run_id=delivery.run_id)
    mine.update(**_UNCLAIMED, state=DeliveryState.DROPPED, due_at=None)


# --- how it ended ---------------------------------------------------------------------------------


def record(delivery: Delivery, outcome: Outcome) -> bool:
    """Stores how an attempt ended and what comes next. False when the claim was lost or the job is gone: nothing is stored."""
    try:
        with _writing(delivery) as edit:
            held = Delivery.objects.select_for_update().filter(pk=delivery.pk, run_id=delivery.run_id)
            row = held.first()
            if row is None:
                return False
            forced = edit is not None and row.attempts < _failures_wanted(edit.job)
            outcome = replace(outcome, failure=outcome.failure or "sandbox") if forced else outcome
            _settle(row, outcome, SANDBOX_PAUSES if forced else PAUSES_OF[DeliveryForm(row.form)])
            row.save()
            _note(row, outcome)
            if edit is not None:
                _tell(edit, row)
    except Gone:
        return False
    return True


def _failures_wanted(job: Job) -> int:
    """So many first attempts of a callback of the sandbox are taken as failed, whatever the receiver said."""
    return script_of(job.sandbox).callback_failures if job.sandbox else 0


@contextmanager
def _writing(delivery: Delivery) -> Iterator[Edit | None]:
    """Locks the job, as every verb does before it touches rows of it. A test has none."""
    if delivery.job_id is None:
        with transaction.atomic():
            yield None
    else:
        with editing(delivery.job_id) as edit:
            yield edit


def _settle(row: Delivery, outcome: Outcome, pauses: Sequence[timedelta]) -> None:
    now = timezone.now()
    row.attempts, row.tries = row.attempts + 1, row.tries + 1
    row.last_attempt_at = now - timedelta(milliseconds=outcome.duration_ms)
    row.http_status, row.error = outcome.status, posting.FAILURES.get(outcome.failure, "")
    row.run_id, row.worker, row.claimed_at = None, "", None
    again = not outcome.is_final and row.job_id is not None and row.tries <= len(pauses)
    if not outcome.failure:
        row.state, row.due_at, row.delivered_at = DeliveryState.DELIVERED, None, now
    elif row.due_at is None:
        row.state = DeliveryState.DROPPED
    elif again:
        row.due_at = now + _pause(pauses[row.tries - 1], outcome)
    else:
        row.state, row.due_at = DeliveryState.FAILED, None


def _pause(planned: timedelta, outcome: Outcome) -> timedelta:
    """Spread, so that a receiver that was down does not get everything at once; longer where it asks for that."""
    spread = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
    return max(planned * spread, timedelta(seconds=outcome.retry_after_seconds))


def _note(row: Delivery, outcome: Outcome) -> None:
    assert row.last_attempt_at is not None
    Attempt.objects.create(
        delivery=row,
        number=row.attempts,
        at=row.last_attempt_at,
        http_status=row.http_status,
        error=row.error,
        duration_ms=outcome.duration_ms,
    )


def _tell(edit: Edit, row: Delivery) -> None:
    if row.state == DeliveryState.DELIVERED:
        edit.log("The callback was delivered.")
    elif row.due_at is not None:
        edit.log(f"The callback failed: {row.error} It is sent again in {_span(row.due_at - edit.now)}.", "warning")
    else:
        edit.log(f"The callback failed: {row.error} It is not sent again.", "warning")
    edit.show_callback(row)


def _span(pause: timedelta) -> str:
    seconds = pause.total_seconds()
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


# --- what users ask for ---------------------------------------------------------------------------


def newest(job: Job) -> Delivery | None:
    return Delivery.objects.filter(job=job).order_by("-id").first()


def replay(job_id: int) -> Job:
    """Sends a job's callback once more, with the same id and the texts as they are now. Raises NotAllowed, Gone."""
    with editing(job_id) as edit:
        last = newest(edit.job)
        if last is None:
            raise NotAllowed(_("No callback was asked for with this job."))
        if not edit.job.is_terminal:
            raise NotAllowed(_("The callback is sent when the job has ended."))
        event = outbox.COMPLETED if edit.job.stage == Stage.COMPLETED else outbox.FAILED
        afresh = {"event": event, "state": DeliveryState.DUE, "due_at": edit.now, "tries": 0, "delivered_at": None}
        if not Delivery.objects.filter(pk=last.pk, run_id=None).update(**afresh):
            raise NotAllowed(_("The callback is being sent at this moment."))
        last.refresh_from_db()
        edit.log("The callback was asked for once more.")
        edit.show_callback(last)
        edit.ring(Lane.DELIVER)
    return edit.job


def send_test(token: PersonalToken, url: str) -> Delivery:
    """Sends the test event, once. Raises OutboundRefused for an address that can be refused by looking at it."""
    Guard(settings.TOOLS.outbound_allow).check_url(url)
    with transaction.atomic():
        made = outbox.add_test(token, url)
        ring_on_commit([Lane.DELIVER])
    return made


def last_test(token: PersonalToken) -> Delivery | None:
    return Delivery.objects.filter(job=None, token=token).order_by("-id").first()


def forget_tests() -> None:
    """Removes old test events; they belong to nothing that would take them along."""
    Delivery.objects.filter(job=None, run_id=None, created_at__lt=timezone.now() - TESTS_KEPT).delete()
