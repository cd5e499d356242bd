"""Every change of a job or step. Each verb is one transaction that first locks the job, then checks who may write.

A claim is named by its run id. Whoever lost it (presumed dead, cancelled, deleted) gets `Fenced` and must drop its work.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from whisper_jobs import broadcast, claims, schedule, uploads
from whisper_jobs import progress as shares
from whisper_jobs.errors import JobError
from whisper_jobs.models import Job, Segment, Step, Transcript
from whisper_jobs.moves import Fenced, advance, close_cancelled, fail_job, hold, make_ready, release, rewind, settle
from whisper_jobs.pen import Edit, Gone, editing, queues_of
from whisper_jobs.states import LANE_OF, PROCESSING, TERMINAL, Kind, Stage, StepState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from whisper_jobs.speech import transcript as spoken

#: A failure that may pass is tried again after these pauses, then it is final.
RETRY_PAUSES = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2))


class NotAllowed(Exception):
    """The job is in a state in which this verb makes no sense; the message says so to the user."""


@dataclass(frozen=True, slots=True)
class Run:
    """A held claim: what a pipeline function works on and writes with. `job` is as it was when the claim began."""

    run_id: UUID
    step: Step
    job: Job

    @property
    def job_id(self) -> int:
        return self.step.job_id


@dataclass(frozen=True, slots=True)
class NewWindow:
    """A window ready to be transcribed; seconds of the recording, `audio` its name in storage."""

    start: float
    end: float
    speech: tuple[tuple[float, float], ...]
    audio: str


# --- claims ---------------------------------------------------------------------------------------


def claim(lane: str, worker: str) -> Step | None:
    """Takes the best ready step of a lane, or None. One UPDATE decides; no two callers get the same step."""
    return claims.take(lane, worker)


_STAGE_OF_KIND = {Kind.FETCH: Stage.FETCHING, Kind.DECODE: Stage.DECODING, Kind.WINDOW: Stage.TRANSCRIBING}


def begin(step: Step) -> Run | None:
    """Shows that a claimed step runs. None when there is nothing to do now: the job ended, or was deleted or restarted."""
    assert step.run_id is not None
    try:
        with editing(step.job_id) as edit:
            job = edit.job
            # A restart took the engine away while this window was being claimed; prepare releases it again.
            unprepared = step.kind == Kind.WINDOW and not job.engine
            if job.is_terminal or job.cancel_requested_at or unprepared:
                settle(step, StepState.HELD, run_id=None)
                close_cancelled(edit)
                return None
            job.started_at = job.started_at or edit.now
            if stage := _STAGE_OF_KIND.get(Kind(step.kind)):
                _log_stage(edit, stage)
                edit.forward(stage)
            if step.kind == Kind.WINDOW and job.speech_started_at is None:
                job.speech_started_at, job.speech_base_seconds = edit.now, job.window_seconds_done
    except (Gone, Fenced):
        return None
    return Run(run_id=step.run_id, step=step, job=job)


def _log_stage(edit: Edit, stage: Stage) -> None:
    before = edit.job.stage
    edit.forward(stage)
    if edit.job.stage != before:
        edit.log(f"{Stage(edit.job.stage).label}.")


def heartbeat(run_id: UUID) -> bool:
    """Signs of life of a run; False when it should stop: its claim is lost, or its job has failed or is cancelled."""
    alive = Step.objects.filter(run_id=run_id, state=StepState.RUNNING).update(heartbeat_at=timezone.now())
    over = Q(cancel_requested_at__isnull=False) | Q(stage__in=TERMINAL)
    return bool(alive) and not Job.objects.filter(over, steps__run_id=run_id).exists()


def report(run: Run, fraction: float, detail: str = "") -> None:
    """Stores how far a fetch or decode step is (0–1) and what it does now."""
    with _holding(run) as edit:
        edit.job.progress = max(edit.job.progress, shares.within(run.step.kind, fraction))
        edit.job.stage_detail = detail


@contextmanager
def _holding(run: Run) -> Iterator[Edit]:
    """Edits the job while the claim is held; raises Fenced when it isn't, and when the job is gone."""
    try:
        with editing(run.job_id) as edit:
            if not Step.objects.filter(pk=run.step.pk, run_id=run.run_id, state=StepState.RUNNING).exists():
                raise Fenced(run.step.pk)
            yield edit
    except Gone as gone:
        raise Fenced(run.step.pk) from gone


