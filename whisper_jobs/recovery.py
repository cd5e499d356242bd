"""Finds what was left behind: steps of dead workers, windows not released, jobs that nothing moves, lanes not rung."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Exists, F, OuterRef, QuerySet
from django.utils import timezone

from whisper_jobs import lifecycle, limits, schedule
from whisper_jobs.doorbell import ring
from whisper_jobs.errors import FAILURES
from whisper_jobs.models import Job, Step
from whisper_jobs.moves import Fenced, advance, close_cancelled, end_failed, rests, rewind, settle
from whisper_jobs.pen import Gone, editing
from whisper_jobs.runs import NotAllowed
from whisper_jobs.states import ACTIVE, Kind, Stage, StepState

#: A step whose worker died this often is taken to be the cause.
MOST_LOSSES = 8
_QUIET = timedelta(minutes=1)


def lose(step: Step) -> None:
    """Takes a step from a worker that is presumed dead. It may run again at once, unless it keeps killing workers."""
    try:
        with editing(step.job_id) as edit:
            deadly = step.losses + 1 >= MOST_LOSSES
            stays = rests(edit.job, step)
            state = StepState.FAILED if deadly else StepState.HELD if stays else StepState.READY
            settle(
                step,
                state,
                run_id=None,
                losses=F("losses") + 1,
                error_code="worker_lost",
                error=FAILURES["worker_lost"],
            )
            then = "it is not tried again" if state != StepState.READY else "another takes over"
            edit.log(f"The worker died during “{Kind(step.kind).label}”; {then}.", "warning")
            edit.ring(step.lane)
            if deadly and not stays:
                end_failed(edit, step, code="worker_lost")
            close_cancelled(edit)
    except (Gone, Fenced):
        return


def sweep(lease: timedelta) -> int:
    """Finds what was forgotten: silent runs, windows not released, jobs at rest, lanes not rung. Returns lost runs."""
    silent = Step.objects.filter(state=StepState.RUNNING, heartbeat_at__lt=timezone.now() - lease)
    lost = list(silent)
    for step in lost:
        lose(step)
    for owner_id in schedule.owners_waiting():
        schedule.release(owner_id)
    for job_id in _resting_jobs():
        _nudge(job_id)
    _ring_ready_lanes()
    return len(lost)


def lose_all(worker: str) -> None:
    """Takes every step from a worker that is known to be dead."""
    for step in Step.objects.filter(state=StepState.RUNNING, worker=worker):
        lose(step)


def _resting_jobs() -> list[int]:
    """Active jobs that nothing moves: no step ready, waiting or running. Only a defect or a restored backup makes one.

    Those that wait for a person are moved by nothing else, for weeks if need be; some of the sandbox are never to end.
    """
    moving = Step.objects.filter(job=OuterRef("pk"), state__in=[StepState.READY, StepState.RUNNING, StepState.WAITING])
    quiet = Job.objects.filter(stage__in=ACTIVE, changed_at__lt=timezone.now() - _QUIET)
    quiet = quiet.exclude(stage=Stage.REVIEWING).filter(sandbox__isnull=True)
    return list(quiet.filter(~Exists(moving)).values_list("pk", flat=True)[:100])


def _nudge(job_id: int) -> None:
    try:
        with editing(job_id) as edit:
            rewind(edit)
            advance(edit)
    except Gone:
        return


def _ring_ready_lanes() -> None:
    """Wakes idle workers. One that is at work rings for itself; more bells would pile up in the broker."""
    ready = Step.objects.filter(schedule.due(), state=StepState.READY).values("lane").annotate(n=Count("pk"))
    for lane, steps in ready.values_list("lane", "n"):
        ring(lane, min(steps, schedule.idle_workers(lane)))


def run_now(jobs: QuerySet[Job], *, limit: int, reset_failed: bool) -> dict[str, int]:
    """Restarts up to `limit` failed ones of `jobs`, oldest first, if asked, and rings the lanes that have work."""
    failed = jobs.filter(stage=Stage.FAILED, sandbox__isnull=True).exclude(failure_code="cancelled").order_by("id")
    again = list(failed.values_list("pk", flat=True)[:limit]) if reset_failed else []
    reset = sum(_restarted(job_id) for job_id in again)
    waiting = jobs.filter(stage=Stage.QUEUED).count()
    _ring_ready_lanes()
    return {"reset": reset, "queued": waiting}


def _restarted(job_id: int) -> bool:
    """False when somebody deleted or restarted it meanwhile, and when its owner may not have one more."""
    try:
        lifecycle.restart(job_id)
    except (Gone, NotAllowed, limits.LimitReached):
        return False
    return True
