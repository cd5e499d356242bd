"""The part of a job's page that tells of its callback. The table of labels is what scripts show as well."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from whisper_jobs import callbacks, payloads, posting
from whisper_jobs.models import Job


def labels() -> dict[str, str]:
    return {
        "pending": _("Waiting"),
        "delivered": _("Delivered"),
        "failed": _("Failed"),
        "dropped": _("Dropped"),
    }


def failures() -> dict[str, str]:
    return {sentence: _(sentence) for sentence in posting.FAILURES.values()}


def context(job: Job) -> dict[str, Any]:
    """For the template; None where nobody asked to be called back."""
    row = callbacks.newest(job)
    if row is None:
        return {"callback": None}
    told = payloads.delivery(row)
    return {"callback": told, "callback_label": labels()[told["status"]]}


def start(job: Job, shown: dict[str, Any]) -> dict[str, Any]:
    """For the script."""
    return {
        "callback": shown["callback"],
        "callback_replay_url": reverse("native:replay", args=[job.pk]),
        "callback_attempts_url": reverse("native:attempts", args=[job.pk]),
    }
