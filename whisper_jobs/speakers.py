"""Verbs for enrolled speakers: enrol, describe anew, warm; who sees them and who may change them. Erasing is in speaker_erasure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, cast
from uuid import UUID, uuid4

from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import PUBLISHED
from whisper_jobs import audit, speaker_checks, speaker_files, speaker_nodes, voices
from whisper_jobs.models import EnrollmentStatus, Scope, Speaker
from whisper_jobs.speaker_checks import ConsentInvalid, Heard
from whisper_jobs.speaker_nodes import Standing
from whisper_jobs.speech.recognition import Book

#: What can be changed later; whose a speaker is, and who is told of them, stays.
CHANGEABLE = ("display_name", "description")


class PreflightFailed(Exception):
    """The reference is not good enough; `preflight` says what was measured."""

    def __init__(self, preflight: Mapping[str, Any]) -> None:
        self.preflight = preflight
        super().__init__(_("The reference recording is not good enough to know a voice by."))


class NotYours(Exception):
    """Somebody sees a speaker and may not change it; the message is a sentence."""


class NoReference(Exception):
    """There is nothing left to hear the voice in."""


class NotReady(Exception):
    """This speaker can't be spread."""


@dataclass(frozen=True, slots=True)
class Enrollment:
    """What somebody says of a speaker who agreed to be recognised."""

    display_name: str
    language_primary: str
    consent_user_full_name: str
    consent_stated_purpose: str
    consent_text: str
    description: str = ""
    scope: str = Scope.USER


@dataclass(frozen=True, slots=True)
class Enrolled:
    """`like` is another speaker with about the same voice, whom the owner sees."""

    speaker: Speaker
    standings: Sequence[Standing]
    like: Speaker | None = None


def visible(user: User) -> QuerySet[Speaker]:
    """The speakers whom somebody may see, newest first: those heard for in their recordings; all for superusers."""
    there = Speaker.objects.filter(tombstoned_at=None).order_by("-created_at", "-id")
    return there if user.is_superuser else there.filter(voices.heard_for(user))


def may_change(user: User, speaker: Speaker) -> bool:
    """The owner; for a tenant's its administrators; for everybody's, and any other, superusers."""
    if user.is_superuser or speaker.owner_id == user.pk:
        return True
    administers = speaker.tenant_id == user.tenant_id and user.has_perm(PUBLISHED["scaiecho:admin"])
    return speaker.scope == Scope.TENANT and administers


def may_enroll_for(user: User, scope: str) -> bool:
    if scope == Scope.GLOBAL:
        return user.is_superuser
    return scope == Scope.USER or user.has_perm(PUBLISHED["scaiecho:admin"])


def demand_change(user: User, speaker: Speaker) -> None:
    """Raises NotYours."""
    if not may_change(user, speaker):
        raise NotYours(_("You may see this speaker, not change it. Ask who enrolled it, or an administrator."))


# --- enrol ------------------------------------------------------------------------------------------


def enroll(owner: User, told: Enrollment, *, reference: UploadedFile[Any], consent: UploadedFile[Any]) -> Enrolled:
    """Hears both, keeps both, and has the workers hold the voice.

    Nothing is kept unless all of it is: the row comes last, and files without one are cleared away. Raises PreflightFailed,
    ConsentInvalid, NotYours, JobError, OSError.
    """
    if not may_enroll_for(owner, told.scope):
        raise NotYours(_("You may enrol speakers for yourself only. Ask an administrator for a wider scope."))
    if (consent.size or 0) < speaker_checks.LEAST_CONSENT_BYTES:
        raise ConsentInvalid(_("The recording of the consent is missing, or too small to hold a sentence."))
    heard = speaker_checks.hear(cast(BinaryIO, reference.file), cast(BinaryIO, consent.file))
    if not heard.preflight["ok"]:
        raise PreflightFailed(heard.preflight)
    like = _like(owner, heard)
    speaker = _kept(owner, told, heard, {"reference": reference, "consent": consent})
    return Enrolled(speaker, speaker_nodes.warm(speaker, speaker_nodes.present()), like)


def _like(owner: User, heard: Heard) -> Speaker | None:
    """Who was enrolled before with this voice, as far as the owner may know."""
    book = voices.book_for(owner)
    match = Book(book, margin=0.0).best(heard.vector) if heard.vector is not None else None
    return visible(owner).filter(pk=match.speaker_id).first() if match else None


def _kept(owner: User, told: Enrollment, heard: Heard, files: Mapping[str, File[Any]]) -> Speaker:
    speaker_id = uuid4()
    try:
        names = {kind: speaker_files.store(speaker_id, kind, file) for kind, file in files.items()}
        return _made(speaker_id, owner, told, heard, names)
    except BaseException:
        # Where this process dies instead, the hourly clean-up finds a folder without a speaker.
        speaker_files.remove(speaker_id)
        raise


@transaction.atomic
def _made(speaker_id: UUID, owner: User, told: Enrollment, heard: Heard, names: Mapping[str, str]) -> Speaker:
    fields = {name: getattr(told, name) for name in Enrollment.__dataclass_fields__}
    status = EnrollmentStatus.PENDING if heard.vector is None else EnrollmentStatus.READY
    speaker = Speaker.objects.create(
        id=speaker_id,
        tenant_id=owner.tenant_id,
        owner=owner,
        enrollment_status=status,
        preflight=dict(heard.preflight),
        **fields,
        **names,
    )
    if heard.vector is not None:
        voices.store(speaker_id, heard.vector, seconds=heard.seconds)
    # Nothing of the person: entries are kept when the speaker is erased.
    audit.record("speaker.enrolled", f"speaker {speaker_id}", actor=owner, tenant=owner.tenant_id, scope=told.scope)
    return speaker


# --- change ----------------------------------------------------------------------------------------


@transaction.atomic
def describe(speaker: Speaker, changes: Mapping[str, str], *, actor: User) -> Speaker | None:
    """Sets what of CHANGEABLE is given; None for one who was erased meanwhile. Raises NotYours."""
    demand_change(actor, speaker)
    row = Speaker.objects.select_for_update().filter(pk=speaker.pk, tombstoned_at=None).first()
    if row is None:
        return None
    changed = [name for name in CHANGEABLE if name in changes and changes[name] != getattr(row, name)]
    for name in changed:
        setattr(row, name, changes[name])
    if changed:
        row.save(update_fields=[*changed, "changed_at"])
        audit.record("speaker.changed", f"speaker {row.pk}", actor=actor, tenant=row.tenant_id, fields=changed)
    return row


# --- warm ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Warmed:
    standings: Sequence[Standing]
    skipped: Sequence[str]


def warm(speaker: Speaker, wanted: Sequence[str], *, actor: User) -> Warmed:
    """Has nodes hold the voice: those of `wanted`, or all. Raises NotYours, NoReference, NotReady."""
    demand_change(actor, speaker)
    if speaker.enrollment_status not in (EnrollmentStatus.READY, EnrollmentStatus.PENDING):
        raise NotReady
    if not speaker.reference:
        raise NoReference
    candidates = speaker_nodes.present()
    chosen = [node for node in candidates if node in wanted] if wanted else candidates
    audit.record("speaker.warmed", f"speaker {speaker.pk}", actor=actor, tenant=speaker.tenant_id, nodes=chosen)
    skipped = [node for node in dict.fromkeys(wanted) if node not in candidates]
    return Warmed(speaker_nodes.warm(speaker, chosen) if chosen else [], skipped)
