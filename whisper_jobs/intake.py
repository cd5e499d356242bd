"""The one way in: a Submission, whatever dialect it came through, becomes a job and its first steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from accounts.models import PersonalToken, User
from whisper_jobs import (
    asking,
    enrich_rows,
    glossary,
    limits,
    outbox,
    progress,
    queries,
    rehearsal,
    resumable,
    schedule,
    search,
    turnstile,
    uploads,
)
from whisper_jobs.media.naming import plain_text
from whisper_jobs.models import (
    BackendPreference,
    Channel,
    DeliveryForm,
    EnrichmentState,
    IdempotencyKey,
    Job,
    SourceType,
    Step,
    Task,
)
from whisper_jobs.pen import count, introduce
from whisper_jobs.sandbox import Script
from whisper_jobs.states import LANE_OF, Kind, StepState

#: A client that tries again after so long has forgotten its key as well.
KEY_LIFETIME = timedelta(hours=24)
#: Fields that a submission and its job have by the same name.
_AS_ASKED = (
    *("source_url", "source_label", "source_note", "language", "analysis_language", "disable_diarization"),
    *("needs_approval", "most_seconds"),
    *("task", "initial_prompt", "temperature", "min_speakers", "max_speakers", "backend_preference"),
)
_LISTS = ("translation_target_languages", "hotwords")


@dataclass(frozen=True, slots=True)
class KnownSpeaker:
    """`sample` is a recording of a few seconds in which nobody else speaks."""

    name: str
    sample: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Submission:
    """A recording handed in: exactly one of `source_url`, `media_file` and `upload_id`. Values are checked by the dialect."""

    owner: User
    source_url: str = ""
    media_file: UploadedFile[Any] | None = None
    #: Of a file that has arrived in pieces (see resumable).
    upload_id: UUID | None = None
    channel: str = Channel.WEB
    source_label: str = ""
    source_note: str = ""
    model: str = "auto"
    language: str = ""
    analysis_language: str = ""
    translation_target_languages: tuple[str, ...] = ()
    disable_diarization: bool = False
    #: A person is to approve of the transcript before the job completes.
    needs_approval: bool = False
    #: The owner's glossary is added to `hotwords`, as far as there is room.
    use_glossary: bool = False
    #: From here on what the speech engine and the diarizer are told, as the job's fields of these names.
    task: str = Task.TRANSCRIBE
    initial_prompt: str = ""
    hotwords: tuple[str, ...] = ()
    temperature: float | None = None
    min_speakers: int | None = None
    max_speakers: int | None = None
    backend_preference: str = BackendPreference.ANY
    #: Only so much of the beginning is heard.
    most_seconds: float | None = None
    #: Short samples of the voices of people who may speak in it.
    known_speakers: tuple[KnownSpeaker, ...] = ()
    #: Where to call back and the token that signs it; jobs of the token API have both.
    callback_url: str = ""
    callback_form: str = DeliveryForm.ENVELOPE
    token: PersonalToken | None = None
    #: What is made up in place of the work. Such a job's recording is neither fetched nor kept.
    script: Script | None = None
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A client's own name for its request, and a SHA-256 over all that it asks for."""

    key: str
    fingerprint: str


class Repeated(Exception):
    """This key has made a job before; `same` says whether it was asked for the same."""

    def __init__(self, made: IdempotencyKey, fingerprint: str) -> None:
        super().__init__(made.key)
        self.job_id = made.job_id
        self.same = made.fingerprint == fingerprint


def submit(submission: Submission) -> Job:
    """Stores the file if there is one, then the job. Once this returns, the job survives any crash.

    Raises ValueError for more or fewer sources than one, OSError when the file can't be stored, resumable.Refused for an upload
    that can't be had, Repeated for a key that was used, limits.LimitReached when the owner may not have one more.
    """
    if submission.idempotency:
        _demand_new(submission.owner, submission.idempotency)
    if [bool(submission.source_url), submission.media_file is not None, submission.upload_id is not None].count(
        True
    ) != 1:
        raise ValueError("a submission has either source_url or media_file or upload_id")
    if submission.owner.in_sandbox and submission.script is None:
        submission = replace(submission, script=Script())
    if submission.script is not None:
        return _enqueue(_rehearsed(submission, submission.script), submission)
    if submission.upload_id is not None:
        return _submit_upload(submission, submission.upload_id)
    if submission.media_file is None:
        return _enqueue(_job(submission, SourceType.URL), submission)
    limits.demand(submission.owner)
    stored = uploads.store_upload(submission.media_file)
    filename, mime = submission.media_file.name or "", submission.media_file.content_type or ""
    job = _holding(_job(submission, SourceType.UPLOAD), stored, filename, mime)
    return _keeping(stored.name, lambda: _enqueue(_knowing(job, submission.known_speakers), submission))


def _rehearsed(submission: Submission, script: Script) -> Job:
    """Nothing is fetched or kept; an upload stays where it is until its time is over."""
    job = _job(submission, SourceType.URL if submission.source_url else SourceType.UPLOAD)
    if submission.media_file is not None:
        job.source_filename = _filename(submission.media_file.name or "")
        job.source_size_bytes = submission.media_file.size
    if submission.upload_id is not None:
        upload = resumable.demand_whole(submission.owner, submission.upload_id)
        job.source_filename, job.source_size_bytes = _filename(upload.filename), upload.length_bytes
    job.sandbox = script.stored()
    rehearsal.begin(job)
    return job


def _knowing(job: Job, known: Iterable[KnownSpeaker]) -> Job:
    """The samples are stored beside the original, with which they go."""
    job.known_speakers = [
        {
            "name": one.name,
            "media": default_storage.save(uploads.beside(job.media, f"voice-{place}"), _file(one.sample)),
        }
        for place, one in enumerate(known)
    ]
    return job


