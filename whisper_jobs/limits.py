"""What one owner may have: so many jobs in the queue at once, so many minutes of sound a month. Admins have no limits.

A tenant may have minutes as well, for all its users together: whoever has less left then, the user or the tenant, decides.

A minute is used when it is transcribed, once, whatever is restarted; the same recording with another model is new work and
counts anew. What is left is the month's minutes less those used and those that the owner's running jobs still need.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any

from django.conf import settings
from django.db.models import Case, F, FloatField, QuerySet, Sum, When
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from whisper_jobs import policy, progress
from whisper_jobs.models import Job, TenantPolicy, Usage
from whisper_jobs.states import ACTIVE, UNHEARD

#: When to ask again for a place in the queue.
RETRY_SECONDS = 30
#: Containers tell their length a little wrong.
TOLERANCE_SECONDS = 1.0
FEW_JOBS = 20
_TOTAL = Case(
    When(decoded_at__isnull=False, then=F("window_seconds_total")),
    default=Greatest(F("window_seconds_total"), Coalesce(F("source_duration_seconds"), 0.0)),
    output_field=FloatField(),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an owner stands. Limits are None where there is none."""

    max_queued_jobs: int | None
    queued: int
    monthly_minutes: int | None
    used_seconds: float
    #: What running jobs still need, as far as their lengths are known.
    reserved_seconds: float
    renews_on: date
    #: Whether the minutes are those of the tenant, since fewer of them are left.
    is_shared: bool = False

    @property
    def left_jobs(self) -> int | None:
        return None if self.max_queued_jobs is None else max(0, self.max_queued_jobs - self.queued)

    @property
    def is_crowded(self) -> bool:
        """Whether the places in the queue are worth a word: few are left, or they were few to begin with."""
        return self.left_jobs is not None and self.left_jobs < FEW_JOBS

    @property
    def left_seconds(self) -> float | None:
        if self.monthly_minutes is None:
            return None
        return max(0.0, self.monthly_minutes * 60 - self.used_seconds - self.reserved_seconds)

    @property
    def left_minutes(self) -> float | None:
        return None if self.left_seconds is None else round(self.left_seconds / 60, 1)

    @property
    def used_minutes(self) -> float:
        return round(self.used_seconds / 60, 1)

    @property
    def renews_at(self) -> datetime:
        return datetime.combine(self.renews_on, time.min, UTC)


class LimitReached(Exception):
    """This owner may not have that job now; the message says why and until when, `standing` what is left."""

    code = ""

    def __init__(self, message: str, standing: Standing) -> None:
        super().__init__(message)
        self.standing = standing


class TooManyJobs(LimitReached):
    code = "too_many_jobs"


class QuotaExceeded(LimitReached):
    code = "quota_exceeded"


# --- what is allowed ------------------------------------------------------------------------------


def standing(owner: User) -> Standing:
    """Read without a lock: for showing it, and for refusing early what would be refused anyway."""
    return _standing(owner)


def of_tenant(tenant_id: int, *, but: int = 0) -> Standing:
    """The minutes of all users of a tenant together, without what the job `but` needs; its queue is not looked at."""
    used = _used(Usage.objects.filter(owner__tenant=tenant_id))
    reserved = _reserved(Job.objects.filter(tenant=tenant_id), but=but)
    minutes = policy.seen(tenant_id).monthly_minutes
    return Standing(None, 0, minutes, used, reserved, _next_month(), is_shared=True)


def by_user(tenant_id: int) -> QuerySet[Usage]:
    """What the users of a tenant have used this month, who used most first."""
    used = Usage.objects.filter(owner__tenant=tenant_id, month=_month(), seconds__gt=0)
    return used.select_related("owner").order_by("-seconds", "owner")


def demand(owner: User, *, seconds: float = 0.0, jobs: int = 1) -> None:
    """Raises TooManyJobs or QuotaExceeded unless the owner may have so many more jobs with so much known sound.

    Exact in a transaction that has called `lock` before; the jobs of others are waited for where a tenant shares minutes.
    """
    places = _most_queued(owner)
    if places is not None and _queued(owner) + jobs > places:
        now = standing(owner)
        raise TooManyJobs(_many(now), now)
    if _most_minutes(owner) is not None or _shared_minutes(owner) is not None:
        now = standing(owner)
        left = now.left_seconds or 0.0
        if left <= 0 or seconds > left + TOLERANCE_SECONDS:
            raise QuotaExceeded(_spent(now), now)


def lock(owner: User) -> None:
    """Until the end of the transaction nobody else adds a job of this owner. Not in the way of rows that refer to the user."""
    if _most_queued(owner) is not None:
        User.objects.select_for_update(no_key=True).filter(pk=owner.pk).values_list("pk", flat=True).first()
    _lock_shared(owner)


def lacks_minutes(job: Job) -> Standing | None:
    """The owner's standing without this job, when what the job still needs is more than is left; None when it fits.

    Called with the job's lock held, before its new length is written: two jobs that share minutes decide one after the other.
    """
    shares = _lock_shared(job.owner)
    if not shares and _most_minutes(job.owner) is None:
        return None
    _lock_usage(job.owner_id)
    needed = progress.speech_total(job) - job.window_seconds_done
    now = _standing(job.owner, but=job.pk)
    return now if needed > (now.left_seconds or 0.0) + TOLERANCE_SECONDS else None


