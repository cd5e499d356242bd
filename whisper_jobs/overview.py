"""What managers see of the queue: lanes, workers, failures, throughput, and what needs a person. Reads, never writes.

Each number costs what is active or recent, never the whole table of jobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.models import User
from whisper_jobs import queries
from whisper_jobs.models import Delivery, DeliveryState, Job, Step, Worker
from whisper_jobs.models.worker import FRESH
from whisper_jobs.states import ACTIVE, LANE_OF, Kind, Lane, Stage, StepState

DAYS = 7
#: Lines of each list.
MOST = 20
#: A run without a sign of life for so long, and a job that nothing has touched for so long.
SILENT = timedelta(minutes=1)
QUIET = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class LaneRow:
    """`waiting` are windows whose turn to be ready has not come; `oldest` is since when the oldest ready step waits."""

    lane: Lane
    workers: int
    running: int
    ready: int
    waiting: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """`job` is None while it has nothing to do; `kind` alone is told of a job that the reader may not see."""

    name: str
    lane: str
    seen_at: datetime
    is_fresh: bool
    kind: str
    job: Job | None


@dataclass(frozen=True, slots=True)
class FailureRow:
    code: str
    day: int
    week: int


@dataclass(frozen=True, slots=True)
class DayRow:
    day: date
    completed: int
    failed: int
    hours: float


@dataclass(frozen=True, slots=True)
class StuckRow:
    """`step` is the run that went silent, None where no step moves the job at all."""

    job: Job
    since: datetime
    step: Step | None


@dataclass(frozen=True, slots=True)
class Callbacks:
    due: int
    failing: list[Delivery]


def lanes(user: User) -> list[LaneRow]:
    steps, alive = _steps(user), queries.live_workers()
    ready = {row["lane"]: row for row in _by_lane(steps, StepState.READY).annotate(oldest=Min("job__changed_at"))}
    running = {row["lane"]: row["n"] for row in _by_lane(steps, StepState.RUNNING)}
    waiting = {Lane.SPEECH: _windows_waiting(user, steps)}
    return [
        LaneRow(
            lane=lane,
            workers=alive[lane],
            running=running.get(lane, 0),
            ready=ready[lane]["n"] if lane in ready else 0,
            waiting=waiting.get(lane, 0),
            oldest=ready[lane]["oldest"] if lane in ready else None,
        )
        for lane in Lane
    ]


def _jobs(user: User) -> QuerySet[Job]:
    """Without those of the sandbox, which are no work: their errors are wished for, and some never end."""
    return queries.visible_jobs(user).filter(sandbox__isnull=True)


def _steps(user: User) -> QuerySet[Step]:
    steps = Step.objects.exclude(kind=Kind.REHEARSE)
    return steps if user.is_superuser else steps.filter(job__tenant=user.tenant_id)


def _by_lane(steps: QuerySet[Step], state: StepState) -> QuerySet[Any, Any]:
    return steps.filter(state=state).values("lane").annotate(n=Count("pk"))


def _windows_waiting(user: User, steps: QuerySet[Step]) -> int:
    """From what the jobs tell, since a crowd of long recordings has a million rows of them."""
    open_: int | None = (
        _jobs(user).filter(stage__in=ACTIVE).order_by().aggregate(n=Sum(F("windows_total") - F("windows_done")))["n"]
    )
    taken = steps.filter(kind=Kind.WINDOW, lane=Lane.SPEECH, state__in=[StepState.READY, StepState.RUNNING]).count()
    return max(0, (open_ or 0) - taken)


def workers(user: User) -> list[WorkerRow]:
    busy = {step.worker: step for step in Step.objects.filter(state=StepState.RUNNING).select_related("job__owner")}
    fresh = timezone.now() - FRESH
    rows = []
    for worker in Worker.objects.order_by("lane", "name"):
        process = worker.name.rsplit("/", 1)[0]
        step = busy.get(process)
        mine = step if step is not None and LANE_OF[step.kind] == worker.lane else None
        rows.append(
            WorkerRow(
                name=process,
                lane=worker.lane,
                seen_at=worker.seen_at,
                is_fresh=worker.seen_at > fresh,
                kind=str(Kind(mine.kind).label) if mine else "",
                job=mine.job if mine and _sees(user, mine.job) else None,
            )
        )
    return rows


def _sees(user: User, job: Job) -> bool:
    """As queries.visible_jobs, for a manager and a row at hand."""
    return user.is_superuser or job.tenant_id == user.tenant_id


def failures(user: User) -> list[FailureRow]:
    """By code, the most frequent of the week first. What people have cancelled is no failure."""
    now = timezone.now()
    failed = _jobs(user).filter(stage=Stage.FAILED, completed_at__gt=now - timedelta(days=DAYS)).order_by()
    counted = (
        failed.exclude(failure_code="cancelled")
        .values("failure_code")
        .annotate(week=Count("pk"), day=Count("pk", filter=Q(completed_at__gt=now - timedelta(days=1))))
        .order_by("-week", "failure_code")
    )
    return [FailureRow(row["failure_code"], row["day"], row["week"]) for row in counted]


def days(user: User) -> list[DayRow]:
    """Jobs that ended in each of the last days (UTC), today first, and the hours of sound in those that completed."""
    today = timezone.now().date()
    wanted = [today - timedelta(days=back) for back in range(DAYS)]
    since = datetime.combine(wanted[-1], datetime.min.time(), timezone.get_default_timezone())
    ended = _jobs(user).filter(completed_at__gte=since).order_by()
    completed = Q(stage=Stage.COMPLETED)
    counted = {
        row["on"]: row
        for row in ended.annotate(on=TruncDate("completed_at", tzinfo=timezone.get_default_timezone()))
        .values("on")
        .annotate(
            completed=Count("pk", filter=completed),
            failed=Count("pk", filter=Q(stage=Stage.FAILED) & ~Q(failure_code="cancelled")),
            seconds=Sum("source_duration_seconds", filter=completed),
        )
    }
    return [_day(day, counted.get(day, {})) for day in wanted]


def _day(day: date, row: Mapping[str, Any]) -> DayRow:
    return DayRow(day, row.get("completed", 0), row.get("failed", 0), (row.get("seconds") or 0.0) / 3600)


def stuck(user: User) -> list[StuckRow]:
    """Jobs whose worker is silent, and active ones that have neither moved nor anything left to move them."""
    now = timezone.now()
    silent = _steps(user).filter(state=StepState.RUNNING, heartbeat_at__lt=now - SILENT)
    rows = [
        StuckRow(step.job, step.heartbeat_at or now, step)
        for step in silent.select_related("job__owner").order_by("heartbeat_at")[:MOST]
    ]
    seen = {row.job.pk for row in rows}
    quiet = _jobs(user).filter(stage__in=ACTIVE, changed_at__lt=now - QUIET).order_by("changed_at")
    quiet = quiet.exclude(stage=Stage.REVIEWING)
    still = quiet.exclude(steps__state__in=[StepState.READY, StepState.RUNNING, StepState.WAITING])
    return rows + [StuckRow(job, job.changed_at, None) for job in still[:MOST] if job.pk not in seen]


def callbacks(user: User) -> Callbacks:
    """How many wait to be sent, and those whose last attempt failed: given up, or to be tried again."""
    seen = Delivery.objects.filter(job__isnull=False).select_related("job__owner")
    if not user.is_superuser:
        seen = seen.filter(job__tenant=user.tenant_id)
    due = seen.filter(state=DeliveryState.DUE)
    since = timezone.now() - timedelta(days=DAYS)
    given_up = seen.filter(state=DeliveryState.FAILED, last_attempt_at__gt=since).order_by("-last_attempt_at")[:MOST]
    trying = due.filter(tries__gt=0).order_by("-last_attempt_at")[:MOST]
    return Callbacks(due.order_by().count(), [*given_up, *trying][:MOST])
