"""Rows → what the tools answer. The types are published as the tools' output schemas."""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

# The schemas are made by a library that reads these on Python 3.11 too.
from typing_extensions import TypedDict

from whisper_jobs import assembled, pace, progress, results
from whisper_jobs.library import Found
from whisper_jobs.models import Job, Segment
from whisper_jobs.places import Place
from whisper_jobs.segment_rows import spoken
from whisper_jobs.speech import speakers
from whisper_jobs.speech.formats.clocks import short_clock
from whisper_jobs.speech.transcript import Segment as Spoken
from whisper_jobs.states import READABLE
from whisper_jobs.told import in_words_of_the_reader

#: Characters of a transcript that are answered at once.
LONGEST_TEXT = 40_000


class Recording(TypedDict):
    job_id: int
    title: str
    status: str
    language: str | None
    duration_seconds: float | None
    created_at: str
    url: str


class Transcribed(TypedDict):
    """`transcript` is None until the status is `completed`; `is_cut` where scaiecho.get has more of it."""

    job_id: int
    status: str
    transcript: str | None
    is_cut: bool
    language_detected: str | None
    audio_duration_ms: int | None
    audio_bytes: int | None
    url: str


class Standing(TypedDict):
    recording: Recording
    stage: str
    progress: float
    queue_position: int | None
    eta_seconds: int | None
    failure_code: str | None
    failure: str | None


class Said(TypedDict):
    """A stretch of speech: seconds of the recording, and who speaks where that is known."""

    start: float
    end: float
    speaker: str | None
    text: str


class SaidWord(TypedDict):
    start: float
    end: float
    word: str


class Quote(Said):
    """`at` is the start as a clock shows it; `url` opens the recording there."""

    at: str
    words: list[SaidWord]
    url: str


class Transcript(TypedDict):
    recording: Recording
    segments: list[Said]
    next_offset: int | None


class Quotes(TypedDict):
    recording: Recording
    quotes: list[Quote]


class FoundPlace(TypedDict):
    start: float
    text: str


class FoundRecording(TypedDict):
    recording: Recording
    places: list[FoundPlace]


class SearchResult(TypedDict):
    results: list[FoundRecording]
    next_page: int | None


def recording(job: Job) -> Recording:
    return {
        "job_id": job.pk,
        "title": job.title,
        "status": job.status.value,
        "language": job.text_language or None,
        "duration_seconds": job.source_duration_seconds,
        "created_at": job.created_at.isoformat(),
        "url": _page(job),
    }


def transcribed(job: Job) -> Transcribed:
    whole = assembled.fresh(job) if job.stage in READABLE else None
    seconds = job.source_duration_seconds
    return {
        "job_id": job.pk,
        "status": job.status.value,
        "transcript": whole.text[:LONGEST_TEXT] if whole else None,
        "is_cut": whole is not None and len(whole.text) > LONGEST_TEXT,
        "language_detected": job.detected_language or None,
        "audio_duration_ms": None if seconds is None else round(seconds * 1000),
        "audio_bytes": job.source_size_bytes,
        "url": _page(job),
    }


def standing(job: Job) -> Standing:
    places, etas = pace.outlook([job])
    return {
        "recording": recording(job),
        "stage": str(job.get_stage_display()),
        "progress": round(progress.shown(job), 1),
        "queue_position": places.get(job.pk),
        "eta_seconds": etas.get(job.pk),
        "failure_code": job.failure_code or None,
        "failure": in_words_of_the_reader(job.failure_error) or None,
    }


def transcript(job: Job, offset: int, limit: int) -> Transcript:
    """A page of the segments, or of those that there are so far."""
    found = _named(job, _segments(job)[offset : offset + limit + 1])
    following = offset + limit if len(found) > limit else None
    return {
        "recording": recording(job),
        "segments": [_said(one) for one in found[:limit]],
        "next_offset": following,
    }


def quotes(job: Job, start: float, end: float, most: int) -> Quotes:
    """What is said from `start` to `end`; of a moment the segment that it is in."""
    rows = _segments(job).filter(start__lte=end, end__gte=start)
    return {"recording": recording(job), "quotes": [_quote(job, one) for one in _named(job, rows[:most])]}


def found(page: Found, number: int) -> SearchResult:
    results_ = [_found(job, page.places.get(job.pk, [])) for job in page.jobs]
    return {"results": results_, "next_page": number + 1 if page.has_more else None}


def _found(job: Job, places: list[Place]) -> FoundRecording:
    told: list[FoundPlace] = [
        {"start": place.start, "text": "".join(part.text for part in place.parts)} for place in places
    ]
    return {"recording": recording(job), "places": told}


def _segments(job: Job) -> QuerySet[Segment]:
    return Segment.objects.filter(job=job).order_by("start", "id")


def _named(job: Job, rows: QuerySet[Segment]) -> list[Spoken]:
    return list(speakers.named(map(spoken, rows), results.names_of(job)))


def _said(one: Spoken) -> Said:
    return {"start": one.start, "end": one.end, "speaker": one.speaker, "text": one.text.strip()}


def _quote(job: Job, one: Spoken) -> Quote:
    words: list[SaidWord] = [{"start": word.start, "end": word.end, "word": word.text.strip()} for word in one.words]
    url = f"{_page(job)}#t={one.start:g}"
    return {**_said(one), "at": short_clock(one.start), "words": words, "url": url}


def _page(job: Job) -> str:
    return settings.SITE_URL + reverse("web:job", args=[job.pk])
