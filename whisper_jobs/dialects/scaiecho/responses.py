"""Rows → wire: a job, its transcript, a tenant's policy."""

from __future__ import annotations

from typing import Any

from whisper_jobs import assembled, results
from whisper_jobs.models import Job, TenantPolicy
from whisper_jobs.speech.transcript import Segment
from whisper_jobs.states import Stage, Status
from whisper_jobs.told import in_words_of_the_reader

Json = dict[str, Any]
#: As published, word for word.
NOTE = "Long-form transcribe runs asynchronously. Poll GET /v1/modules/scaiecho/transcribe/jobs/{id} for status + transcript."
#: What every dialect publishes → what this one does.
_STATUSES = {Status.QUEUED: "queued", Status.COMPLETED: "completed", Status.FAILED: "failed"}


def accepted(job: Job) -> Json:
    """The answer to a recording that is not waited for."""
    return {"job_id": str(job.pk), "status": _status(job), "audio_bytes": job.source_size_bytes, "note": NOTE}


def finished(job: Job) -> Json:
    """The answer to a recording that was waited for."""
    return {"job_id": str(job.pk), **_said(job), **_sound(job)}


def polled(job: Job) -> Json:
    is_done = job.stage == Stage.COMPLETED
    return {
        "job_id": str(job.pk),
        "status": _status(job),
        "status_reason": in_words_of_the_reader(job.failure_error) or None,
        **(_said(job) if is_done else {"transcript": None, "segments": []}),
        **_sound(job),
        "created_at": job.created_at.isoformat(),
        "completed_at": job.completed_at.isoformat() if job.completed_at and is_done else None,
    }


def tenant_policy(row: TenantPolicy) -> Json:
    return {
        "tenant_id": str(row.pk),
        "allowed_backends": row.allowed_backends,
        "default_backend": row.default_backend,
        "tier": row.tier,
        "monthly_minutes": row.monthly_minutes,
        "retention_days": row.retention_days,
        "updated_at": row.updated_at.isoformat(),
    }


def segment(one: Segment) -> Json:
    """Seconds of the recording; the speaker where somebody has told them apart."""
    return {
        "start": one.start,
        "end": one.end,
        "text": one.text,
        "speaker": one.speaker,
        "confidence": one.probability,
        "words": [
            {"start": word.start, "end": word.end, "word": word.text.strip(), "confidence": word.probability}
            for word in one.words
        ],
    }


def _status(job: Job) -> str:
    return _STATUSES.get(job.status, "running")


def _said(job: Job) -> Json:
    transcript = assembled.fresh(job)
    return {
        "transcript": transcript.text if transcript else "",
        "segments": [segment(one) for one in results.segments_of(job)],
    }


def _sound(job: Job) -> Json:
    seconds = job.source_duration_seconds
    return {
        "backend_used": job.backend or None,
        "language_detected": job.detected_language or None,
        "audio_duration_ms": None if seconds is None else round(seconds * 1000),
        "audio_bytes": job.source_size_bytes,
    }
