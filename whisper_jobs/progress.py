"""How far a job is, 0–100, from what its row knows. Fetching is the first 5, decoding 3, transcribing 90, the rest the end.

Where speakers are told apart, transcribing is 87 and that 3.
"""

from __future__ import annotations

from django.utils import timezone

from whisper_jobs.models import Job
from whisper_jobs.states import Kind, Stage

FETCHED = 5.0
DECODED = 8.0
HEARD, HEARD_BEFORE_SPEAKERS = 98.0, 95.0
_SPANS: dict[str, tuple[float, float]] = {
    Kind.FETCH: (0.0, FETCHED),
    Kind.DECODE: (FETCHED, DECODED),
    Kind.DIARIZE: (HEARD_BEFORE_SPEAKERS, HEARD),
}


def of(job: Job) -> float:
    """Never above 98 before the job completes, and never below what is stored unless a restart reset that."""
    if job.stage == Stage.COMPLETED:
        return 100.0
    total = speech_total(job)
    heard = min(1.0, job.window_seconds_done / total) if total else 0.0
    end = HEARD if job.disable_diarization else HEARD_BEFORE_SPEAKERS
    base = DECODED if job.decoded_at else FETCHED if job.media else 0.0
    return max(job.progress, base + (end - DECODED) * heard)


def shown(job: Job) -> float:
    """As it is stored; of a job of the sandbox that is to end the time that has passed, since nothing else does there."""
    seconds: int | None = (job.sandbox or {}).get("finish_in")
    if not seconds or job.stage != Stage.TRANSCRIBING or job.speech_started_at is None:
        return job.progress
    return HEARD * min(1.0, max(0.0, (timezone.now() - job.speech_started_at).total_seconds() / seconds))


def speech_total(job: Job) -> float:
    """Seconds in windows: exact once decoding is done, before that at least the recording's own length."""
    if job.decoded_at:
        return job.window_seconds_total
    return max(job.window_seconds_total, job.source_duration_seconds or 0.0)


def within(kind: str, fraction: float) -> float:
    """Progress of the job when one of the steps beside the windows is done to this fraction (0–1)."""
    start, end = _SPANS.get(kind, (0.0, 0.0))
    return start + (end - start) * min(1.0, max(0.0, fraction))
