"""The row that tells where an approval stands. Works within a verb's transaction; review has the verbs."""

from __future__ import annotations

from datetime import datetime

from whisper_jobs.models import Job, Review, ReviewState


def begin(job: Job, *, at: datetime) -> Review:
    """The job's review, open: a new one, or after a restart the old one with its editor and without its verdict."""
    row = Review.objects.filter(job=job).first() or Review(job=job)
    row.state = ReviewState.ASSIGNED if row.assignee_id else ReviewState.WAITING
    row.decided_by, row.approved_number, row.changed_at = None, None, at
    row.save()
    return row