def charge(job: Job, seconds: float) -> None:
    """Counts sound that was transcribed now. Whoever calls does so once for each window, in the transaction that stores it."""
    row = Usage.objects.filter(owner_id=job.owner_id, month=_month())
    if not row.update(seconds=F("seconds") + seconds):
        Usage.objects.get_or_create(owner_id=job.owner_id, month=_month())
        row.update(seconds=F("seconds") + seconds)


# --- how it is told -------------------------------------------------------------------------------


def told(now: Standing) -> dict[str, Any]:
    """As the API publishes it; limits that are not set are null."""
    limited = now.monthly_minutes is not None
    return {
        "max_queued_jobs": now.max_queued_jobs,
        "queued": now.queued,
        "monthly_minutes": now.monthly_minutes,
        "used_minutes": now.used_minutes,
        "left_minutes": now.left_minutes,
        "renews_at": now.renews_at.isoformat() if limited else None,
        "limited_by": ("organisation" if now.is_shared else "user") if limited else None,
    }


def lack(now: Standing, needed_seconds: float) -> str:
    """For the runtime log, in the log's language."""
    left, minutes = (now.left_seconds or 0.0) / 60, now.monthly_minutes
    whose = "the organisation's " if now.is_shared else ""
    needs = f"The recording needs {needed_seconds / 60:.1f} minutes"
    return f"{needs}; {left:.1f} of {whose}{minutes} are left until {now.renews_on}."


def failure(now: Standing) -> str:
    """Why a job fails for it, where the failure's own sentence isn't exact enough."""
    shared = (
        "The organisation's minutes of this month are used up. Wait until they are renewed or ask its administrator."
    )
    return shared if now.is_shared else ""


def _many(now: Standing) -> str:
    sentence = ngettext(
        "%(queued)d recording of yours waits in the queue, and %(most)d may wait at once. Hand in more when it has begun.",
        "%(queued)d recordings of yours wait in the queue, and %(most)d may wait at once. Hand in more when some have begun.",
        now.queued,
    )
    return sentence % {"queued": now.queued, "most": now.max_queued_jobs}


def _spent(now: Standing) -> str:
    own = _(
        "%(left)s of this month's %(minutes)d minutes are left, which is too little. The minutes are renewed on %(day)s."
    )
    shared = _(
        "%(left)s of the %(minutes)d minutes that your organisation has this month are left, which is too little. "
        "The minutes are renewed on %(day)s."
    )
    sentence = shared if now.is_shared else own
    day = date_format(now.renews_on, "DATE_FORMAT")
    return sentence % {"left": f"{now.left_minutes:g}", "minutes": now.monthly_minutes, "day": day}


# --- counting -------------------------------------------------------------------------------------


def _standing(owner: User, *, but: int = 0) -> Standing:
    """The one with fewer minutes left, the owner's own or those of the tenant, without what the job `but` needs."""
    places, queued, renewal = _most_queued(owner), _queued(owner), _next_month()
    used = _used(Usage.objects.filter(owner=owner))
    reserved = _reserved(Job.objects.filter(owner=owner), but=but)
    own = Standing(places, queued, _most_minutes(owner), used, reserved, renewal)
    if _shared_minutes(owner) is None:
        return own
    shared = replace(of_tenant(owner.tenant_id, but=but), max_queued_jobs=places, queued=queued)
    return min(own, shared, key=lambda one: float("inf") if one.left_seconds is None else one.left_seconds)


def _most_queued(owner: User) -> int | None:
    if owner.is_superuser:
        return None
    most: int = settings.TOOLS.max_queued_jobs
    return most if owner.max_queued_jobs is None else owner.max_queued_jobs


def _most_minutes(owner: User) -> int | None:
    if owner.is_superuser:
        return None
    most: int | None = settings.TOOLS.monthly_minutes
    return most if owner.monthly_minutes is None else owner.monthly_minutes


def _queued(owner: User) -> int:
    """Jobs that nobody has heard a word of, which are those with a place in the queue."""
    return _unheard(owner).count()


def _unheard(owner: User) -> QuerySet[Job]:
    # With the priority, since that is what the index of these begins with.
    return Job.objects.filter(owner=owner, stage__in=UNHEARD, priority__in=(0, 1))


def _shared_minutes(owner: User) -> int | None:
    return None if owner.is_superuser else policy.seen(owner.tenant_id).monthly_minutes


def _used(rows: QuerySet[Usage]) -> float:
    return rows.filter(month=_month()).aggregate(seconds=Sum("seconds"))["seconds"] or 0.0


def _lock_usage(owner_id: int) -> None:
    row, _made = Usage.objects.get_or_create(owner_id=owner_id, month=_month())
    Usage.objects.select_for_update().filter(pk=row.pk).values_list("pk", flat=True).first()


def _lock_shared(owner: User) -> bool:
    """Until the end of the transaction nobody else counts on minutes of the owner's tenant. False where it has no limit."""
    if _shared_minutes(owner) is None:
        return False
    row = policy.of(owner.tenant_id)
    TenantPolicy.objects.select_for_update().filter(pk=row.pk).values_list("pk", flat=True).first()
    return True


def _reserved(jobs: QuerySet[Job], *, but: int) -> float:
    running = jobs.filter(stage__in=ACTIVE).exclude(pk=but)
    needed: float | None = running.aggregate(seconds=Sum(_TOTAL - F("window_seconds_done")))["seconds"]
    return max(0.0, needed or 0.0)


def _month() -> date:
    return timezone.now().astimezone(UTC).date().replace(day=1)


def _next_month() -> date:
    first = _month()
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
