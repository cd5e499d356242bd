"""Stored segments as the plain Transcript that formats and assembly work on. Reads in pieces, whatever the length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from whisper_jobs.models import EnrichmentState, Job, TranslatedSegment, Translation
from whisper_jobs.models import Segment as Row
from whisper_jobs.speech.transcript import Segment, Transcript, Word

CHUNK = 500


class NotTranslated(Exception):
    """The job has no finished translation to this language."""


def transcript_of(job: Job, language: str = "") -> Transcript:
    """Segments are read from the database while they are consumed, once. With a language: its translation.

    Raises NotTranslated.
    """
    translation = _translation(job, language) if language else None
    return Transcript(
        segments=segments_of(job, translation=translation),
        language=language or job.detected_language or job.language or None,
        duration=job.source_duration_seconds,
        title=job.title,
    )


def _translation(job: Job, language: str) -> Translation:
    found = Translation.objects.filter(job=job, language=language, state=EnrichmentState.DONE).first()
    if found is None:
        raise NotTranslated(language)
    return found


def segments_of(job: Job, *, translation: Translation | None = None) -> Iterator[Segment]:
    """In order; with a translation its texts in place of those that were heard. Words have no translation."""
    if translation is None:
        rows = Row.objects.filter(job=job).order_by("start", "id")
        return (_segment(row) for row in rows.iterator(chunk_size=CHUNK))
    texts = TranslatedSegment.objects.filter(translation=translation).select_related("segment")
    ordered = texts.order_by("segment__start", "segment_id")
    return (replace(_segment(one.segment), text=one.text, words=()) for one in ordered.iterator(chunk_size=CHUNK))


def _segment(row: Row) -> Segment:
    return Segment(
        start=row.start,
        end=row.end,
        text=row.text,
        words=tuple(Word(*word) for word in row.words),
        speaker=row.speaker or None,
        probability=row.probability,
    )
