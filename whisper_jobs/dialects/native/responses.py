"""Rows → wire for answers that are more than a job."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from accounts.models import User
from whisper_jobs import limits, pace, payloads, queries, uploads
from whisper_jobs.models import Delivery, Job, Segment

Json = dict[str, Any]


def jobs(found: list[Job], following: int | None) -> Json:
    places, etas = pace.outlook(found)
    return {
        "ok": True,
        "jobs": [payloads.job_summary(job, places.get(job.pk), etas.get(job.pk)) for job in found],
        "next": following,
    }


def job(one: Job, message: str = "", *, api: str = "native") -> Json:
    """`api` is the URL namespace of the links in it."""
    places, etas = pace.outlook([one])
    told = payloads.job_full(one, places.get(one.pk), eta=etas.get(one.pk), api=api)
    return {"ok": True, **({"message": message} if message else {}), "job": told}


def status(user: User, channel: str | None) -> Json:
    return {
        "ok": True,
        "summary": queries.summary(user, channel),
        "can_manage_all": queries.can_manage_all(user),
        "limits": limits.told(limits.standing(user)),
        "config": config(),
    }


def config() -> Json:
    limit = uploads.limit()
    return {
        "enabled": True,
        "default_model": settings.TOOLS.default_model,
        "upload_max_mb": limit.effective_max_mb,
        "upload_limit": upload_limit(limit),
        "ytdlp_configured": True,
    }


def upload_limit(limit: uploads.UploadLimit) -> Json:
    """The php_* keys are part of the published shape; there is no PHP here."""
    return {
        "configured_mb": limit.configured_mb,
        "php_upload_max_mb": None,
        "php_post_max_mb": None,
        "effective_max_mb": limit.effective_max_mb,
        "effective_max_label": f"{limit.effective_max_mb} MB",
        "limited_by_php": False,
        "request_body_max_mb": None,
        "disk_free_mb": limit.disk_free_mb,
        "limited_by": limit.limited_by,
    }


def segments(rows: list[Segment], following: int | None) -> Json:
    return {"ok": True, "segments": [payloads.segment(row) for row in rows], "next": following}


def translated(rows: list[Segment], texts: dict[int, str], following: int | None) -> Json:
    """Segments in another language. The times of words are the original's, so there are none of them."""
    told = [{**payloads.segment(row), "text": texts[row.pk], "words": []} for row in rows if row.pk in texts]
    return {"ok": True, "segments": told, "next": following}


def callback(row: Delivery | None) -> Json:
    """The callback with its newest attempts; neither when none was asked for."""
    if row is None:
        return {"ok": True, "callback": None, "attempts": []}
    told = payloads.delivery(row)
    return {"ok": True, "attempts": told.pop("log"), "callback": told}