@contextmanager
def _finishing(run: Run) -> Iterator[Edit]:
    """Ends the run as done, lets the caller store its result, then moves the job on."""
    with _holding(run) as edit:
        settle(run.step, StepState.DONE, error="", error_code="")
        edit.job.stage_detail = ""
        yield edit
        advance(edit)


# --- results --------------------------------------------------------------------------------------


def finish_prepare(run: Run, *, engine: str, model: str, quality: str, reason: str) -> None:
    """The engine is chosen: windows may be released."""
    with _finishing(run) as edit:
        edit.job.engine, edit.job.model, edit.job.quality = engine, model, quality
        edit.job.engine_reason = reason
        edit.log(reason)
        Step.objects.filter(job=edit.job, kind=Kind.WINDOW, state=StepState.HELD).update(state=StepState.WAITING)


def finish_fetch(run: Run, *, media: str, **source: Any) -> None:
    """The original is in storage as `media`; `source` are `source_*` fields of the job."""
    with _finishing(run) as edit:
        edit.job.media = media
        for name, value in source.items():
            setattr(edit.job, name, value)
        edit.log("The media is downloaded.")
        make_ready(edit, Kind.DECODE)


def describe_media(run: Run, *, duration_seconds: float | None, mime: str, note: str = "") -> None:
    """What the container said before decoding; `note` goes to the runtime log."""
    with _holding(run) as edit:
        edit.job.source_duration_seconds = duration_seconds or edit.job.source_duration_seconds
        edit.job.source_mime = mime or edit.job.source_mime
        if note:
            edit.log(note)


def add_windows(run: Run, windows: Sequence[NewWindow]) -> None:
    """Stores windows as the decoder finds them, so that the first is transcribed while decoding goes on."""
    with _holding(run) as edit:
        job = edit.job
        wanted = job.engine and not (job.is_terminal or job.cancel_requested_at)
        state = StepState.WAITING if wanted else StepState.HELD
        first = job.windows_total
        Step.objects.bulk_create(
            [_window_step(job, first + place, window, state) for place, window in enumerate(windows)]
        )
        job.windows_total += len(windows)
        job.window_seconds_total += sum(window.end - window.start for window in windows)
        release(edit)


def _window_step(job: Job, index: int, window: NewWindow, state: StepState) -> Step:
    return Step(
        job=job,
        kind=Kind.WINDOW,
        index=index,
        state=state,
        lane=LANE_OF[Kind.WINDOW],
        priority=job.priority,
        owner_id=job.owner_id,
        level=schedule.level_of(index, job.source_duration_seconds),
        start_seconds=window.start,
        end_seconds=window.end,
        speech=[list(span) for span in window.speech],
        audio=window.audio,
    )


def finish_decode(run: Run, *, duration_seconds: float, speech_seconds: float, warnings: Sequence[str] = ()) -> None:
    """All windows are stored. Without any there was no speech, which fails the job."""
    with _finishing(run) as edit:
        job = edit.job
        job.decoded_at, job.source_duration_seconds = edit.now, duration_seconds
        job.speech_seconds = speech_seconds
        for warning in warnings:
            edit.log(warning, "warning")
        edit.forward(Stage.WAITING)
        if job.windows_total == 0 and not job.is_terminal:
            fail_job(edit, "no_speech")


def finish_window(run: Run, segments: Sequence[spoken.Segment], *, language: str | None) -> None:
    """Stores a window's segments, whose times are the recording's, exactly once."""
    with _finishing(run) as edit:
        job, step = edit.job, run.step
        rows = [_segment_row(step, place, one, edit.revision) for place, one in enumerate(segments)]
        Segment.objects.bulk_create(rows)
        job.windows_done += 1
        job.window_seconds_done += step.end_seconds - step.start_seconds
        job.detected_language = job.detected_language or language or ""
        edit.show_segments(step.index, rows)


