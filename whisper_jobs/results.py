"""Stored segments as the plain Transcript that formats and assembly work on. Reads in pieces, whatever the length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from whisper_jobs import versions
from whisper_jobs.models import EnrichmentState, Job, Task, TranslatedSegment, Translation
from whisper_jobs.models import Segment as Row
from whisper_jobs.segment_rows import spoken
from whisper_jobs.speech.speakers import named, number_of
from whisper_jobs.speech.transcript import Segment, Transcript

CHUNK = 500


class NotTranslated(Exception):
    """The job has no finished translation to this language."""


def transcript_of(job: Job, language: str = "", version: int | None = None) -> Transcript:
    """Segments are read from the database while they are consumed, once. With a language: its translation.

    As it is now, or as it was in a version, of which there is no translation. Speakers have the names that were given to
    them, else “Speaker 1” and so on. Raises NotTranslated and NoSuchVersion.
    """
    translation = _translation(job, language) if language else None
    return Transcript(
        segments=segments_of(job, translation=translation) if version is None else segments_at(job, version),
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


def segments_at(job: Job, version: int) -> Iterator[Segment]:
    """Those of a version, and its speakers' names. Raises NoSuchVersion at once."""
    rows = versions.segments_at(job.pk, version)
    return named(map(spoken, rows), _names(versions.speakers_at(job.pk, version)))


def names_of(job: Job) -> dict[str, str]:
    """What to call each speaker of the job, by label."""
    return _names(versions.speakers_of(job.pk))


def _names(speakers: versions.Speakers) -> dict[str, str]:
    return {one["label"]: name_shown(one) for one in speakers}


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
