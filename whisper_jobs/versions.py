"""The transcript as it was: each version is what there is now, less the corrections after it. Reads, never writes."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from whisper_jobs import segment_rows
from whisper_jobs.models import Correction, Diarization, Segment, Transcript
from whisper_jobs.segment_rows import Snapshot

Speakers = list[dict[str, Any]]
#: A correction may hold a whole transcript.
_CHUNK = 20


class NoSuchVersion(Exception):
    """The transcript has not been corrected that often."""


def newest(job_id: int) -> int:
    return Transcript.objects.filter(job=job_id).values_list("version", flat=True).first() or 0


def overrides(job_id: int, number: int) -> dict[int, Snapshot | None]:
    """Each segment that has changed since version `number` as it was then; None for one that was not there.

    What the first correction after it found of a segment is how it was. Raises NoSuchVersion.
    """
    if not 0 <= number <= newest(job_id):
        raise NoSuchVersion(number)
    since = Correction.objects.filter(job=job_id, number__gt=number).order_by("number")
    found: dict[int, Snapshot | None] = {}
    for before, after in since.values_list("before", "after").iterator(chunk_size=_CHUNK):
        for one in before:
            found.setdefault(one["id"], one)
        for one in after:
            found.setdefault(one["id"], None)
    return found


def segments_at(job_id: int, number: int) -> list[Segment]:
    """All segments of a version in order, as rows that are not to be stored."""
    # These first: what is corrected between the two reads is then among the overrides.
    rows = list(Segment.objects.filter(job=job_id))
    then = overrides(job_id, number)
    old = [segment_rows.row_of(job_id, one) for one in then.values() if one]
    return sorted([*(row for row in rows if row.pk not in then), *old], key=attrgetter("start", "pk"))


def speakers_of(job_id: int) -> Speakers:
    """As they are called now."""
    found = Diarization.objects.filter(job=job_id).values_list("speakers", flat=True).first()
    return list(found or [])


def speakers_at(job_id: int, number: int) -> Speakers:
    """As they were called in a version."""
    since = Correction.objects.filter(job=job_id, number__gt=number, speakers__isnull=False).order_by("number")
    told = since.values_list("speakers", flat=True).first()
    return list(told["before"]) if told else speakers_of(job_id)