def _segment_row(step: Step, position: int, one: spoken.Segment, revision: int) -> Segment:
    return Segment(
        job_id=step.job_id,
        step=step,
        position=position,
        start=one.start,
        end=one.end,
        text=one.text,
        words=[[word.start, word.end, word.text, word.probability] for word in one.words],
        speaker=one.speaker or "",
        probability=one.probability,
        revision=revision,
    )


def finish_assemble(run: Run, *, text: str, coverage: dict[str, Any]) -> None:
    """The transcript is whole: the job completes."""
    with _finishing(run) as edit:
        Transcript.objects.update_or_create(job=edit.job, defaults={"text": text, "coverage": coverage})
        if not edit.job.is_terminal and not edit.job.cancel_requested_at:
            edit.job.stage, edit.job.completed_at = Stage.COMPLETED, edit.now
            edit.log("The transcript is complete.")


# --- runs that end otherwise ----------------------------------------------------------------------


def fail(run: Run, error: JobError) -> None:
    """The step failed: it is tried again if that may help, else the job fails and keeps what is done."""
    with _holding(run) as edit:
        told = {"error": error.message, "error_code": error.code}
        tries = run.step.attempts - run.step.losses
        if edit.job.cancel_requested_at or edit.job.is_terminal:
            settle(run.step, StepState.HELD, **told)
            close_cancelled(edit)
        elif error.retry and tries <= len(RETRY_PAUSES):
            pause = RETRY_PAUSES[tries - 1]
            settle(run.step, StepState.READY, not_before=edit.now + pause, **told)
            edit.log(f"{error.message} Trying again in {pause.total_seconds():.0f} s.", "warning")
            release(edit)
        else:
            settle(run.step, StepState.FAILED, **told)
            fail_job(edit, error.code, error.message)


def hand_back(run: Run) -> None:
    """The worker stops: the step is ready for another, and no attempt is counted."""
    with _holding(run) as edit:
        stays = edit.job.is_terminal or edit.job.cancel_requested_at
        state = StepState.HELD if stays else StepState.READY
        settle(run.step, state, run_id=None, attempts=F("attempts") - 1)
        edit.job.stage_detail = ""
        close_cancelled(edit)
        if state == StepState.READY:
            edit.ring(run.step.lane)


# --- what users ask for ---------------------------------------------------------------------------


def request_cancel(job_id: int) -> Job:
    """Cancels a queued job at once and an active one within a window. Raises NotAllowed for one that has ended."""
    with editing(job_id) as edit:
        job = edit.job
        if job.is_terminal:
            raise NotAllowed(_("This job is not active, so there is nothing to cancel."))
        if not job.cancel_requested_at:
            job.cancel_requested_at = edit.now
            edit.log("Cancelling was asked for.")
            hold(job)
        close_cancelled(edit)
    return job


def restart(job_id: int) -> Job:
    """Puts a failed job back in the queue; finished windows stay finished. A queued one stays as it is."""
    with editing(job_id) as edit:
        job = edit.job
        if job.cancel_requested_at and not job.is_terminal:
            raise NotAllowed(_("This job is being cancelled. Restart it when that is done."))
        if job.stage == Stage.QUEUED:
            return job
        if job.stage != Stage.FAILED:
            raise NotAllowed(_("Only a failed or queued job can be restarted."))
        _reset(edit)
        rewind(edit)
        edit.log("Restarted; what was done before is kept.")
        advance(edit)
    return job


def _reset(edit: Edit) -> None:
    job = edit.job
    job.stage, job.stage_detail, job.progress = Stage.QUEUED, "", 0.0
    job.failure_code = job.failure_error = ""
    job.completed_at = job.cancel_requested_at = job.speech_started_at = None
    job.attempts += 1


def delete(job_id: int) -> None:
    """Deletes a job that is not being worked on, with its rows and files. Raises NotAllowed, Gone."""
    with editing(job_id) as edit:
        job = edit.job
        if job.stage in PROCESSING:
            raise NotAllowed(_("This job is being processed. Cancel it first, then delete it."))
        told = {"type": "deleted", "id": job.pk}
        edit.discard([(group, told) for group in (broadcast.job_group(job.pk), *queues_of(job))])
        media = job.media
        transaction.on_commit(lambda: uploads.remove(media))
