"""The one way in: a Submission, whatever dialect it came through, becomes a job and its first steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from accounts.models import User
from whisper_jobs import schedule, uploads
from whisper_jobs.media.naming import plain_text
from whisper_jobs.models import Channel, Job, SourceType, Step
from whisper_jobs.pen import count, editing
from whisper_jobs.states import LANE_OF, Kind, StepState


@dataclass(frozen=True, slots=True)
class Submission:
    """A recording handed in: exactly one of `source_url` and `media_file`. Values are checked by the dialect."""

    owner: User
    source_url: str = ""
    media_file: UploadedFile[Any] | None = None
    channel: str = Channel.WEB
    source_label: str = ""
    source_note: str = ""
    model: str = "auto"
    language: str = ""
    analysis_language: str = ""
    translation_target_languages: tuple[str, ...] = ()


def submit(submission: Submission) -> Job:
    """Stores the file if there is one, then the job. Once this returns, the job survives any crash.

    Raises ValueError for both or neither source, OSError when the file can't be stored.
    """
    if bool(submission.source_url) == (submission.media_file is not None):
        raise ValueError("a submission has either source_url or media_file")
    if submission.media_file is None:
        return _enqueue(_job(submission, SourceType.URL))
    stored = uploads.store_upload(submission.media_file)
    job = _job(submission, SourceType.UPLOAD)
    job.media, job.source_size_bytes, job.source_sha256 = stored.name, stored.size_bytes, stored.sha256
    job.source_filename = plain_text(submission.media_file.name or "").strip()[:255] or "recording"
    job.source_mime = plain_text(submission.media_file.content_type or "")[:100]
    return _keeping(stored.name, lambda: _enqueue(job))


def again(job: Job, owner: User, *, model: str) -> Job:
    """Queues the same recording once more with another model, as a job of its own."""
    submission = Submission(
        owner=owner,
        source_url=job.source_url,
        source_label=job.source_label,
        source_note=job.source_note,
        model=model,
        language=job.language,
        analysis_language=job.analysis_language,
        translation_target_languages=tuple(job.translation_target_languages),
    )
    copy = _job(submission, job.source_type)
    for field in ("filename", "title", "description", "mime", "size_bytes", "duration_seconds", "sha256"):
        setattr(copy, f"source_{field}", getattr(job, f"source_{field}"))
    if not job.media:
        return _enqueue(copy)
    with default_storage.open(job.media) as original:
        copy.media = uploads.store_original(original)
    return _keeping(copy.media, lambda: _enqueue(copy))


def _keeping(media: str, make: Callable[[], Job]) -> Job:
    """Removes the stored original when the job can't be made after all."""
    try:
        return make()
    except BaseException:
        uploads.remove_unless_kept(media)
        raise


def _job(submission: Submission, source_type: str) -> Job:
    return Job(
        owner=submission.owner,
        channel=submission.channel,
        priority=int(submission.owner.is_superuser),
        source_type=source_type,
        source_url=submission.source_url,
        source_label=submission.source_label,
        source_note=submission.source_note,
        requested_model=submission.model,
        language=submission.language,
        analysis_language=submission.analysis_language,
        translation_target_languages=list(submission.translation_target_languages),
    )


def _enqueue(job: Job) -> Job:
    with transaction.atomic():
        job.save(force_insert=True)
        count(job, job.status, 1)
        first = Kind.DECODE if job.media else Kind.FETCH
        _add_steps(job, ready=(Kind.PREPARE, first))
        with editing(job.pk) as edit:
            edit.log("Queued.")
            edit.announce_new()
            for kind in (Kind.PREPARE, first):
                edit.ring(LANE_OF[kind])
        return edit.job


def _add_steps(job: Job, *, ready: tuple[Kind, ...]) -> None:
    kinds = [Kind.PREPARE, *([] if job.media else [Kind.FETCH]), Kind.DECODE, Kind.ASSEMBLE]
    Step.objects.bulk_create([_step(job, kind, is_ready=kind in ready) for kind in kinds])


def _step(job: Job, kind: Kind, *, is_ready: bool) -> Step:
    lane = LANE_OF[kind]
    return Step(
        job=job,
        kind=kind,
        lane=lane,
        owner_id=job.owner_id,
        priority=job.priority,
        state=StepState.READY if is_ready else StepState.HELD,
        turn=schedule.next_turn(lane, job.owner_id, job.priority, kind=kind) if is_ready else 0,
    )