def _file(content: bytes) -> ContentFile[bytes]:
    return ContentFile(content)


def _submit_upload(submission: Submission, upload_id: UUID) -> Job:
    """The upload is taken in the transaction that makes the job, so it makes one job, or is still there."""
    try:
        resumable.demand_whole(submission.owner, upload_id)
        with transaction.atomic():
            arrived = resumable.take(submission.owner, upload_id)
            job = _holding(_job(submission, SourceType.UPLOAD), arrived, arrived.filename, arrived.mime)
            return _enqueue(job, submission)
    except resumable.Refused:
        # Perhaps taken by this same request, sent twice at once.
        if submission.idempotency:
            _demand_new(submission.owner, submission.idempotency)
        raise


def _holding(job: Job, stored: uploads.Stored, filename: str, mime: str) -> Job:
    job.media, job.source_size_bytes, job.source_sha256 = stored.name, stored.size_bytes, stored.sha256
    job.source_filename = _filename(filename)
    job.source_mime = plain_text(mime)[:100]
    return job


def _filename(told: str) -> str:
    return plain_text(told).strip()[:255] or "recording"


def _demand_new(owner: User, asked: Idempotency) -> None:
    made = IdempotencyKey.objects.filter(owner=owner, key=asked.key).first()
    if made is not None:
        raise Repeated(made, asked.fingerprint)


def again(job: Job, owner: User, *, model: str, idempotency: Idempotency | None = None) -> Job:
    """Queues the same recording once more with another model, as a job of its own. Raises what submit raises, and NotAllowed."""
    if idempotency:
        _demand_new(owner, idempotency)
    asking.demand_heard(job)
    asking.demand_sound(job)
    asked: dict[str, Any] = {name: getattr(job, name) for name in _AS_ASKED}
    asked |= {name: tuple(getattr(job, name)) for name in _LISTS}
    submission = Submission(owner=owner, model=model, idempotency=idempotency, **asked)
    copy = _job(submission, job.source_type)
    for name in ("filename", "title", "description", "mime", "size_bytes", "duration_seconds", "sha256"):
        setattr(copy, f"source_{name}", getattr(job, f"source_{name}"))
    if not job.media:
        return _enqueue(copy, submission)
    limits.demand(owner, seconds=job.source_duration_seconds or 0.0)
    with default_storage.open(job.media) as original:
        copy.media = uploads.store_original(original)
    return _keeping(copy.media, lambda: _enqueue(_knowing(copy, _known_to(job)), submission))


def _known_to(job: Job) -> Iterator[KnownSpeaker]:
    """The samples that came with the recording, as far as they are there."""
    for one in job.known_speakers:
        with suppress(OSError), default_storage.open(one["media"]) as sample:
            yield KnownSpeaker(one["name"], sample.read())


def _keeping(media: str, make: Callable[[], Job]) -> Job:
    """Removes the stored original when the job can't be made after all."""
    try:
        return make()
    except BaseException:
        uploads.remove_unless_kept(media)
        raise


def _job(submission: Submission, source_type: str) -> Job:
    lists = {name: list(getattr(submission, name)) for name in _LISTS}
    if submission.use_glossary:
        lists["hotwords"] = glossary.added_to(lists["hotwords"], submission.owner)
    return Job(
        owner=submission.owner,
        tenant_id=submission.owner.tenant_id,
        channel=submission.channel,
        priority=int(submission.owner.is_superuser),
        source_type=source_type,
        requested_model=submission.model,
        **{name: getattr(submission, name) for name in _AS_ASKED},
        **lists,
    )


def _enqueue(job: Job, submission: Submission) -> Job:
    with turnstile.write():
        if submission.script is None:
            limits.lock(submission.owner)
            limits.demand(submission.owner, seconds=job.source_duration_seconds or 0.0)
        job.progress = progress.of(job)
        job.save(force_insert=True)
        search.reindex_heads([job])
        count(job, job.status, 1)
        first = _plan(job, submission)
        if submission.callback_url:
            outbox.add(job, submission.callback_url, submission.token, form=submission.callback_form)
        if submission.idempotency:
            _remember(job, submission.idempotency)
        introduce(job, "Queued.", [LANE_OF[kind] for kind in first])
    return job


def _plan(job: Job, submission: Submission) -> tuple[Kind, ...]:
    """Makes the steps. Returns the kinds of those that may begin at once."""
    if submission.script is not None:
        enrich_rows.add(job, EnrichmentState.PENDING)
        rehearsal.plan(job, submission.script)
        return ()
    first = (Kind.PREPARE, Kind.DECODE if job.media else Kind.FETCH)
    _add_steps(job, ready=first)
    enrich_rows.plan(job, allowed=queries.can_enrich(submission.owner))
    return first


def _remember(job: Job, asked: Idempotency) -> None:
    """Of two requests with one key at once, the second finds the first's row and rolls back all it has made."""
    made, new = IdempotencyKey.objects.get_or_create(
        owner_id=job.owner_id, key=asked.key, defaults={"fingerprint": asked.fingerprint, "job": job}
    )
    if not new:
        raise Repeated(made, asked.fingerprint)


def reap_keys() -> int:
    """Forgets the keys of long ago. Returns how many."""
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEY_LIFETIME).delete()[0]


def _add_steps(job: Job, *, ready: tuple[Kind, ...]) -> None:
    fetch = [] if job.media else [Kind.FETCH]
    speakers = [] if job.disable_diarization else [Kind.DIARIZE]
    kinds = [Kind.PREPARE, *fetch, Kind.DECODE, *speakers, Kind.ASSEMBLE]
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
