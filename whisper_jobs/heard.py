"""What somebody said live becomes a job like any other: its windows are done, or wait for workers where nobody has read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from whisper_jobs import limits, schedule, search, segment_rows, turnstile
from whisper_jobs.lifecycle import NewWindow
from whisper_jobs.models import Job, LiveSession, Segment, SourceType, Step, Waveform
from whisper_jobs.models.live_session import SessionState
from whisper_jobs.moves import advance, fail_job, make_ready
from whisper_jobs.pen import Edit, count, editing, introduce
from whisper_jobs.speech.peaks import Shape
from whisper_jobs.speech.streaming.heard import Closed
from whisper_jobs.states import LANE_OF, Kind, Stage, StepState

Span = tuple[float, float]
_MIME = "audio/wav"


@dataclass(frozen=True, slots=True)
class Engine:
    """What has read it, and reads the rest."""

    backend: str
    engine: str
    model: str
    quality: str
    reason: str


@dataclass(frozen=True, slots=True)
class Recording:
    """All that a session has left. `engine` is None where that got lost; it is chosen again then.

    `read` are the stretches whose words are final, `unread` those behind them. `note` is why it ended, where nobody asked for it.
    """

    media: str
    size_bytes: int
    sha256: str
    seconds: float
    shape: Shape
    started_at: datetime
    engine: Engine | None
    read: Sequence[Closed]
    unread: Sequence[NewWindow]
    language: str | None = None
    language_probability: float | None = None
    note: str = ""


class Superseded(Exception):
    """The session's recording was made before, or its owner was deleted: this one is not wanted."""


def close_without(session_id: UUID, state: SessionState) -> None:
    """Ends a session in which there was no sound."""
    told = {"state": state, "closed_at": timezone.now()}
    LiveSession.objects.filter(pk=session_id, closed_at=None).update(**told)


def keep(session_id: UUID, recording: Recording, state: SessionState = SessionState.CLOSED) -> Job:
    """Makes the job and ends the session, in one transaction and once. Raises Superseded."""
    with turnstile.write():
        row = LiveSession.objects.select_for_update(of=("self",)).select_related("owner").filter(pk=session_id).first()
        if row is None or row.job_id:
            raise Superseded(session_id)
        job = _job(row, recording)
        job.save(force_insert=True)
        search.reindex_heads([job])
        # Before the count, as whoever finishes a window does: two who cross would lock each other out.
        limits.charge(job, _seconds(recording.read))
        count(job, job.status, 1)
        Step.objects.bulk_create(_steps(job, recording))
        introduce(job, "Heard live.", ())
        with editing(job.pk) as edit:
            _write(edit, recording)
        told = {"state": state, "job": job, "closed_at": timezone.now()}
        LiveSession.objects.filter(pk=row.pk).update(**told)
    return job


def _job(row: LiveSession, recording: Recording) -> Job:
    engine = recording.engine
    chosen = {"engine": engine.engine, "model": engine.model, "quality": engine.quality} if engine else {}
    return Job(
        owner=row.owner,
        tenant_id=row.tenant_id,
        channel=row.channel,
        priority=int(row.owner.is_superuser),
        source_type=SourceType.UPLOAD,
        source_filename=f"live-{recording.started_at:%Y-%m-%d-%H%M%S}.wav",
        source_mime=_MIME,
        source_size_bytes=recording.size_bytes,
        source_sha256=recording.sha256,
        source_duration_seconds=recording.seconds,
        media=recording.media,
        requested_model="auto",
        language=row.language,
        backend_preference=row.backend_preference,
        backend=engine.backend if engine else "",
        engine_reason=engine.reason[:300] if engine else "",
        disable_diarization=not row.diarize,
        detected_language=recording.language or "",
        language_probability=recording.language_probability,
        started_at=recording.started_at,
        **chosen,
    )


def _steps(job: Job, recording: Recording) -> list[Step]:
    done, held = StepState.DONE, StepState.HELD
    kinds = [(Kind.PREPARE, done if recording.engine else held), (Kind.DECODE, done)]
    kinds += [] if job.disable_diarization else [(Kind.DIARIZE, held)]
    return [_step(job, kind, state) for kind, state in (*kinds, (Kind.ASSEMBLE, held))]


def _step(job: Job, kind: Kind, state: StepState, *, index: int = 0) -> Step:
    return Step(
        job=job,
        kind=kind,
        index=index,
        state=state,
        lane=LANE_OF[kind],
        owner_id=job.owner_id,
        priority=job.priority,
        attempts=int(state == StepState.DONE),
        finished_at=timezone.now() if state == StepState.DONE else None,
    )


def _write(edit: Edit, recording: Recording) -> None:
    job, shape = edit.job, recording.shape
    Waveform.objects.create(job=job, per_second=shape.per_second, peaks=shape.peaks)
    job.decoded_at = edit.now
    edit.forward(Stage.WAITING)
    if recording.note:
        edit.log(recording.note, "warning")
    _add_read(edit, recording.read)
    _add_unread(edit, recording)
    if job.windows_total == 0:
        fail_job(edit, "no_speech")
    elif recording.engine is None:
        make_ready(edit, Kind.PREPARE)
    advance(edit)


def _add_read(edit: Edit, windows: Sequence[Closed]) -> None:
    job = edit.job
    steps = [_window(job, at, one.start, one.end, one.speech, StepState.DONE) for at, one in enumerate(windows)]
    Step.objects.bulk_create(steps)
    Segment.objects.bulk_create(
        segment_rows.row(step, place, segment, edit.revision)
        for step, window in zip(steps, windows, strict=True)
        for place, segment in enumerate(window.segments)
    )
    seconds = _seconds(windows)
    job.windows_total = job.windows_done = len(windows)
    job.window_seconds_total = job.window_seconds_done = seconds
    job.speech_seconds = _speech(windows)
    if windows:
        edit.forward(Stage.TRANSCRIBING)


def _add_unread(edit: Edit, recording: Recording) -> None:
    job, first = edit.job, len(recording.read)
    state = StepState.WAITING if recording.engine else StepState.HELD
    steps = [
        _window(job, first + at, one.start, one.end, one.speech, state, audio=one.audio)
        for at, one in enumerate(recording.unread)
    ]
    Step.objects.bulk_create(steps)
    job.windows_total += len(steps)
    job.window_seconds_total += _seconds(recording.unread)
    job.speech_seconds += _speech(recording.unread)


def _window(
    job: Job, index: int, start: float, end: float, speech: Sequence[Span], state: StepState, *, audio: str = ""
) -> Step:
    step = _step(job, Kind.WINDOW, state, index=index)
    step.level = schedule.level_of(index, job.source_duration_seconds)
    step.start_seconds, step.end_seconds, step.audio = start, end, audio
    step.speech = [list(span) for span in speech]
    return step


def _seconds(windows: Sequence[Closed] | Sequence[NewWindow]) -> float:
    return sum(window.end - window.start for window in windows)


def _speech(windows: Sequence[Closed] | Sequence[NewWindow]) -> float:
    return sum(end - start for window in windows for start, end in window.speech)
