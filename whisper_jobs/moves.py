"""The moves that lifecycle and recovery are made of: each works on the Edit of a locked job, none opens a transaction."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from whisper_jobs import schedule
from whisper_jobs.errors import FAILURES
from whisper_jobs.models import Job, Step
from whisper_jobs.pen import Edit
from whisper_jobs.states import LANE_OF, Kind, Lane, Stage, StepState


class Fenced(Exception):
    """This run no longer holds its claim; what it wanted to write was not written."""


def settle(step: Step, state: StepState, **fields: Any) -> None:
    """Ends a run; raises Fenced when `step.run_id` holds the claim no more."""
    fields = {"finished_at": timezone.now(), **fields}
    held = Step.objects.filter(pk=step.pk, run_id=step.run_id, state=StepState.RUNNING)
    if not held.update(state=state, **fields):
        raise Fenced(step.pk)


def advance(edit: Edit) -> None:
    """Makes ready whatever the job's rows now allow. Calling it once too often changes nothing."""
    job = edit.job
    if job.cancel_requested_at:
        close_cancelled(edit)
    if not job.is_terminal and job.decoded_at and job.windows_total and job.windows_done == job.windows_total:
        edit.forward(Stage.ASSEMBLING)
        make_ready(edit, Kind.ASSEMBLE)
    release(edit)


def release(edit: Edit) -> None:
    if released := schedule.release(edit.job.owner_id):
        edit.ring(Lane.SPEECH, released)


def make_ready(edit: Edit, kind: Kind) -> None:
    lane = LANE_OF[kind]
    turn = schedule.next_turn(lane, edit.job.owner_id, edit.job.priority, kind=kind)
    held = Step.objects.filter(job=edit.job, kind=kind, state__in=[StepState.HELD, StepState.FAILED])
    if not edit.job.is_terminal and held.update(state=StepState.READY, turn=turn, not_before=None):
        edit.ring(lane)


def fail_job(edit: Edit, code: str, message: str = "") -> None:
    job = edit.job
    job.failure_code, job.failure_error = code, message or FAILURES[code]
    job.stage, job.completed_at, job.stage_detail = Stage.FAILED, edit.now, ""
    edit.log(job.failure_error, "warning" if code == "cancelled" else "error")
    hold(job)
    release(edit)


def hold(job: Job) -> None:
    resting = [StepState.READY, StepState.WAITING]
    Step.objects.filter(job=job, state__in=resting).update(state=StepState.HELD, not_before=None)


def close_cancelled(edit: Edit) -> None:
    """A cancelled job ends when the last of its runs has let go."""
    job = edit.job
    running = Step.objects.filter(job=job, state=StepState.RUNNING).exists()
    if job.cancel_requested_at and not job.is_terminal and not running:
        fail_job(edit, "cancelled")


def rewind(edit: Edit) -> None:
    """Makes ready what is not done, from the first step that has to run again."""
    job, steps = edit.job, Step.objects.filter(job=edit.job)
    stopped = steps.filter(state__in=[StepState.FAILED, StepState.HELD])
    stopped.update(state=StepState.HELD, attempts=0, losses=0, error="", error_code="", not_before=None)
    if job.windows_total == 0 and job.decoded_at:
        job.decoded_at = None
        steps.filter(kind=Kind.DECODE, state=StepState.DONE).update(state=StepState.HELD, attempts=0)
    if job.decoded_at is None or job.windows_done < job.windows_total:
        # The engine may be what failed, so it is chosen anew.
        job.engine = ""
        steps.filter(kind=Kind.PREPARE, state=StepState.DONE).update(state=StepState.HELD, attempts=0)
    # It was put together when the cancel came: that has to be done again, since the job did not complete by it.
    steps.filter(kind=Kind.ASSEMBLE, state=StepState.DONE).update(state=StepState.HELD, attempts=0)
    make_ready(edit, Kind.PREPARE)
    make_ready(edit, Kind.DECODE if job.media else Kind.FETCH)
