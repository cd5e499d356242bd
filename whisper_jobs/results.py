"""Stored segments as the plain Transcript that formats and assembly work on. Reads in pieces, whatever the length."""

from __future__ import annotations

from collections.abc import Iterator

from whisper_jobs.models import Job
from whisper_jobs.models import Segment as Row
from whisper_jobs.speech.transcript import Segment, Transcript, Word

CHUNK = 500


def transcript_of(job: Job) -> Transcript:
    """Segments are read from the database while they are consumed, once."""
    return Transcript(
        segments=segments_of(job),
        language=job.detected_language or job.language or None,
        duration=job.source_duration_seconds,
        title=job.title,
    )


def segments_of(job: Job) -> Iterator[Segment]:
    rows = Row.objects.filter(job=job).order_by("start", "id")
    return (_segment(row) for row in rows.iterator(chunk_size=CHUNK))


def _segment(row: Row) -> Segment:
    return Segment(
        start=row.start,
        end=row.end,
        text=row.text,
        words=tuple(Word(*word) for word in row.words),
        speaker=row.speaker or None,
        probability=row.probability,
    )
