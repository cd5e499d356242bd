"""Every change of a job or step. Each verb is one transaction that first locks the job, then checks who may write.

A claim is named by its run id. Whoever lost it (presumed dead, cancelled, deleted) gets `Fenced` and must drop its work.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F, Model, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from whisper_jobs import asking, claims, enrich_rows, limits, outbox, pace, schedule, search, segment_rows, uploads
from whisper_jobs import progress as shares
from whisper_jobs.errors import JobError
from whisper_jobs.models import Job, Segment, Step, Transcript, Waveform
from whisper_jobs.moves import (
    Fenced,
    advance,
    close_cancelled,
    end_failed,
    fail_job,
    hold,
    make_ready,
    release,
    rests,
    rewind,
    settle,
)
from whisper_jobs.pen import Edit, Gone, editing, farewells
from whisper_jobs.runs import NotAllowed, Run, finishing, holding
from whisper_jobs.states import ENRICHING, LANE_OF, PROCESSING, Kind, Stage, StepState

if TYPE_CHECKING:
    from uuid import UUID

    from whisper_jobs.speech import transcript as spoken
    from whisper_jobs.speech.peaks import Shape

#: A failure that may pass is tried again after these pauses, then it is final.
RETRY_PAUSES = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2))


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


def claim_companions(run: Run, most: int) -> list[Run]:
    """Further windows of the same job for an engine that takes several at once; each is a run of its own.

    Idle workers get their part. The first window goes alone, so that its words are there soon, and so does one that was tried
    before: what fails or kills a worker then does it by itself.
    """
    step = run.step
    if most < 1 or step.index == 0 or step.attempts > 1 or step.losses:
        return []
    with holding(run) as edit:
        # A restart may have chosen another engine since this window began.
        chosen_anew = (edit.job.engine, edit.job.model) != (run.job.engine, run.job.model)
        if rests(edit.job, step) or chosen_anew:
            return []
        found = claims.take_companions(step, min(most, schedule.share(edit.job.pk)))
    return [Run(run_id=one.run_id, step=one, job=run.job) for one in found if one.run_id]


def claim_assembly(window: Step) -> Step | None:
    """Takes the assembly of a window's job for the worker of the window, if it is ready."""
    return claims.take_assembly(window.job_id, window.worker)


def keep(runs: Sequence[UUID]) -> None:
    """Signs of life of companions."""
    Step.objects.filter(run_id__in=runs, state=StepState.RUNNING).update(heartbeat_at=timezone.now())


_STAGE_OF_KIND = {
    Kind.FETCH: Stage.FETCHING,
    Kind.DECODE: Stage.DECODING,
    Kind.WINDOW: Stage.TRANSCRIBING,
    Kind.DIARIZE: Stage.DIARIZING,
}


def begin(step: Step) -> Run | None:
    """Shows that a claimed step runs. None when there is nothing to do now: the job ended, or was deleted or restarted."""
    assert step.run_id is not None
    try:
        with editing(step.job_id) as edit:
            job = edit.job
            # A restart took the engine away while this window was being claimed; prepare releases it again.
            unprepared = step.kind == Kind.WINDOW and not job.engine
            if rests(job, step) or unprepared:
                settle(step, StepState.HELD, run_id=None)
                close_cancelled(edit)
                return None
            job.started_at = job.started_at or edit.now
            if step.kind in ENRICHING and enrich_rows.begin(step):
                edit.log(f"{Kind(step.kind).label}.")
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
    over = Q(cancel_requested_at__isnull=False) | Q(stage=Stage.FAILED)
    return bool(alive) and not Job.objects.filter(over, steps__run_id=run_id).exists()


def note(run: Run, sentence: str, level: str = "info") -> None:
    """A line for the job's runtime log."""
    with holding(run) as edit:
        edit.log(sentence, level)


def report(run: Run, fraction: float, detail: str = "") -> None:
    """Stores how far a fetch or decode step is (0–1) and what it does now."""
    with holding(run) as edit:
        edit.job.progress = max(edit.job.progress, shares.within(run.step.kind, fraction))
        edit.job.stage_detail = detail


# --- results --------------------------------------------------------------------------------------


def finish_prepare(run: Run, *, backend: str, engine: str, model: str, quality: str, reason: str) -> None:
    """The engine is chosen: windows may be released."""
    with finishing(run) as edit:
        edit.job.engine, edit.job.model, edit.job.quality = engine, model, quality
        edit.job.backend, edit.job.engine_reason = backend, reason[:300]
        edit.log(reason)
        Step.objects.filter(job=edit.job, kind=Kind.WINDOW, state=StepState.HELD).update(state=StepState.WAITING)


def finish_fetch(run: Run, *, media: str, **source: Any) -> None:
    """The original is in storage as `media`; `source` are `source_*` fields of the job."""
    with finishing(run) as edit:
        edit.job.media = media
        for name, value in source.items():
            setattr(edit.job, name, value)
        search.reindex_heads([edit.job])
        edit.log("The media is downloaded.")
        if _has_minutes(edit):
            make_ready(edit, Kind.DECODE)


def describe_media(run: Run, *, duration_seconds: float | None, mime: str, note: str = "") -> None:
    """What the container said before decoding; `note` goes to the runtime log."""
    with holding(run) as edit:
        edit.job.source_duration_seconds = duration_seconds or edit.job.source_duration_seconds
        edit.job.source_mime = mime or edit.job.source_mime
        if note:
            edit.log(note)
        _has_minutes(edit)


def _has_minutes(edit: Edit) -> bool:
    """Looked at whenever more is known of the recording's length: a job that needs more minutes than are left fails."""
    if edit.job.is_terminal:
        return False
    now = limits.lacks_minutes(edit.job)
    if now is not None:
        edit.log(limits.lack(now, shares.speech_total(edit.job) - edit.job.window_seconds_done), "warning")
        fail_job(edit, "quota_exceeded", limits.failure(now))
    return now is None


