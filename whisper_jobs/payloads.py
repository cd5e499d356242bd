"""A job as JSON, in the published names. Used by the native API, by sockets and by pages; reads, never writes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from sharing import links
from sharing.models import Share
from whisper_jobs import assembled, progress, queries
from whisper_jobs.models import (
    Analysis,
    Attempt,
    Channel,
    Delivery,
    DeliveryState,
    Diarization,
    EnrichmentState,
    HowNamed,
    Job,
    JobVoice,
    LogLine,
    Review,
    Segment,
    Step,
    Translation,
)
from whisper_jobs.models.worker import FRESH
from whisper_jobs.speech.formats import FORMATS
from whisper_jobs.states import READABLE, Kind, Stage, StepState

Json = dict[str, Any]
_ONCE = [kind for kind in Kind if kind is not Kind.WINDOW]
_BEFORE_WINDOWS = (Kind.PREPARE, Kind.FETCH, Kind.DECODE)
#: The newest lines of a runtime log that a job shows.
LOG_LINES = 200
#: The newest attempts to call back that a job shows.
ATTEMPTS = 50
_OF_A_SPEAKER = ("label", "name", "seconds", "colour")
#: What an analysis can consist of, and how the lack of it is told.
ANALYSIS_PARTS: Json = {"summary": None, "key_points": [], "decisions": [], "action_items": [], "chapters": []}


def job_summary(job: Job, position: int | None = None, eta: int | None = None) -> Json:
    """What lists and change messages carry: the job's own row and nothing that needs a query.

    `position` and `eta` are what pace.outlook tells of it, where it was asked.
    """
    return {
        "id": job.pk,
        "url": reverse("web:job", args=[job.pk]),
        "title": job.title,
        "status": job.status.value,
        "status_label": str(job.status.label),
        "stage": job.stage,
        "stage_label": str(Stage(job.stage).label),
        "stage_detail": job.stage_detail,
        "progress": round(progress.shown(job), 1),
        "revision": job.revision,
        "queue_channel": job.channel,
        "queue_channel_label": job.get_channel_display(),
        "queue_position": position,
        "eta_seconds": eta_seconds(job) if eta is None else eta,
        "owner_email": job.owner.email,
        "created_at": _iso(job.created_at),
        "started_at": _iso(job.started_at),
        "completed_at": _iso(job.completed_at),
        "attempts": job.attempts,
        "cancel_requested": job.cancel_requested_at is not None,
        "failure_code": job.failure_code or None,
        "failure_error": job.failure_error or None,
        **_source(job),
        **_engine(job),
    }


def _source(job: Job) -> Json:
    return {
        "source_type": job.source_type,
        "source_url": job.source_url or None,
        "source_label": job.source_label or None,
        "source_note": job.source_note or None,
        "source_title": job.source_title or None,
        "source_filename": job.source_filename or None,
        "source_mime": job.source_mime or None,
        "source_size_bytes": job.source_size_bytes,
        "source_duration_seconds": job.source_duration_seconds,
        "source_duration_human": duration_human(job.source_duration_seconds),
    }


def _engine(job: Job) -> Json:
    return {
        "model": job.model or job.requested_model,
        "requested_model": job.requested_model,
        "engine": job.engine or None,
        "engine_reason": job.engine_reason or None,
        "quality": job.quality or None,
        "language": job.language or None,
        "detected_language": job.detected_language or None,
        "language_probability": job.language_probability,
        "backend": job.backend or None,
        "sandbox": job.sandbox is not None,
    }


def job_full(
    job: Job, position: int | None = None, *, eta: int | None = None, text_so_far: bool = True, api: str = "native"
) -> Json:
    """Everything about one job. A constant number of queries, whatever the recording's length.

    Its links are those of the URL namespace `api`, where whoever asks may follow them.
    Without `text_so_far` an unfinished job has no `transcript_text`: for those who get its segments besides.
    """
    transcript = assembled.fresh(job) if job.windows_total else None
    text = transcript.text if transcript else (_text_so_far(job) or None) if text_so_far else None
    return {
        **job_summary(job, position, eta),
        "source_description": job.source_description or None,
        "source_sha256": job.source_sha256 or None,
        "transcript_text": text,
        "speaker_aware_transcript": (transcript.speaker_text or None) if transcript else None,
        "transcript_version": transcript.version if transcript else 0,
        "corrected_at": _iso(transcript.corrected_at) if transcript else None,
        "segments_url": reverse(f"{api}:segments", args=[job.pk]),
        "exports": _exports(job, api),
        "steps": steps(job),
        "windows": {"total": job.windows_total, "done": job.windows_done},
        "runtime_log": runtime_log(job),
        "liveness": _liveness(job),
        "coverage": transcript.coverage if transcript else None,
        "diarization": diarization(job),
        "analysis": _analysis_of(job),
        "translations": _translations_of(job, api),
        "share": _share_of(job),
        "callback": _callback_of(job),
        "review": review(job),
    }


# What a job can't have yet is not looked for: submitting answers with the whole job.


def _analysis_of(job: Job) -> Json | None:
    if not (job.analysis_language or job.stage == Stage.COMPLETED):
        return None
    return analysis(Analysis.objects.filter(job=job).first())


def _translations_of(job: Job, api: str) -> list[Json]:
    if not (job.translation_target_languages or job.stage == Stage.COMPLETED):
        return []
    return [translation(row, api) for row in Translation.objects.filter(job=job).order_by("index")]


def _share_of(job: Job) -> Json | None:
    if job.stage != Stage.COMPLETED:
        return None
    return share(Share.objects.filter(job=job, revoked_at=None).first())


def _callback_of(job: Job) -> Json | None:
    if job.channel != Channel.API:
        return None
    return callback(Delivery.objects.filter(job=job).order_by("-id").first())


def diarization(job: Job) -> Json:
    row = Diarization.objects.filter(job=job).first() if job.windows_total else None
    # People may name speakers whom nobody was asked to tell apart.
    if job.disable_diarization and not (row and row.speakers):
        return {"state": "disabled", "reason": _("Speakers were not asked for."), "speakers": []}
    if row is None:
        return {"state": "pending", "reason": None, "speakers": []}
    return {"state": row.state, "reason": row.reason or None, "speakers": speakers(_linked(job, row.speakers))}


def speakers(rows: Iterable[Json]) -> list[Json]:
    return [_speaker(one, one.get("link")) for one in rows]


def _speaker(one: Json, link: Json | None) -> Json:
    told = {name: one[name] for name in _OF_A_SPEAKER if name in one}
    recognised = bool(link and link["how"] == HowNamed.RECOGNISED)
    return {**told, "speaker_id": link["speaker_id"] if link else None, "recognised": recognised}


def _linked(job: Job, rows: list[Json]) -> list[Json]:
    """Without the links to speakers who have been erased."""
    if not any("link" in one for one in rows):
        return rows
    there = set(JobVoice.objects.filter(job=job, speaker__isnull=False).values_list("label", flat=True))
    return [one if one["label"] in there else {**one, "link": None} for one in rows]


def analysis(row: Analysis | None) -> Json | None:
    """What could be read out of the answer stands beside its text: summary, key_points and the rest."""
    if row is None:
        return None
    return {**_enrichment(row), **{part: row.data.get(part, empty) for part, empty in ANALYSIS_PARTS.items()}}


def translation(row: Translation, api: str = "native") -> Json:
    done = row.state == EnrichmentState.DONE
    links = {name: reverse(f"{api}:export", args=[row.job_id, name]) for name in FORMATS} if done else {}
    return {**_enrichment(row), "exports": {name: f"{link}?language={row.language}" for name, link in links.items()}}


def _enrichment(row: Analysis | Translation) -> Json:
    skipped = row.state == EnrichmentState.SKIPPED
    error = row.error or (_("This account may not use a language model, so this was left out.") if skipped else None)
    return {
        "language": row.language,
        "state": row.state,
        "text": row.text or None,
        "model": row.model or None,
        "error": error,
        "prompt_tokens": row.prompt_tokens,
        "completion_tokens": row.completion_tokens,
        "finished_at": _iso(row.finished_at),
    }


def share(row: Share | None) -> Json | None:
    if row is None:
        return None
    return {
        "url": links.url_of(row),
        "created_at": _iso(row.created_at),
        "expires_at": _iso(row.expires_at),
        "has_passcode": bool(row.passcode),
        "allow_audio": row.allow_audio,
        "show_analysis": row.show_analysis,
        "views": row.views,
        "last_viewed_at": _iso(row.last_viewed_at),
    }


def callback(row: Delivery | None) -> Json | None:
    """The published keys and no more: a receiver's example is compared with it key by key."""
    if row is None:
        return None
    ended = row.state in (DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.DROPPED)
    return {
        "url": row.url,
        "status": row.state if ended else "pending",
        "http_status": row.http_status,
        "last_attempt_at": _iso(row.last_attempt_at),
        "delivered_at": _iso(row.delivered_at),
        "error": row.error or None,
    }


