"""Stored segments as the plain Transcript that formats and assembly work on. Reads in pieces, whatever the length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from whisper_jobs.models import Diarization, EnrichmentState, Job, Task, TranslatedSegment, Translation
from whisper_jobs.models import Segment as Row
from whisper_jobs.segment_rows import spoken
from whisper_jobs.speech.speakers import named, number_of
from whisper_jobs.speech.transcript import Segment, Transcript

CHUNK = 500


class NotTranslated(Exception):
    """The job has no finished translation to this language."""


def transcript_of(job: Job, language: str = "") -> Transcript:
    """Segments are read from the database while they are consumed, once. With a language: its translation.

    Speakers have the names that were given to them, else “Speaker 1” and so on. Raises NotTranslated.
    """
    translation = _translation(job, language) if language else None
    return Transcript(
        segments=segments_of(job, translation=translation),
        language=language or job.text_language or None,
        duration=job.source_duration_seconds,
        title=job.title,
        date=localdate(job.created_at),
        is_draft=job.quality == "draft",
        task="translate" if job.task == Task.TRANSLATE else "transcribe",
    )


def _translation(job: Job, language: str) -> Translation:
    found = Translation.objects.filter(job=job, language=language, state=EnrichmentState.DONE).first()
    if found is None:
        raise NotTranslated(language)
    return found


def segments_of(job: Job, *, translation: Translation | None = None) -> Iterator[Segment]:
    """In order; with a translation its texts in place of those that were heard. Words have no translation."""
    return named(_segments_of(job, translation), names_of(job))


def names_of(job: Job) -> dict[str, str]:
    """What to call each speaker of the job, by label."""
    row = Diarization.objects.filter(job=job).only("speakers").first()
    return {one["label"]: name_shown(one) for one in row.speakers} if row else {}


def name_shown(speaker: dict[str, Any]) -> str:
    """Their own name, else “Speaker 1” in the reader's language; a label without a number is its own name."""
    number = number_of(speaker["label"])
    return speaker["name"] or (_("Speaker %(number)s") % {"number": number} if number else speaker["label"])


def _segments_of(job: Job, translation: Translation | None) -> Iterator[Segment]:
    if translation is None:
        rows = Row.objects.filter(job=job).order_by("start", "id")
        return map(spoken, rows.iterator(chunk_size=CHUNK))
    texts = TranslatedSegment.objects.filter(translation=translation).select_related("segment")
    ordered = texts.order_by("segment__start", "segment_id")
    return (replace(spoken(one.segment), text=one.text, words=()) for one in ordered.iterator(chunk_size=CHUNK))
