"""Takes an erased speaker out of the recordings in which they were named, one recording at a time. Called by speaker_erasure.

A name that recognition gave goes; one that a person gave is part of what that person says of the recording, and stays as text.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone

from whisper_jobs import recognition
from whisper_jobs.models import Correction, Diarization, HowNamed, Job, JobVoice, Transcript
from whisper_jobs.pen import Edit, Gone, editing
from whisper_jobs.versions import Speakers


def recordings_of(speaker_id: UUID) -> list[int]:
    """Those in which a voice is still taken for this speaker."""
    return list(JobVoice.objects.filter(speaker=speaker_id).order_by("job").values_list("job", flat=True).distinct())


def unlink(speaker_id: UUID) -> int:
    """Returns in how many recordings. What is done stays done where this process dies between two of them."""
    jobs = recordings_of(speaker_id)
    for job_id in jobs:
        try:
            with editing(job_id) as edit:
                _unlink(edit, speaker_id)
        except Gone:
            continue
    return len(jobs)


def _unlink(edit: Edit, speaker_id: UUID) -> None:
    job = edit.job
    if _forget_now(job, speaker_id):
        Transcript.objects.filter(job=job).update(is_stale=True)
        edit.show_rewritten()
    _forget_then(job, speaker_id)
    heard = JobVoice.objects.filter(job=job, speaker=speaker_id)
    # The voice as well: it is the same person's as that which is erased.
    heard.update(speaker=None, how="", score=None, sealed="", seconds=0.0, at=timezone.now())


def _forget_now(job: Job, speaker_id: UUID) -> bool:
    row = Diarization.objects.filter(job=job).first()
    if row is None or without(row.speakers, speaker_id) == row.speakers:
        return False
    row.speakers = without(row.speakers, speaker_id)
    row.save(update_fields=["speakers"])
    return True


def _forget_then(job: Job, speaker_id: UUID) -> None:
    """Going back to a version of before brings nobody back."""
    for row in Correction.objects.filter(job=job, speakers__isnull=False).only("pk", "speakers"):
        told = {when: without(speakers, speaker_id) for when, speakers in (row.speakers or {}).items()}
        if told != row.speakers:
            Correction.objects.filter(pk=row.pk).update(speakers=told)


def without(speakers: Speakers, speaker_id: UUID) -> Speakers:
    """A job's list of speakers, in which nobody is this one."""
    wanted = str(speaker_id)
    return [_freed(one) if (one.get("link") or {}).get("speaker_id") == wanted else one for one in speakers]


def _freed(one: dict[str, Any]) -> dict[str, Any]:
    if one["link"]["how"] == HowNamed.RECOGNISED:
        return recognition.without_link(one)
    return {name: value for name, value in one.items() if name != "link"}
