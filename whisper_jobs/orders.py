"""Orders: jobs that are prepared in several calls and handed in by the last. Every verb is one transaction that locks the order,
so that of two calls at once one is told that the other was first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import PersonalToken, User
from whisper_jobs import intake, profiles, resumable, turnstile
from whisper_jobs.models import Channel, DeliveryForm, Order, Profile
from whisper_jobs.pen import Gone
from whisper_jobs.runs import NotAllowed
from whisper_jobs.sandbox import Script
from whisper_jobs.speech import languages

#: A file waits so long for its order to be started.
FILE_LIFETIME = timedelta(days=7)
#: An order that nobody starts is forgotten then, and one person has no more than so many of them.
PENDING_LIFETIME = timedelta(days=30)
MOST_PENDING = 1000


class Lacking(Exception):
    """An order can't be started yet: `name` is what has to be told first, the message says how."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True, slots=True)
class Draft:
    """What an order begins with. `language` is as the caller writes it."""

    profile: Profile
    name: str = ""
    external_id: str = ""
    language: str = ""
    glossary: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Start:
    """How an order is to be worked on. `changes` are fields of the Submission in place of what the profile makes of them."""

    callback_url: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    #: Of an order of the sandbox, and of no other.
    script: Script | None = None


def make(owner: User, token: PersonalToken, draft: Draft) -> Order:
    """Raises NotAllowed for one who has too many that were never started."""
    with turnstile.write():
        pending = Order.objects.filter(owner=owner, job=None)
        pending.filter(created_at__lt=timezone.now() - PENDING_LIFETIME).delete()
        if pending.count() >= MOST_PENDING:
            raise NotAllowed(_("Too many jobs of yours were never started. Start some of them first."))
        return Order.objects.create(
            owner=owner,
            token=token,
            is_sandbox=token.is_sandbox,
            profile=draft.profile if draft.profile.pk else None,
            profile_name=draft.profile.name,
            name=draft.name,
            external_id=draft.external_id,
            language=draft.language,
            glossary=list(draft.glossary),
            labels=list(draft.labels),
            metadata=dict(draft.metadata),
        )


def find(owner: User, number: int, *, is_sandbox: bool) -> Order | None:
    """An own order with its job, unless that is in the trash. Those of the sandbox and the others don't know each other."""
    mine = Order.objects.filter(owner=owner, is_sandbox=is_sandbox, pk=number, job__trashed_at=None)
    return mine.select_related("owner", "job", "profile", "upload").first()


def is_pending(order: Order) -> bool:
    return order.job_id is None


def has_media(order: Order) -> bool:
    """A file that waited too long is not there any more; the order can be given another."""
    if not order.has_media or order.media_url or order.is_sandbox:
        return order.has_media
    return order.upload is not None and not resumable.is_expired(order.upload)


def profile_of(order: Order) -> Profile | None:
    """As it is now; None when it was deleted."""
    return order.profile or profiles.find(order.owner, order.profile_name)


# --- media ----------------------------------------------------------------------------------------


@transaction.atomic
def add_url(order: Order, url: str) -> None:
    """`url` has passed outbound.Guard. Raises NotAllowed, Gone."""
    row = _locked(order)
    _demand_open(row)
    _keep_media(row, media_url=url)


def add_file(order: Order, file: UploadedFile[Any]) -> None:
    """Stores the file; one of the sandbox is not kept. Raises NotAllowed, Gone, resumable.Refused, OSError."""
    _demand_open(order)
    if order.is_sandbox:
        _take(order)
        return
    upload = resumable.keep(order.owner, file, lifetime=FILE_LIFETIME)
    try:
        _take(order, upload=upload)
    except BaseException:
        resumable.forget(upload)
        raise


@transaction.atomic
def _take(order: Order, **media: Any) -> None:
    row = _locked(order)
    _demand_open(row)
    _keep_media(row, **media)


def _keep_media(row: Order, **media: Any) -> None:
    for name, value in media.items():
        setattr(row, name, value)
    row.has_media = True
    row.save(update_fields=["has_media", *media])


def _locked(order: Order) -> Order:
    """The row as it is now, and until the end of the transaction."""
    # What may be absent is joined from outside, where PostgreSQL locks nothing.
    locked = Order.objects.select_for_update(of=("self",)).select_related("owner", "token", "profile", "upload")
    row = locked.filter(pk=order.pk).first()
    if row is None:
        raise Gone(order.pk)
    return row


def _demand_open(order: Order) -> None:
    _demand_pending(order)
    if has_media(order):
        raise NotAllowed(_("This job has its media already. Make another job for another recording."))


def _demand_pending(order: Order) -> None:
    if not is_pending(order):
        raise NotAllowed(_("This job was started already."))


# --- start ----------------------------------------------------------------------------------------


def start(order: Order, asked: Start) -> Order:
    """Hands the order in. Order and job are written together, so that it makes one job, or is still pending.

    Raises NotAllowed, Lacking, Gone, and what intake.submit raises.
    """
    with turnstile.write():
        row = _locked(order)
        _demand_pending(row)
        profile = profile_of(row)
        if profile is None:
            raise NotAllowed(_("The profile of this job was deleted. Make the job again with another one."))
        _demand_ready(row, profile)
        row.job = intake.submit(_submission(row, profile, asked))
        row.save(update_fields=["job"])
    return row


def _demand_ready(order: Order, profile: Profile) -> None:
    if not has_media(order):
        gone = _("The file was deleted, since the job was not started for a week. Add it again.")
        raise Lacking("media_url", gone if order.has_media else _("The job has no media. Add it first."))
    if missing := [name for name in profile.required_metadata if order.metadata.get(name) in (None, "")]:
        told = _("The profile “%(profile)s” needs these in job_metadata: %(names)s.")
        raise Lacking("job_metadata", told % {"profile": profile.name, "names": ", ".join(missing)})


def _submission(order: Order, profile: Profile, asked: Start) -> intake.Submission:
    ordered = intake.Submission(
        owner=order.owner,
        channel=Channel.API,
        source_label=order.name,
        model=profile.model or settings.TOOLS.default_model,
        language=languages.normalise(order.language or profile.language) or "",
        disable_diarization=not profile.speaker_names,
        min_speakers=profile.min_speakers,
        max_speakers=profile.max_speakers,
        needs_approval=profile.human_editing,
        use_glossary=profile.use_glossary,
        hotwords=tuple(order.glossary),
        callback_url=asked.callback_url or profile.callback_url,
        callback_form=DeliveryForm.STATUS,
        token=order.token,
        script=asked.script,
        **_media(order),
    )
    return replace(ordered, **asked.changes)


def _media(order: Order) -> dict[str, Any]:
    if order.media_url:
        return {"source_url": order.media_url}
    if order.upload_id is not None:
        return {"upload_id": order.upload_id}
    # A file that was shown to the sandbox was not kept.
    return {"media_file": SimpleUploadedFile(order.name or "recording", b"")}
