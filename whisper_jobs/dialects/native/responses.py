"""Rows → wire for answers that are more than a job."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from accounts.models import User
from whisper_jobs import payloads, queries, uploads
from whisper_jobs.models import Job, Segment

Json = dict[str, Any]


def jobs(found: list[Job], following: int | None) -> Json:
    places = queries.positions(found)
    return {
        "ok": True,
        "jobs": [payloads.job_summary(job, places.get(job.pk)) for job in found],
        "next": following,
    }


def job(one: Job, message: str = "") -> Json:
    told = payloads.job_full(one, queries.positions([one]).get(one.pk))
    return {"ok": True, **({"message": message} if message else {}), "job": told}


def status(user: User) -> Json:
    return {
        "ok": True,
        "summary": queries.summary(user),
        "can_manage_all": queries.can_manage_all(user),
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
