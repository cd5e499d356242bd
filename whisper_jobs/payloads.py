"""A job as JSON, in the published names. Used by the native API, by sockets and by pages; reads, never writes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from whisper_jobs import progress, queries
from whisper_jobs.models import Job, LogLine, Segment, Step, Transcript
from whisper_jobs.models.worker import FRESH
from whisper_jobs.speech.formats import FORMATS
from whisper_jobs.states import Kind, Stage, StepState

Json = dict[str, Any]
#: The newest lines of a runtime log that a job shows.
LOG_LINES = 200


def job_summary(job: Job, position: int | None = None) -> Json:
    """What lists and change messages carry: the job's own row and nothing that needs a query."""
    return {
        "id": job.pk,
        "url": reverse("web:job", args=[job.pk]),
        "title": job.title,
        "status": job.status.value,
        "status_label": str(job.status.label),
        "stage": job.stage,
        "stage_label": str(Stage(job.stage).label),
        "stage_detail": job.stage_detail,
        "progress": round(job.progress, 1),
        "revision": job.revision,
        "queue_channel": job.channel,
        "queue_channel_label": job.get_channel_display(),
        "queue_position": position,
        "eta_seconds": eta_seconds(job),
        "owner_email": job.owner.email,
        "created_at": _iso(job.created_at),
        "started_at": _iso(job.started_at),
        "completed_at": _iso(job.completed_at),
        "attempts": job.attempts,
        "cancel_requested": job.cancel_requested_at is not None,
        "failure_code": job.failure_code or None,
        "failure_error": job.failure_error or None,
        **_source(job),
        **_engine(job),
    }


def _source(job: Job) -> Json:
    return {
        "source_type": job.source_type,
        "source_url": job.source_url or None,
        "source_label": job.source_label or None,
        "source_note": job.source_note or None,
        "source_title": job.source_title or None,
        "source_filename": job.source_filename or None,
        "source_mime": job.source_mime or None,
        "source_size_bytes": job.source_size_bytes,
        "source_duration_seconds": job.source_duration_seconds,
        "source_duration_human": duration_human(job.source_duration_seconds),
    }


def _engine(job: Job) -> Json:
    return {
        "model": job.model or job.requested_model,
        "requested_model": job.requested_model,
        "engine": job.engine or None,
        "engine_reason": job.engine_reason or None,
        "quality": job.quality or None,
        "language": job.language or None,
        "detected_language": job.detected_language or None,
    }


def job_full(job: Job, position: int | None = None, *, text_so_far: bool = True) -> Json:
    """Everything about one job. A constant number of queries, whatever the recording's length.

    Without `text_so_far` an unfinished job has no `transcript_text`: for those who get its segments besides.
    """
    transcript = Transcript.objects.filter(job=job).first()
    text = transcript.text if transcript else (_text_so_far(job) or None) if text_so_far else None
    return {
        **job_summary(job, position),
        "source_description": job.source_description or None,
        "source_sha256": job.source_sha256 or None,
        "transcript_text": text,
        "speaker_aware_transcript": None,
        "segments_url": reverse("native:segments", args=[job.pk]),
        "exports": _exports(job),
        "steps": steps(job),
        "windows": {"total": job.windows_total, "done": job.windows_done},
        "runtime_log": runtime_log(job),
        "liveness": _liveness(job),
        "coverage": transcript.coverage if transcript else None,
        "diarization": {"state": "skipped", "reason": _("This server does not tell speakers apart."), "speakers": []},
        "analysis": _not_here(job.analysis_language) if job.analysis_language else None,
        "translations": [_not_here(language) for language in job.translation_target_languages],
        "share": None,
        "callback": None,
    }


def _not_here(language: str) -> Json:
    reason = _("This server has no language model for analysis and translation.")
    return {"language": language, "state": "skipped", "text": None, "model": None, "error": reason}


def _text_so_far(job: Job) -> str:
    if not job.windows_done:
        return ""
    return " ".join(Segment.objects.filter(job=job).order_by("start", "id").values_list("text", flat=True))


def _exports(job: Job) -> Json:
    if job.stage != Stage.COMPLETED:
        return {}
    return {name: reverse("native:export", args=[job.pk, name]) for name in FORMATS}


def steps(job: Job) -> list[Json]:
    """The steps in order; all windows are told as one, with the first error among them."""
    told = []
    for step in Step.objects.filter(job=job).exclude(kind=Kind.WINDOW).order_by("id"):
        if step.kind == Kind.ASSEMBLE:
            told.append(_windows_as_step(job))
        told.append(_step(step))
    return told


def _step(step: Step) -> Json:
    return {
        "kind": step.kind,
        "label": str(Kind(step.kind).label),
        "state": step.state,
        "attempts": step.attempts,
        "error": step.error or None,
    }


def _windows_as_step(job: Job) -> Json:
    worst = Step.objects.filter(job=job, kind=Kind.WINDOW).exclude(error="").order_by("index").first()
    failed = worst is not None and worst.state == StepState.FAILED
    complete = job.decoded_at is not None and job.windows_done == job.windows_total
    begun = StepState.RUNNING if job.speech_started_at and not job.is_terminal else StepState.WAITING
    return {
        "kind": Kind.WINDOW.value,
        "label": str(Kind.WINDOW.label),
        "state": (StepState.FAILED if failed else StepState.DONE if complete else begun).value,
        "attempts": worst.attempts if worst else min(1, job.windows_done),
        "error": (worst.error if worst and failed else None) or None,
        "total": job.windows_total,
        "done": job.windows_done,
    }


def runtime_log(job: Job) -> list[Json]:
    newest = LogLine.objects.filter(job=job).order_by("-id")[:LOG_LINES]
    return [log_line(line) for line in reversed(newest)]


def log_line(line: LogLine) -> Json:
    return {"at": _iso(line.at), "level": line.level, "stage": line.stage, "message": line.message}


def segment(row: Segment) -> Json:
    words = [{"start": w[0], "end": w[1], "word": w[2], "probability": w[3]} for w in row.words]
    return {
        "id": row.pk,
        "start": row.start,
        "end": row.end,
        "text": row.text,
        "speaker": row.speaker or None,
        "probability": row.probability,
        "words": words,
    }


def _liveness(job: Job) -> Json:
    step = queries.running_step(job.pk)
    if step is None or step.heartbeat_at is None:
        return {"state": "idle", "last_heartbeat_at": None, "worker": None}
    alive = timezone.now() - step.heartbeat_at < FRESH
    return {
        "state": "alive" if alive else "stalled",
        "last_heartbeat_at": _iso(step.heartbeat_at),
        "worker": step.worker,
    }


def eta_seconds(job: Job) -> int | None:
    """What is left of the recording at the pace of this job so far; None until there is a pace."""
    done = job.window_seconds_done - job.speech_base_seconds
    if job.is_terminal or job.speech_started_at is None or done <= 0:
        return None
    pace = done / max(0.001, (timezone.now() - job.speech_started_at).total_seconds())
    return round(max(0.0, progress.speech_total(job) - job.window_seconds_done) / pace)


def duration_human(seconds: float | None) -> str | None:
    """`1:02:03` or `4:05`; None stays None."""
    if seconds is None:
        return None
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
