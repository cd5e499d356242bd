"""What a callback says, in the published keys: as an envelope in JSON, or as a form that tells the status alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from sharing import links
from sharing.models import Share
from whisper_jobs import assembled, outbox
from whisper_jobs.models import Analysis, Job, Order, Translation
from whisper_jobs.speech.formats import FORMATS
from whisper_jobs.states import Stage

Json = dict[str, Any]
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
TEST_MESSAGE = "This is a test. No recording belongs to it."


@dataclass(frozen=True, slots=True)
class Result:
    """What a completed job has for its receiver."""

    text: str
    analysis: str | None
    translations: tuple[Translation, ...]
    share_url: str | None


def read(job: Job, *, thin: bool) -> Result:
    """The texts as they are now; a thin callback needs none of them."""
    return Result(
        text="" if thin else _text(job),
        analysis=None if thin else _analysis(job),
        translations=tuple(_translations(job, thin=thin)),
        share_url=_share_url(job),
    )


def _text(job: Job) -> str:
    transcript = assembled.fresh(job)
    return transcript.text if transcript else ""


def _analysis(job: Job) -> str | None:
    """Also while another is being made: until that is there, this is the one that is read."""
    return Analysis.objects.filter(job=job).exclude(text="").values_list("text", flat=True).first()


def _translations(job: Job, *, thin: bool) -> list[Translation]:
    found = Translation.objects.filter(job=job).order_by("index")
    return list(found.defer("text") if thin else found)


def _share_url(job: Job) -> str | None:
    unexpired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    share = Share.objects.filter(unexpired, job=job, revoked_at=None).first()
    return links.url_of(share) if share else None


def json_encoded(told: Json) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def form_encoded(told: Json) -> bytes:
    return urlencode(told).encode()


def status(job: Job, order: Order | None) -> Json:
    """By the number under which its sender knows it."""
    return {
        "job_id": order.pk if order else job.pk,
        "external_id": order.external_id if order else "",
        "status": "Completed" if job.stage == Stage.COMPLETED else "Failure",
    }


def test() -> Json:
    return {"ok": True, "event": outbox.TEST, "job": None, "message": TEST_MESSAGE}


def failed(job: Job) -> Json:
    told = {**_head(job), "failure_code": job.failure_code, "failure_error": job.failure_error}
    return {"ok": False, "event": outbox.FAILED, "job": told}


def completed(job: Job, result: Result, *, thin: bool) -> Json:
    content = _links(job, result) if thin else _texts(result)
    share = {"share": {"url": result.share_url} if result.share_url else None}
    told = {**_head(job), "share_url": result.share_url, **content, **share}
    return {"ok": True, "event": outbox.COMPLETED, "job": told}


def _head(job: Job) -> Json:
    with override("en"):
        labels = {"status": str(job.status.label), "channel": job.get_channel_display()}
    return {
        "job_id": job.pk,
        "status": job.status.value,
        "status_label": labels["status"],
        "queue_channel": job.channel,
        "queue_channel_label": labels["channel"],
        "source": job.title,
        "model": job.model or job.requested_model,
        "language": job.language or job.detected_language or None,
        "job_url": settings.SITE_URL + reverse("web:job", args=[job.pk]),
    }


def _texts(result: Result) -> Json:
    return {
        "transcript_text": result.text,
        "analysis_text": result.analysis,
        "translations": [_translation(row, row.text or None) for row in result.translations],
    }


def _translation(row: Translation, text: str | None) -> Json:
    return {"language": row.language, "text": text, "state": row.state}


def _links(job: Job, result: Result) -> Json:
    """In place of the texts: where to read them with the token that handed the job in."""
    exports = {name: reverse("transcribe:export", args=[job.pk, name]) for name in FORMATS}
    return {
        "transcript": "omitted",
        "api_url": settings.SITE_URL + reverse("transcribe:job", args=[job.pk]),
        "exports": {name: settings.SITE_URL + path for name, path in exports.items()},
        "translations": [{"language": row.language, "state": row.state} for row in result.translations],
    }
