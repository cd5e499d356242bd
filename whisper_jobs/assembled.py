"""The texts of a transcript, put together again by whoever reads them first after its segments have changed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import override

from whisper_jobs import results
from whisper_jobs.models import EnrichmentState, Job, Segment, Step, Transcript, Translation
from whisper_jobs.speech.coverage import coverage
from whisper_jobs.speech.speakers import speaker_aware_text
from whisper_jobs.speech.transcript import join_text
from whisper_jobs.states import Kind


def fresh(job: Job) -> Transcript | None:
    """The transcript with texts of the segments as they are. Everything that reads a text reads it here."""
    row = Transcript.objects.filter(job=job).first()
    if row is None or not row.is_stale:
        return row
    told = texts_of(job)
    translated = {one.pk: join_text(results.segments_of(job, translation=one)) for one in _translations(job)}
    with transaction.atomic():
        # A correction that came meanwhile has another version: its own texts are still to be made.
        mine = Transcript.objects.filter(job=job, version=row.version)
        if mine.update(**told, is_stale=False):
            for pk, text in translated.items():
                Translation.objects.filter(pk=pk, state=EnrichmentState.DONE).update(text=text)
    for name, value in told.items():
        setattr(row, name, value)
    return row


def _translations(job: Job) -> list[Translation]:
    return list(Translation.objects.filter(job=job, state=EnrichmentState.DONE).only("id"))


def texts_of(job: Job) -> dict[str, Any]:
    """Fields of a Transcript, of the segments that are there now."""
    # Stored once for all readers, so not in the language of the one who happens to be first.
    with override(settings.LANGUAGE_CODE):
        return {
            "text": join_text(results.segments_of(job)),
            "speaker_text": speaker_aware_text(results.segments_of(job)),
            "coverage": _coverage(job),
        }


def _coverage(job: Job) -> dict[str, Any]:
    heard_in = Step.objects.filter(job=job, kind__in=[Kind.WINDOW, Kind.REHEARSE]).order_by("index")
    speech = [(start, end) for spans in heard_in.values_list("speech", flat=True) for start, end in spans]
    heard = Segment.objects.filter(job=job).exclude(text="").order_by("start").values_list("start", "end")
    return dict(coverage(speech, list(heard), job.source_duration_seconds))
