"""Makes the links to shares, and finds what a link opens. Changing a share is owning's work."""

from __future__ import annotations

import re

from django.conf import settings
from django.urls import reverse

from sharing.models import Share
from whisper_jobs.models import Job
from whisper_jobs.states import Stage

_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,64}")


class Unknown(Exception):
    """There is no such share, or nothing to read behind it."""


class Ended(Exception):
    """There was such a share; it was revoked, has expired, or its job is in the trash."""


def open_for(job: Job) -> Share:
    """The job's share, made if there is none. Whoever calls holds the job's lock."""
    return Share.objects.get_or_create(job=job, revoked_at=None)[0]


def current(job: Job) -> Share | None:
    """The job's share that is not revoked; it may have expired."""
    return Share.objects.filter(job=job, revoked_at=None).first()


def url_of(share: Share) -> str:
    """The whole address, as it is sent to other servers."""
    return settings.SITE_URL + reverse("sharing:transcript", args=[share.token])


def find(token: str) -> Share:
    """The share that this token opens, with its job. Raises Unknown, Ended."""
    share = Share.objects.select_related("job").filter(token=token).first() if _TOKEN.fullmatch(token) else None
    if share is None or share.job.stage != Stage.COMPLETED:
        raise Unknown
    if share.revoked_at is not None or share.has_expired or share.job.trashed_at is not None:
        raise Ended
    return share
