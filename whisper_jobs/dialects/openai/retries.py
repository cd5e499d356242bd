"""A client that got no answer in time, and by itself sends the same recording again: it waits for the job that it has."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from whisper_jobs import queries, uploads
from whisper_jobs.dialects.inline import WITHOUT_WORDS
from whisper_jobs.intake import Submission
from whisper_jobs.models import Channel, Job
from whisper_jobs.states import Stage

#: The official clients give up after ten minutes and try again at once, unless they are told otherwise.
RECENT = timedelta(hours=2)
MOST_LOOKED_AT = 20
_ALIKE = ("task", "language", "initial_prompt", "temperature", "disable_diarization")


def earlier(submission: Submission) -> Job | None:
    """The newest job of this owner with the same recording and the same wishes, unless there is no answer to be had from it."""
    if submission.media_file is None or submission.idempotency or submission.script is not None:
        return None
    since = timezone.now() - RECENT
    mine = queries.visible_jobs(submission.owner, Channel.API).filter(owner=submission.owner, created_at__gte=since)
    answered = ~Q(stage=Stage.FAILED) | Q(failure_code__in=WITHOUT_WORDS)
    same = mine.filter(answered, source_sha256=uploads.digest_of(submission.media_file))
    return next((job for job in same[:MOST_LOOKED_AT] if _wishes_of(job) == _wishes(submission)), None)


def _wishes(asked: Submission) -> list[Any]:
    names = [one.name for one in asked.known_speakers]
    return [asked.model, *(getattr(asked, name) for name in _ALIKE), list(asked.hotwords), names]


def _wishes_of(job: Job) -> list[Any]:
    names = [one["name"] for one in job.known_speakers]
    return [job.requested_model, *(getattr(job, name) for name in _ALIKE), list(job.hotwords), names]
