"""The moves that lifecycle and recovery are made of: each works on the Edit of a locked job, none opens a transaction."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from sharing import links
from whisper_jobs import enrich_rows, noticeboard, outbox, rehearsal, review_rows, schedule, speaker_rows
from whisper_jobs.errors import FAILURES
from whisper_jobs.models import Channel, DiarizationState, EnrichmentState, Job, Step
from whisper_jobs.pen import Edit
from whisper_jobs.states import ENRICHING, LANE_OF, OPTIONAL, Kind, Lane, Stage, StepState

#: Where a step may stand that is to run, or to run again.
_STOPPED = (StepState.HELD, StepState.FAILED)


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
        _diarize_or_assemble(edit)
    if job.stage in (Stage.ASSEMBLING, Stage.ENRICHING) and not job.cancel_requested_at:
        _enrich_or_complete(edit)
    release(edit)


def _diarize_or_assemble(edit: Edit) -> None:
    """With all windows heard, speakers are told apart where that was asked for; then the words are put together."""
    if _open(edit.job, Kind.DIARIZE):
        edit.forward(Stage.DIARIZING)
        make_ready(edit, Kind.DIARIZE, of=(StepState.HELD,))
    else:
        edit.forward(Stage.ASSEMBLING)
        make_ready(edit, Kind.ASSEMBLE)


def _open(job: Job, *kinds: Kind) -> bool:
    """Whether a step of these kinds has not ended."""
    steps = Step.objects.filter(job=job, kind__in=kinds)
    return steps.exclude(state__in=[StepState.DONE, StepState.FAILED]).exists()


def _enrich_or_complete(edit: Edit) -> None:
    """With the words together, what was asked for beside them is made; then the job completes, or waits for an approval."""
    if not Step.objects.filter(job=edit.job, kind=Kind.ASSEMBLE, state=StepState.DONE).exists():
        return
    if not _open(edit.job, *ENRICHING):
        (_await_approval if edit.job.needs_approval else complete)(edit)
        return
    edit.forward(Stage.ENRICHING)
    for kind in ENRICHING:
        make_ready(edit, kind, of=(StepState.HELD,))


def _await_approval(edit: Edit) -> None:
    """A person goes on from here (see review). Whoever was to edit a job that was restarted still is."""
    edit.forward(Stage.REVIEWING)
    edit.job.stage_detail = ""
    review_rows.begin(edit.job, at=edit.now)
    edit.log("The transcript waits for a person's approval.")


def complete(edit: Edit) -> None:
    """The words and all that was asked for are there, or failed for good: the job has ended well."""
    job = edit.job
    job.stage, job.completed_at, job.stage_detail = Stage.COMPLETED, edit.now, ""
    edit.log("The transcript is complete.")
    if job.channel == Channel.API:
        edit.show_share(links.open_for(job))
    _call_back(edit, outbox.COMPLETED)


def _call_back(edit: Edit, event: str) -> None:
    called_back, announced = outbox.make_due(edit.job, event), noticeboard.post(edit.job)
    if called_back or announced:
        edit.ring(Lane.DELIVER)


def release(edit: Edit) -> None:
    if released := schedule.release(edit.job.owner_id):
        edit.ring(Lane.SPEECH, released)


def make_ready(edit: Edit, kind: Kind, *, of: tuple[StepState, ...] = _STOPPED) -> None:
    lane = LANE_OF[kind]
    turn = schedule.next_turn(lane, edit.job.owner_id, edit.job.priority, kind=kind)
    stopped = Step.objects.filter(job=edit.job, kind=kind, state__in=of)
    if not edit.job.is_terminal:
        edit.ring(lane, stopped.update(state=StepState.READY, turn=turn, not_before=None))


def requeue(edit: Edit, kind: Kind, index: int = 0) -> None:
    """Has a step run anew, on a completed job too; a run of it that goes on is fenced off."""
    job = edit.job
    step = Step.objects.filter(job=job, kind=kind, index=index).first() or enrich_rows.step_of(job, kind, index)
    step.turn = schedule.next_turn(step.lane, job.owner_id, job.priority, kind=kind)
    step.state, step.run_id, step.not_before = StepState.READY, None, None
    step.attempts, step.losses, step.error, step.error_code = 0, 0, "", ""
    step.save()
    edit.ring(step.lane)


def rests(job: Job, step: Step) -> bool:
    """Whether a step that stops now stays so, because its job has ended or is being cancelled."""
    if step.kind in (*OPTIONAL, Kind.ASSEMBLE) and job.stage == Stage.COMPLETED:
        return False
    return job.is_terminal or job.cancel_requested_at is not None


def end_failed(edit: Edit, step: Step, *, code: str, message: str = "") -> None:
    """A step has failed for good, and is settled so. The words are worth more than what comes after them."""
    if step.kind not in OPTIONAL and edit.job.stage != Stage.COMPLETED:
        fail_job(edit, code, message)
        return
    edit.job.stage_detail = ""
    if step.kind in ENRICHING:
        enrich_rows.mark(step, EnrichmentState.FAILED, error=message or FAILURES[code], finished_at=edit.now)
    elif step.kind == Kind.DIARIZE:
        speaker_rows.mark_without(edit.job, DiarizationState.FAILED, message or FAILURES[code], at=edit.now)
    elif step.kind == Kind.REFILL:
        # Gaps that were heard before it failed are among the segments.
        requeue(edit, Kind.ASSEMBLE)
    edit.log(f"{Kind(step.kind).label}: {message or FAILURES[code]}", "warning")
    advance(edit)


def fail_job(edit: Edit, code: str, message: str = "") -> None:
    job = edit.job
    job.failure_code, job.failure_error = code, message or FAILURES[code]
    job.stage, job.completed_at, job.stage_detail = Stage.FAILED, edit.now, ""
    edit.log(job.failure_error, "warning" if code == "cancelled" else "error")
    hold(job)
    enrich_rows.rest(job)
    _call_back(edit, outbox.FAILED)
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
    if edit.job.sandbox is not None:
        rehearsal.again(edit.job)
        return
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
    enrich_rows.try_again(job)
    make_ready(edit, Kind.PREPARE)
    make_ready(edit, Kind.DECODE if job.media else Kind.FETCH)