def delivery(row: Delivery) -> Json:
    """A callback with what its owner is told besides: the schedule and the newest attempts of it and those before it."""
    return {
        **(callback(row) or {}),
        "event": row.event or None,
        "form": row.form,
        "webhook_id": row.webhook_id,
        "attempts": row.attempts,
        "next_attempt_at": _iso(row.due_at) if row.state == DeliveryState.DUE else None,
        "log": [attempt(one) for one in _attempts_of(row)],
    }


def _attempts_of(row: Delivery) -> Iterable[Attempt]:
    of_job = {"delivery__job": row.job_id} if row.job_id else {"delivery": row.pk}
    return Attempt.objects.filter(**of_job).select_related("delivery").order_by("-id")[:ATTEMPTS]


def attempt(row: Attempt) -> Json:
    return {
        "number": row.number,
        "at": _iso(row.at),
        "event": row.delivery.event,
        "webhook_id": row.delivery.webhook_id,
        "http_status": row.http_status,
        "error": row.error or None,
        "duration_ms": row.duration_ms,
    }


def _text_so_far(job: Job) -> str:
    if not job.windows_done:
        return ""
    return " ".join(Segment.objects.filter(job=job).order_by("start", "id").values_list("text", flat=True))


def _exports(job: Job, api: str) -> Json:
    if job.stage not in READABLE:
        return {}
    return {name: reverse(f"{api}:export", args=[job.pk, name]) for name in FORMATS}


