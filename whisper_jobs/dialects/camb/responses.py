"""Rows → wire: a task, what it was told, and the address of a file that is open for a while."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core import signing
from django.utils import timezone

from whisper_jobs import results
from whisper_jobs.dialects.camb.language_ids import IDS
from whisper_jobs.models import Job
from whisper_jobs.speech.formats import FORMATS
from whisper_jobs.speech.transcript import Segment
from whisper_jobs.states import Stage
from whisper_jobs.told import in_words_of_the_reader

Json = dict[str, Any]
#: So long whoever has its address may fetch a file.
FILE_LIFETIME = timedelta(hours=1)
#: Failures that have a status of their own.
_STATUSES = {"quota_exceeded": "PAYMENT_REQUIRED", "timeout": "TIMEOUT"}
#: Our failures in the published words; what has none is its own.
_REASONS = {
    "internal_error": "INTERNAL_ERROR",
    "media_corrupt": "INVALID_SOURCE_DATA",
    "no_audio_stream": "VIDEO_DOES_NOT_HAVE_AUDIO_STREAMS",
    "quota_exceeded": "PAYMENT_REQUIRED",
    "source_age_restricted": "SOURCE_IS_AGE_RESTRICTED",
    "source_not_found": "SOURCE_NOT_FOUND",
    "source_private_address": "FORBIDDEN",
    "source_too_large": "SOURCE_TOO_LARGE",
    "source_too_long": "SOURCE_TOO_LONG",
    "source_type_not_supported": "SOURCE_TYPE_NOT_SUPPORTED",
    "source_unreachable": "ERROR_DOWNLOADING_SOURCE",
}
_HALF = 8


def task_id(job: Job) -> str:
    """As Camb.ai's look. No secret: it is good with its owner's key alone."""
    return str(UUID(bytes=_digest(job.pk) + job.pk.to_bytes(_HALF)))


def job_number(told: str) -> int | None:
    """The job of a task's id; None for what is none."""
    try:
        written = UUID(told).bytes
    except ValueError:
        return None
    number = int.from_bytes(written[_HALF:])
    return number if written[:_HALF] == _digest(number) else None


def _digest(number: int) -> bytes:
    return hashlib.sha256(b"camb task %d" % number).digest()[:_HALF]


def polled(job: Job) -> Json:
    """A run has a number once it has a result."""
    told: Json = {"status": "PENDING", "run_id": None, "exception_reason": None, "message": None}
    if job.stage == Stage.COMPLETED:
        return {**told, "status": "SUCCESS", "run_id": job.pk}
    if job.stage != Stage.FAILED:
        return told
    reason = _REASONS.get(job.failure_code, job.failure_code.upper())
    message = in_words_of_the_reader(job.failure_error)
    return {**told, "status": _STATUSES.get(job.failure_code, "ERROR"), "exception_reason": reason, "message": message}


def transcript(job: Job, *, has_words: bool = False) -> Json:
    return {"transcript": [_dialogue(one, has_words) for one in results.segments_of(job)]}


def _dialogue(segment: Segment, has_words: bool) -> Json:
    """The speaker is empty where nobody was told apart."""
    told = {"start": segment.start, "end": segment.end, "text": segment.text, "speaker": segment.speaker or ""}
    if not has_words:
        return told
    words = [{"start": one.start, "end": one.end, "text": one.text.strip()} for one in segment.words]
    return {**told, "words": words}


def text(job: Job, format_name: str) -> str:
    return b"".join(rendered(job, format_name)).decode()


def rendered(job: Job, format_name: str) -> Iterator[bytes]:
    return FORMATS[format_name].render(results.transcript_of(job))


def file(address: str) -> Json:
    expiry = timezone.now() + FILE_LIFETIME
    return {"transcript": address, "file_url": address, "expiry": expiry.isoformat()}


def file_name(job: Job, format_name: str) -> str:
    """What a file's address ends with: opens this one file for FILE_LIFETIME."""
    return _signer().sign(f"{job.pk}.{format_name}")


def file_of(name: str) -> tuple[int, str] | None:
    """The job's number and the format; None for what was not made here, or is over."""
    try:
        number, _dot, format_name = _signer().unsign(name, max_age=FILE_LIFETIME).partition(".")
    except signing.BadSignature:
        return None
    return int(number), format_name


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt="camb.file")


def languages() -> list[Json]:
    return [{"id": number, "language": name, "short_name": tag} for number, (tag, name) in IDS.items()]