def add_windows(run: Run, windows: Sequence[NewWindow]) -> None:
    """Stores windows as the decoder finds them, so that the first is transcribed while decoding goes on."""
    with holding(run) as edit:
        job = edit.job
        wanted = job.engine and not (job.is_terminal or job.cancel_requested_at)
        state = StepState.WAITING if wanted else StepState.HELD
        first = job.windows_total
        Step.objects.bulk_create(
            [_window_step(job, first + place, window, state) for place, window in enumerate(windows)]
        )
        job.windows_total += len(windows)
        job.window_seconds_total += sum(window.end - window.start for window in windows)
        if _has_minutes(edit):
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


def finish_decode(
    run: Run,
    *,
    duration_seconds: float,
    speech_seconds: float,
    warnings: Sequence[str] = (),
    shape: Shape | None = None,
) -> None:
    """All windows are stored. Without any there was no speech, which fails the job. `shape` is for players to draw."""
    with finishing(run) as edit:
        job = edit.job
        if shape:
            told = {"per_second": shape.per_second, "peaks": shape.peaks}
            _put(Waveform(job=job, **told), told)
        job.decoded_at, job.source_duration_seconds = edit.now, duration_seconds
        job.speech_seconds = speech_seconds
        for warning in warnings:
            edit.log(warning, "warning")
        edit.forward(Stage.WAITING)
        if job.windows_total == 0 and not job.is_terminal:
            fail_job(edit, "no_speech")
        _has_minutes(edit)


def finish_window(
    run: Run,
    segments: Sequence[spoken.Segment],
    *,
    language: str | None,
    language_probability: float | None = None,
    together: int = 1,
) -> None:
    """Stores a window's segments, whose times are the recording's, exactly once. `together`: windows in the same batch."""
    with finishing(run) as edit:
        job, step = edit.job, run.step
        rows = [segment_rows.row(step, place, one, edit.revision) for place, one in enumerate(segments)]
        Segment.objects.bulk_create(rows)
        job.windows_done += 1
        job.window_seconds_done += step.end_seconds - step.start_seconds
        if language and not job.detected_language:
            job.detected_language, job.language_probability = language, language_probability
        limits.charge(job, step.end_seconds - step.start_seconds)
        seconds = (edit.now - step.started_at).total_seconds() if step.started_at else 0.0
        pace.note(job, step, seconds=seconds / together)
        edit.show_segments(step.index, rows)


def finish_assemble(run: Run, *, text: str, speaker_text: str, coverage: dict[str, Any]) -> None:
    """The words are together. The job completes, or goes on to what was asked for beside them."""
    with finishing(run) as edit:
        told = {"text": text, "speaker_text": speaker_text, "coverage": coverage}
        _put(Transcript(job=edit.job, **told), told)
        search.reindex(edit.job)
        if edit.job.is_terminal:
            edit.show_rewritten()


def _put(row: Model, told: Collection[str]) -> None:
    """Stores what a job has one of; where it is there, these fields of it. One statement, where update_or_create takes six."""
    type(row)._base_manager.bulk_create([row], update_conflicts=True, unique_fields=["job"], update_fields=told)


# --- runs that end otherwise ----------------------------------------------------------------------


def fail(run: Run, error: JobError) -> None:
    """The step failed: it is tried again if that may help, else the job fails and keeps what is done."""
    with holding(run) as edit:
        told = {"error": error.message, "error_code": error.code}
        tries = run.step.attempts - run.step.losses
        if rests(edit.job, run.step):
            settle(run.step, StepState.HELD, **told)
            close_cancelled(edit)
        elif error.retry and tries <= len(RETRY_PAUSES):
            pause = max(RETRY_PAUSES[tries - 1], timedelta(seconds=error.after_seconds))
            settle(run.step, StepState.READY, not_before=edit.now + pause, **told)
            edit.log(f"{error.message} Trying again in {pause.total_seconds():.0f} s.", "warning")
            release(edit)
        else:
            settle(run.step, StepState.FAILED, **told)
            end_failed(edit, run.step, code=error.code, message=error.message)


def hand_back(run: Run, *, give_way: bool = False) -> None:
    """The worker stops, or gives way to those who wait: the step is ready for another, and no attempt is counted."""
    with holding(run) as edit:
        state, step = StepState.HELD if rests(edit.job, run.step) else StepState.READY, run.step
        turn = schedule.next_turn(step.lane, step.owner_id, step.priority, kind=step.kind) if give_way else step.turn
        settle(step, state, run_id=None, turn=turn, attempts=F("attempts") - 1)
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
    """Puts a failed job back in the queue; finished windows stay finished. A queued one stays as it is.

    One of the sandbox is played again, without its error.

    Raises NotAllowed, Gone, and limits.LimitReached when its owner may not have one more.
    """
    with editing(job_id) as edit:
        job = edit.job
        if job.trashed_at:
            raise NotAllowed(_("This job is in the trash. Take it out first."))
        asking.demand_sound(job)
        if job.cancel_requested_at and not job.is_terminal:
            raise NotAllowed(_("This job is being cancelled. Restart it when that is done."))
        if job.stage == Stage.QUEUED:
            return job
        if job.stage != Stage.FAILED:
            raise NotAllowed(_("Only a failed or queued job can be restarted."))
        if job.sandbox is None:
            limits.lock(job.owner)
            limits.demand(job.owner, seconds=shares.speech_total(job) - job.window_seconds_done)
        _reset(edit)
        outbox.renew(job)
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
        edit.discard(farewells(job))
        media = job.media
        transaction.on_commit(lambda: uploads.remove(media))
