"""Erases a speaker: whatever tells of the person goes at once, and no byte of the voice stays anywhere.

First the row, in one transaction: from then on nobody is recognised. Then the files, the recordings, the workers' memory. Who dies
between these leaves a row that still names its files, or recordings that still name it; the hourly clean-up, or a second call, ends
what was begun.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import User
from whisper_jobs import audit, speaker_files, speaker_nodes, speaker_unlinking
from whisper_jobs.models import AuditEntry, EnrollmentStatus, Replica, ReplicaState, Speaker, VoiceSample

log = logging.getLogger(__name__)
ACTION = "speaker.erased"
#: What a row has of a person → what it has afterwards.
_BLANK = {
    **dict.fromkeys(
        ("display_name", "description", "language_primary", "consent_user_full_name", "consent_stated_purpose"), ""
    ),
    "consent_text": "",
    "preflight": {},
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """`replicas_pending` are workers that were at work and let go with their next heartbeat, before they use any voice."""

    speaker_id: UUID
    tombstoned_at: datetime
    audit_id: int | None
    blobs_deleted: int
    vectors_deleted: int
    recordings_unlinked: int
    replicas_evicted: int
    replicas_pending: list[str]


def erase(speaker_id: UUID, *, actor: User | None) -> Receipt:
    """May be called again, until all is done. Raises Speaker.DoesNotExist, and OSError when files can't be deleted now."""
    gone = _tombstone(speaker_id, actor)
    blobs = _delete_files(speaker_id)
    recordings = speaker_unlinking.unlink(speaker_id)
    pending = speaker_nodes.evict(speaker_id)
    _scrub()
    held = Replica.objects.filter(speaker=speaker_id).exclude(state=ReplicaState.FAILED)
    return Receipt(
        speaker_id,
        gone.at,
        gone.audit_id,
        blobs_deleted=blobs,
        vectors_deleted=gone.vectors,
        recordings_unlinked=recordings,
        replicas_evicted=held.exclude(node__in=pending).count(),
        replicas_pending=pending,
    )


@dataclass(frozen=True, slots=True)
class _Tombstone:
    at: datetime
    audit_id: int | None
    vectors: int = 0


@transaction.atomic
def _tombstone(speaker_id: UUID, actor: User | None) -> _Tombstone:
    speaker = Speaker.objects.select_for_update().get(pk=speaker_id)
    subject, now = f"speaker {speaker_id}", timezone.now()
    if speaker.tombstoned_at is not None:
        entry = AuditEntry.objects.filter(action=ACTION, subject=subject).values_list("pk", flat=True).first()
        return _Tombstone(speaker.tombstoned_at, entry)
    vectors = VoiceSample.objects.filter(speaker=speaker_id).delete()[0]
    Speaker.objects.filter(pk=speaker_id).update(
        **_BLANK,
        enrollment_status=EnrollmentStatus.EVICTED,
        voice_version=F("voice_version") + 1,
        tombstoned_at=now,
        changed_at=now,
    )
    told = {"vectors": vectors, "recordings": len(speaker_unlinking.recordings_of(speaker_id)), "scope": speaker.scope}
    return _Tombstone(now, audit.record(ACTION, subject, actor=actor, tenant=speaker.tenant_id, **told).pk, vectors)


def _delete_files(speaker_id: UUID) -> int:
    deleted = speaker_files.remove(speaker_id)
    Speaker.objects.filter(pk=speaker_id).update(reference="", consent="")
    return deleted


def _scrub() -> None:
    """SQLite's log holds what pages were before until it is written back; the free space of its pages holds nothing."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except OperationalError as error:
        log.info("the database's log is in use and is written back later: %s", error)


def reap() -> int:
    """Ends erasures that were cut short, and clears away what nobody has. Returns how many erasures."""
    erased = Speaker.objects.filter(tombstoned_at__isnull=False)
    begun = erased.filter(~Q(reference="", consent="") | Q(heard__isnull=False)).distinct()
    ended = sum(_ended(speaker_id) for speaker_id in list(begun.values_list("pk", flat=True)))
    speaker_files.reap_orphans()
    speaker_nodes.forget_gone()
    if ended:
        _scrub()
    return ended


def _ended(speaker_id: UUID) -> bool:
    speaker_unlinking.unlink(speaker_id)
    try:
        _delete_files(speaker_id)
    except OSError as error:
        log.warning("could not delete the files of speaker %s: %s", speaker_id, error)
        return False
    return True
