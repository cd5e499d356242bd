"""What a worker does when it is told of a voice: makes up for one that nobody has heard yet, then holds it or lets it go."""

from __future__ import annotations

from typing import BinaryIO, cast
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction

from whisper_jobs import speaker_checks, speaker_nodes, voices
from whisper_jobs.errors import JobError
from whisper_jobs.models import EnrollmentStatus, Speaker
from whisper_jobs.speaker_checks import Heard

#: A voice that waits can still become one that is recognised, and one that is recognised get a vector of another network.
_LIVING = (EnrollmentStatus.PENDING, EnrollmentStatus.READY)


def follow(speaker_id: UUID) -> None:
    node = speaker_nodes.here()
    if node is None:
        return
    reason = _make_up(speaker_id)
    if reason:
        node.fail(speaker_id, reason)
    else:
        node.follow(speaker_id)


def _make_up(speaker_id: UUID) -> str:
    """Hears the reference where no vector of today's network was made of it. A sentence where that fails."""
    speaker = Speaker.objects.filter(pk=speaker_id, enrollment_status__in=_LIVING, tombstoned_at=None).first()
    if speaker is None or speaker_nodes.has_voice(speaker_id):
        return ""
    try:
        with default_storage.open(speaker.reference) as file:
            heard = speaker_checks.hear(cast(BinaryIO, file))
    except FileNotFoundError:
        return "The reference recording is gone."
    except JobError as error:
        return error.message
    return _settle(speaker_id, heard)


@transaction.atomic
def _settle(speaker_id: UUID, heard: Heard) -> str:
    if heard.missing:
        return heard.missing
    status = EnrollmentStatus.FAILED if heard.vector is None else EnrollmentStatus.READY
    there = Speaker.objects.filter(pk=speaker_id, tombstoned_at=None)
    there.update(enrollment_status=status, preflight=dict(heard.preflight))
    if heard.vector is None:
        return "The reference recording is not good enough to know a voice by."
    voices.store(speaker_id, heard.vector, seconds=heard.seconds)
    return ""


def make_up_for_pending() -> None:
    """Tells the workers of voices that nobody could hear when they were handed in."""
    waiting = Speaker.objects.filter(enrollment_status=EnrollmentStatus.PENDING, tombstoned_at=None)
    for speaker_id in waiting.values_list("pk", flat=True)[:100]:
        speaker_nodes.announce(speaker_id)
