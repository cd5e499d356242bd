"""What of a job's transcript somebody should look at: the segments that are not checked yet and the gaps, through speech.spots."""

from __future__ import annotations

from collections.abc import Iterator

from accounts.models import User
from whisper_jobs import glossary
from whisper_jobs.models import Job, Segment, Transcript
from whisper_jobs.segment_rows import spoken
from whisper_jobs.speech.coverage import coverage
from whisper_jobs.speech.spots import Heard, Spot, spots

CHUNK = 500


def spots_of(job: Job, reader: User, *, after: float = 0.0) -> Iterator[Spot]:
    """In order of time, those that begin at the second `after` or later. Read from the database while they are consumed."""
    found = spots(_heard(job), _gaps(job), [*job.hotwords, *glossary.texts_of(reader)])
    return (spot for spot in found if spot.start >= after)


def _heard(job: Job) -> Iterator[Heard]:
    rows = Segment.objects.filter(job=job, checked=False).order_by("start", "id")
    return (Heard(row.pk, row.revision, spoken(row)) for row in rows.iterator(chunk_size=CHUNK))


def _gaps(job: Job) -> list[tuple[float, float]]:
    """Those of the transcript, less what somebody has written there since."""
    told = Transcript.objects.filter(job=job).values_list("coverage", flat=True).first() or {}
    holes = [(gap["start"], gap["end"]) for gap in told.get("gaps", [])]
    if not holes:
        return []
    written = Segment.objects.filter(job=job).values_list("start", "end")
    return [(gap["start"], gap["end"]) for gap in coverage(holes, written, None)["gaps"]]
