"""The verb that changes what people call a recording, and what they say about it, after it was handed in."""

from __future__ import annotations

from whisper_jobs import search
from whisper_jobs.media.naming import plain_text
from whisper_jobs.models import Job
from whisper_jobs.pen import editing

LONGEST_LABEL, LONGEST_NOTE = 200, 10_000


def rename(job_id: int, *, label: str | None = None, note: str | None = None) -> Job:
    """What is None stays as it is. Without a label of its own a recording has its source's title. Raises Gone."""
    with editing(job_id) as edit:
        job = edit.job
        before = (job.source_label, job.source_note)
        if label is not None:
            job.source_label = plain_text(" ".join(label.split()))[:LONGEST_LABEL].strip()
        if note is not None:
            job.source_note = plain_text(note.replace("\r\n", "\n")).strip()[:LONGEST_NOTE]
        if (job.source_label, job.source_note) != before:
            search.reindex_heads([job])
    return job