def review(job: Job) -> Json | None:
    """The approval that the job waits for, or waited for; None where it needs none, or has not come to that yet."""
    found = Review.objects.select_related("assignee", "decided_by").filter(job=job) if job.needs_approval else ()
    return next((review_of(row) for row in found), None)


def review_of(row: Review) -> Json:
    return {
        "state": row.state,
        "assignee": _person(row.assignee),
        "decided_by": _person(row.decided_by),
        "note": row.note or None,
        "changed_at": _iso(row.changed_at),
        "approved_version": row.approved_number,
    }


def _person(user: User | None) -> Json | None:
    return {"id": user.pk, "name": user.name or user.email} if user else None


def steps(job: Job) -> list[Json]:
    """The steps in order; all windows are told as one, with the first error among them."""
    told = [_step(step) for step in Step.objects.filter(job=job, kind__in=_ONCE).order_by("id")]
    before = [step for step in told if step["kind"] in _BEFORE_WINDOWS]
    return [*before, _windows_as_step(job), *(step for step in told if step not in before)]


def _step(step: Step) -> Json:
    return {
        "kind": step.kind,
        "label": str(Kind(step.kind).label),
        "state": step.state,
        "attempts": step.attempts,
        "error": step.error or None,
    }


def _windows_as_step(job: Job) -> Json:
    wrong = Step.objects.filter(job=job, kind=Kind.WINDOW).exclude(error="").order_by("index")
    worst = wrong.first() if job.windows_total else None
    failed = worst is not None and worst.state == StepState.FAILED
    complete = job.decoded_at is not None and job.windows_done == job.windows_total
    waits = StepState.HELD if job.is_terminal else StepState.WAITING
    begun = StepState.RUNNING if job.speech_started_at and not job.is_terminal else waits
    return {
        "kind": Kind.WINDOW.value,
        "label": str(Kind.WINDOW.label),
        "state": (StepState.FAILED if failed else StepState.DONE if complete else begun).value,
        "attempts": worst.attempts if worst else min(1, job.windows_done),
        "error": (worst.error if worst and failed else None) or None,
        "total": job.windows_total,
        "done": job.windows_done,
    }


def runtime_log(job: Job) -> list[Json]:
    newest = LogLine.objects.filter(job=job).order_by("-id")[:LOG_LINES]
    return [log_line(line) for line in reversed(newest)]


def log_line(line: LogLine) -> Json:
    return {"at": _iso(line.at), "level": line.level, "stage": line.stage, "message": line.message}


def segment(row: Segment) -> Json:
    words = [{"start": w[0], "end": w[1], "word": w[2], "probability": w[3]} for w in row.words]
    return {
        "id": row.pk,
        "start": row.start,
        "end": row.end,
        "text": row.text,
        "speaker": row.speaker or None,
        "probability": row.probability,
        "suspect": row.suspect or None,
        "words": words,
        "revision": row.revision,
        "checked": row.checked,
    }


def _liveness(job: Job) -> Json:
    step = queries.running_step(job.pk)
    if step is None or step.heartbeat_at is None:
        return {"state": "idle", "last_heartbeat_at": None, "worker": None}
    alive = timezone.now() - step.heartbeat_at < FRESH
    return {
        "state": "alive" if alive else "stalled",
        "last_heartbeat_at": _iso(step.heartbeat_at),
        "worker": step.worker,
    }


def eta_seconds(job: Job) -> int | None:
    """What is left of the recording at the pace of this job so far; None until there is a pace."""
    done = job.window_seconds_done - job.speech_base_seconds
    if job.is_terminal or job.stage == Stage.REVIEWING or job.speech_started_at is None or done <= 0:
        return None
    pace = done / max(0.001, (timezone.now() - job.speech_started_at).total_seconds())
    return round(max(0.0, progress.speech_total(job) - job.window_seconds_done) / pace)


def duration_human(seconds: float | None) -> str | None:
    """`1:02:03` or `4:05`; None stays None."""
    if seconds is None:
        return None
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
