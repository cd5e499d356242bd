"""The row that tells who speaks, and the segments that name them. Works on rows; opens no transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Max

from whisper_jobs.models import Diarization, DiarizationState, Job, Segment, Step, TranslatedSegment
from whisper_jobs.states import Kind, StepState

if TYPE_CHECKING:
    from whisper_jobs.speech.transcript import Segment as Spoken

_BATCH = 500


def mark_without(job: Job, state: DiarizationState, reason: str, *, at: datetime) -> None:
    """Speakers could not be told apart. Those found before stay, since segments name them, and with them the state."""
    row, _ = Diarization.objects.get_or_create(job=job)
    row.state = DiarizationState.DONE if row.speakers else state
    row.reason = row.reason if row.speakers else reason[:300]
    row.finished_at = at
    row.save()


def store(job: Job, **fields: Any) -> None:
    """The result, in place of the one before."""
    Diarization.objects.update_or_create(job=job, defaults=fields)


def name_segments(job: Job, parts: Mapping[int, Sequence[Spoken]], *, revision: int) -> None:
    """Gives the segment of each id its speaker. One with several parts becomes as many segments, one for each speaker.

    A job whose segments are translated, or are being so, keeps them whole, each with the speaker of its longest part: a
    translation belongs to its segment.
    """
    whole = _has_translations(job)
    rows = {row.pk: row for row in Segment.objects.filter(job=job, pk__in=list(parts))}
    places = dict(Segment.objects.filter(job=job).values_list("step").annotate(last=Max("position")))
    changed, added = [], []
    for pk, row in rows.items():
        first, *others = _as_one(row, parts[pk]) if whole else parts[pk]
        changed.append(_written(row, first, revision))
        for part in others:
            places[row.step_id] += 1
            copy = Segment(job=job, step_id=row.step_id, position=places[row.step_id], suspect=row.suspect)
            copy.decoding, copy.checked = row.decoding, row.checked
            added.append(_written(copy, part, revision))
    fields = ["start", "end", "text", "words", "speaker", "probability", "revision"]
    Segment.objects.bulk_update(changed, fields, batch_size=_BATCH)
    Segment.objects.bulk_create(added, batch_size=_BATCH)


def _has_translations(job: Job) -> bool:
    at_work = Step.objects.filter(job=job, kind=Kind.TRANSLATE, state=StepState.RUNNING)
    return at_work.exists() or TranslatedSegment.objects.filter(translation__job=job).exists()


def _as_one(row: Segment, parts: Sequence[Spoken]) -> list[Spoken]:
    longest = max(parts, key=lambda part: part.end - part.start)
    words = tuple(word for part in parts for word in part.words)
    return [replace(parts[0], end=parts[-1].end, text=row.text, words=words, speaker=longest.speaker)]


def _written(row: Segment, part: Spoken, revision: int) -> Segment:
    row.start, row.end, row.text = part.start, part.end, part.text
    row.words = [[word.start, word.end, word.text, word.probability] for word in part.words]
    row.speaker, row.probability, row.revision = part.speaker or "", part.probability, revision
    return row
