"""Verbs for notices: claim, record, free; and the browsers that they go to. Each is one short transaction.

A claim is exclusive and fenced, as a callback's is. A notice whose sender died is sent again: at least once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Min, QuerySet
from django.utils import timezone

from accounts.models import User
from whisper_jobs import posting, pushing
from whisper_jobs.models import Notice, NoticeState, PushSubscription
from whisper_jobs.outbound import Guard
from whisper_jobs.posting import Outcome

#: Between one attempt and the next; after the last there is no other.
PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
#: No exchange lasts as long, a mail server that answers slowly included.
LEASE = timedelta(minutes=5)
#: Of one person; the oldest makes room.
MOST_BROWSERS = 20
_UNCLAIMED = {"run_id": None, "claimed_at": None}


# --- sending --------------------------------------------------------------------------------------


def claim(slots: int) -> list[Notice]:
    """Takes up to `slots` due notices, the longest due first."""
    chosen = list(_due().order_by("due_at").values_list("pk", flat=True)[:slots])
    if not chosen:
        return []
    run_id, free = uuid4(), _due().filter(pk__in=chosen)
    with transaction.atomic():
        mine = list(free.select_for_update(skip_locked=True).values_list("pk", flat=True))
        free.filter(pk__in=mine).update(run_id=run_id, claimed_at=timezone.now())
    return list(Notice.objects.filter(run_id=run_id).select_related("job", "user", "subscription"))


def _due() -> QuerySet[Notice]:
    return Notice.objects.filter(state=NoticeState.DUE, run_id=None, due_at__lte=timezone.now())


def next_due() -> datetime | None:
    """When the next one that nobody has claimed is due; past when it is so already."""
    unclaimed = Notice.objects.filter(state=NoticeState.DUE, run_id=None, due_at__isnull=False)
    at: datetime | None = unclaimed.aggregate(at=Min("due_at"))["at"]
    return at


def record(notice: Notice, outcome: Outcome, *, pauses: Sequence[timedelta] = PAUSES) -> bool:
    """Stores how an attempt ended and what comes next. False when the claim was lost: nothing is stored."""
    if notice.subscription_id and outcome.status in pushing.GONE:
        return forget(notice.subscription_id)
    attempts = notice.attempts + 1
    told: dict[str, object] = {**_UNCLAIMED, "attempts": attempts, "error": posting.FAILURES.get(outcome.failure, "")}
    if not outcome.failure:
        told |= {"state": NoticeState.SENT, "due_at": None}
    elif attempts <= len(pauses):
        pause = max(pauses[attempts - 1], timedelta(seconds=outcome.retry_after_seconds))
        told |= {"due_at": timezone.now() + pause}
    else:
        told |= {"state": NoticeState.FAILED, "due_at": None}
    return bool(_held(notice).update(**told))


def drop(notice: Notice) -> None:
    """There is nothing to tell any more."""
    _held(notice).delete()


def _held(notice: Notice) -> QuerySet[Notice]:
    return Notice.objects.filter(pk=notice.pk, run_id=notice.run_id)


def free_silent() -> int:
    """Frees claims that are older than any exchange can last: whoever held them is dead."""
    silent = Notice.objects.filter(run_id__isnull=False, claimed_at__lt=timezone.now() - LEASE)
    return silent.update(**_UNCLAIMED, due_at=timezone.now())


def hand_back(claimed: Sequence[Notice]) -> int:
    """This process ends with these on their way. They are sent again when what was begun here can't arrive any more."""
    runs = {notice.run_id for notice in claimed}
    mine = Notice.objects.filter(pk__in=[notice.pk for notice in claimed], run_id__in=runs)
    return mine.update(**_UNCLAIMED, due_at=timezone.now() + timedelta(seconds=posting.TIMEOUT_SECONDS))


# --- browsers -------------------------------------------------------------------------------------


@transaction.atomic
def subscribe(user: User, *, endpoint: str, p256dh: str, auth: str) -> PushSubscription:
    """A browser is of whoever subscribed it last. Raises OutboundRefused for an address that nothing may be sent to."""
    Guard(settings.TOOLS.outbound_allow).check_url(endpoint)
    told = {"user": user, "endpoint": endpoint, "p256dh": p256dh, "auth": auth}
    kept, _made = PushSubscription.objects.update_or_create(digest=digest_of(endpoint), defaults=told)
    for old in user.push_subscriptions.order_by("-created_at", "-pk")[MOST_BROWSERS:]:
        forget(old.pk)
    return kept


def unsubscribe(user: User, endpoint: str) -> bool:
    found = user.push_subscriptions.filter(digest=digest_of(endpoint)).first()
    return found is not None and forget(found.pk)


@transaction.atomic
def forget(subscription_id: int) -> bool:
    """Locked first, so that no notice for it is made while it is deleted."""
    locked = PushSubscription.objects.select_for_update().filter(pk=subscription_id).first()
    return locked is not None and bool(locked.delete())


def digest_of(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode()).hexdigest()
