"""Rows → wire: how far an order is, and its transcript as a file."""

from __future__ import annotations

from typing import Any

from django.http import StreamingHttpResponse

from whisper_jobs import exports, orders, profiles, progress, results
from whisper_jobs.dialects.verbit import errors
from whisper_jobs.dialects.verbit.requests import Caption
from whisper_jobs.models import Job, Order, Segment
from whisper_jobs.speech.formats import FORMATS
from whisper_jobs.states import Stage
from whisper_jobs.told import in_words_of_the_reader

Json = dict[str, Any]
PENDING, IN_PROGRESS, COMPLETED = "Pending", "In Progress", "Completed"
CANCELED, FAILURE = "Canceled", "Failure"


def status(order: Order) -> str:
    """Of all its stages, also that in which a person edits, callers see one."""
    if order.job is None:
        return PENDING
    if order.job.stage == Stage.FAILED:
        return CANCELED if order.job.failure_code == "cancelled" else FAILURE
    return COMPLETED if order.job.stage == Stage.COMPLETED else IN_PROGRESS


def made(order: Order) -> Json:
    return {"job_id": order.pk}


def moved(order: Order) -> Json:
    return {"job_id": order.pk, "job_status": status(order)}


def info(order: Order) -> Json:
    return {
        "job_id": order.pk,
        "job_status": status(order),
        "job_name": order.name,
        "external_id": order.external_id,
        "profile": order.profile_name,
        "language": order.language or None,
        "labels": order.labels,
        "job_metadata": order.metadata,
        "has_media": orders.has_media(order) or order.job is not None,
        "created_at": order.created_at.isoformat(),
        **_worked(order.job),
        "errors": _errors(order),
    }


def _worked(job: Job | None) -> Json:
    """What there is to tell once it was started."""
    started, ended = (job.created_at, job.completed_at) if job else (None, None)
    return {
        "started_at": started.isoformat() if started else None,
        "ended_at": ended.isoformat() if ended else None,
        "media_duration": job.source_duration_seconds if job else None,
        "detected_language": (job.detected_language or None) if job else None,
        "progress": round(progress.shown(job)) if job else 0,
        "draft_ready": has_words(job),
    }


def _errors(order: Order) -> list[Json]:
    if order.job is None or status(order) != FAILURE:
        return []
    code, told = order.job.failure_code, in_words_of_the_reader(order.job.failure_error)
    return [{"code": errors.failure(code), "message": told, "failure_code": code}]


def has_words(job: Job | None) -> bool:
    return job is not None and Segment.objects.filter(job=job).exists()


def file(job: Job, asked: Caption) -> StreamingHttpResponse:
    """Captions are broken as the profile says. Raises results.NotTranslated."""
    language = "" if asked.language == job.text_language else asked.language
    shaped = {"speakers": True, "words": False, "notes": False, "rules": profiles.caption_rules(asked.profile)}
    stem = "-".join(filter(None, ("transcript", str(job.pk), language)))
    transcript = results.transcript_of(job, language)
    return exports.answer(FORMATS[asked.format], transcript, exports.options(shaped), stem=stem)
