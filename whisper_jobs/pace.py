"""How long until a job is done, from the measured speed of this installation and the work that is before it.

The estimate follows the schedule: owners get equal shares, so until a job is done each other owner is served as much as its
own owner, or all that they have, if that is less; admins all they have. Of its own owner, jobs of shorter sizes and older
ones come first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.db.models import Count, F, Subquery
from django.utils import timezone

from whisper_jobs import payloads, progress, queries, schedule
from whisper_jobs.models import Job, Pace, Step, Worker
from whisper_jobs.models.worker import FRESH
from whisper_jobs.states import ACTIVE, UNHEARD, Lane, Stage

#: What an older window still counts when one is added: about the last twenty matter.
FADING = 0.95
#: One window of so many is measured; that is enough, and spares a write to a row that all workers share.
MEASURED_EVERY = 4
#: Jobs that are looked at for an estimate.
MOST_JOBS = 10_000
#: (engine, model) → seconds of sound per second of work.
Paces = dict[tuple[str, str], float]


def note(job: Job, step: Step, *, seconds: float) -> None:
    """A window took this long. Called in the transaction that stores its words."""
    if step.index % MEASURED_EVERY or seconds <= 0:
        return
    sound = step.end_seconds - step.start_seconds
    row, now = Pace.objects.filter(engine=job.engine, model=job.model), timezone.now()
    faded = {
        "sound_seconds": F("sound_seconds") * FADING + sound,
        "work_seconds": F("work_seconds") * FADING + seconds,
        "measured_at": now,
    }
    if not row.update(**faded):
        first = {"sound_seconds": sound, "work_seconds": seconds, "measured_at": now}
        Pace.objects.get_or_create(engine=job.engine, model=job.model, defaults=first)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A job that is not done, and the seconds of work that it still takes one worker; None where nobody knows its length."""

    pk: int
    owner: int
    priority: int
    size: int
    work: float | None


@dataclass(slots=True)
class _Line:
    """All that is not done: per owner the sum of the work, and the jobs."""

    work: dict[tuple[int, int], float] = field(default_factory=lambda: defaultdict(float))
    jobs: dict[tuple[int, int], list[_Waiting]] = field(default_factory=lambda: defaultdict(list))

    def add(self, one: _Waiting) -> None:
        self.work[one.priority, one.owner] += one.work or 0.0
        self.jobs[one.priority, one.owner].append(one)

    def until_done(self, one: _Waiting) -> float:
        """Seconds of work that are done by the time this job is."""
        mine = (one.priority, one.owner)
        own = sum(other.work or 0.0 for other in self.jobs[mine] if (other.size, other.pk) <= (one.size, one.pk))
        others = [
            work if priority > one.priority else min(work, own)
            for (priority, owner), work in self.work.items()
            if priority >= one.priority and (priority, owner) != mine
        ]
        return own + sum(others)


def outlook(jobs: Iterable[Job]) -> tuple[dict[int, int], dict[int, int]]:
    """Of those jobs of which it can be told: the place in the queue, and the seconds until it is done.

    Two queries, however many jobs, and none when nothing waits.
    """
    jobs = list(jobs)
    by_own_pace = {job.pk: eta for job in jobs if (eta := payloads.eta_seconds(job)) is not None}
    waiting = [job for job in jobs if job.stage in UNHEARD]
    measured = {job.pk for job in waiting if job.pk not in by_own_pace and progress.speech_total(job)}
    paces, workers = _measured() if measured else ({}, 1)
    if not paces:
        return queries.positions(waiting), by_own_pace
    # Those that wait for a person take no worker's time, and may be many.
    moving = Job.objects.filter(stage__in=ACTIVE, sandbox__isnull=True).exclude(stage=Stage.REVIEWING)
    active = list(moving.only(*_READ).order_by("id")[:MOST_JOBS])
    return _places(active, {job.pk for job in waiting}), {**_etas(active, paces, workers, measured), **by_own_pace}


def _places(active: Iterable[Job], wanted: Collection[int]) -> dict[int, int]:
    """As queries.positions tells them."""
    turns: Counter[int] = Counter()
    line = []
    for job in active:
        if job.stage in UNHEARD:
            turns[job.owner_id] += 1
            line.append((-job.priority, turns[job.owner_id], job.pk))
    return {pk: place for place, (_priority, _turn, pk) in enumerate(sorted(line), start=1) if pk in wanted}


def _etas(active: Iterable[Job], paces: Paces, workers: int, wanted: Collection[int]) -> dict[int, int]:
    line, unheard = _Line(), []
    for job in active:
        one = _waiting(job, paces)
        line.add(one)
        if one.pk in wanted and one.work is not None:
            unheard.append(one)
    return {one.pk: round(line.until_done(one) / workers) for one in unheard}


_READ = (
    "owner",
    "stage",
    "priority",
    "engine",
    "model",
    "requested_model",
    "source_duration_seconds",
    "decoded_at",
    "window_seconds_total",
    "window_seconds_done",
)


def _measured() -> tuple[Paces, int]:
    """What was measured (also under ("", model) and ("", ""): of those last), and how many workers transcribe now."""
    fresh = Worker.objects.filter(lane=Lane.SPEECH, seen_at__gt=timezone.now() - FRESH).order_by().values("lane")
    workers = Subquery(fresh.annotate(n=Count("pk")).values("n"))
    found: Paces = {}
    seen = 0
    for row in Pace.objects.filter(work_seconds__gt=0).annotate(workers=workers).order_by("measured_at"):
        pace, seen = row.sound_seconds / row.work_seconds, row.workers or 0
        found |= {(row.engine, row.model): pace, ("", row.model): pace, ("", ""): pace}
    return found, max(1, seen)


def _waiting(job: Job, paces: Paces) -> _Waiting:
    total = progress.speech_total(job)
    known = (job.engine, job.model) if job.engine else ("", job.requested_model)
    pace = paces.get(known, paces["", ""])
    work = max(0.0, total - job.window_seconds_done) / pace if total else None
    size = schedule.level_of(schedule.FIRST_WINDOWS, total)
    return _Waiting(job.pk, job.owner_id, job.priority, size, work)
