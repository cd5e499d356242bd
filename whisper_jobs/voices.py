"""Voices of enrolled speakers as vectors: sealed in rows, open only in the memory of who compares them.

Says whose voices an owner's recordings are compared with. A worker keeps what it has opened on its shelf and looks at the rows
before every use, so that an erased voice is never used.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts import seal as sealing
from accounts.models import User
from whisper_jobs.models import EnrollmentStatus, Job, Scope, Speaker, VoiceSample
from whisper_jobs.speech.diarizers.bundled import ENCODER as ENCODER
from whisper_jobs.speech.recognition import sum_of, unit

Floats = npt.NDArray[np.float32]
#: A speaker and a vector of length 1.
Entry = tuple[UUID, Floats]

#: Of what a speaker was heard to say in recordings the newest are kept: a voice changes with the years and the microphone.
MOST_LEARNT = 20
#: Profiles whose voices are at this cosine, or nearer, are one person's: two persons came to 0.73, over the same noisy telephone.
SAME_VOICE = 0.8
#: Whose profile stands for a person who has several.
_NEAREST = (Scope.USER, Scope.TENANT, Scope.GLOBAL)
#: A sample of more seconds counts no more: by then a voice is known.
ENOUGH_SECONDS = 30.0


def seal(vector: Floats) -> str:
    """A vector as it stands in VoiceSample.sealed and JobVoice.sealed."""
    return sealing.seal(base64.b64encode(vector.astype("<f4").tobytes()).decode())


def load(sealed: str) -> Floats | None:
    """The vector; None where there is none, or where it was sealed under a key that is not known any more."""
    clear = sealing.unseal(sealed) if sealed else None
    return np.frombuffer(base64.b64decode(clear), "<f4").astype(np.float32) if clear else None


def recognisable() -> QuerySet[Speaker]:
    return Speaker.objects.filter(enrollment_status=EnrollmentStatus.READY, tombstoned_at=None)


def heard_for(owner: User) -> Q:
    """The speakers whom an owner's recordings are compared with: the own, the tenant's, everybody's."""
    of_tenant = Q(scope=Scope.TENANT, tenant=owner.tenant_id)
    return Q(scope=Scope.USER, owner=owner) | of_tenant | Q(scope=Scope.GLOBAL)


@transaction.atomic
def store(
    speaker_id: UUID, vector: Floats, *, seconds: float, encoder: str = ENCODER, job: Job | None = None, label: str = ""
) -> VoiceSample | None:
    """Keeps what a speaker sounds like: in the reference, or in a job where a person said who it is. None for an erased one."""
    if not _changing(speaker_id):
        return None
    place: dict[str, Any] = {"job": job, "label": label} if job else {"job": None, "encoder": encoder}
    told = {"encoder": encoder, "sealed": seal(vector), "seconds": seconds}
    sample, _made = VoiceSample.objects.update_or_create(speaker_id=speaker_id, **place, defaults=told)
    _forget_oldest(speaker_id)
    return sample


@transaction.atomic
def forget(speaker_id: UUID, job: Job, label: str) -> None:
    """Takes back what was learnt of a speaker from one voice of a job."""
    if _changing(speaker_id):
        VoiceSample.objects.filter(speaker_id=speaker_id, job=job, label=label).delete()


def _changing(speaker_id: UUID) -> bool:
    """Locks the row and raises its version; False for one that is erased."""
    there = Speaker.objects.filter(pk=speaker_id, tombstoned_at=None)
    return there.update(voice_version=F("voice_version") + 1) == 1


def _forget_oldest(speaker_id: UUID) -> None:
    learnt = VoiceSample.objects.filter(speaker_id=speaker_id, job__isnull=False).order_by("-created_at", "-id")
    VoiceSample.objects.filter(pk__in=list(learnt.values_list("pk", flat=True)[MOST_LEARNT:])).delete()


def book_for(owner: User, *, encoder: str = ENCODER) -> list[Entry]:
    """Each person whom this owner's recordings are compared with, once, in a steady order.

    Of several profiles with one voice the nearest one counts: the owner's own before the tenant's before everybody's, and then
    the oldest. Otherwise each would keep the other from being recognised.
    """
    speakers = recognisable().filter(heard_for(owner))
    nearness = dict(speakers.values_list("pk", "scope"))
    entries = shelf.take(_editions(speakers, encoder))
    entries.sort(key=lambda entry: _NEAREST.index(nearness.get(entry[0], Scope.GLOBAL)))
    return _once_each(entries)


def _once_each(entries: Iterable[Entry]) -> list[Entry]:
    kept: list[Entry] = []
    for speaker_id, voice in entries:
        if all(float(voice @ other) < SAME_VOICE for _speaker_id, other in kept):
            kept.append((speaker_id, voice))
    return kept


@dataclass(frozen=True, slots=True)
class Edition:
    """Which rows a voice was made of: with other rows it is another. A deleted job takes its samples with it unannounced."""

    version: int
    samples: tuple[int, ...]


def _editions(speakers: QuerySet[Speaker], encoder: str) -> dict[UUID, Edition]:
    rows = VoiceSample.objects.filter(speaker__in=speakers, encoder=encoder).order_by("speaker__created_at", "id")
    found: dict[UUID, Edition] = {}
    for speaker_id, version, sample in rows.values_list("speaker_id", "speaker__voice_version", "id"):
        before = found.get(speaker_id)
        found[speaker_id] = Edition(version, (*(before.samples if before else ()), sample))
    return found


class Shelf:
    """The voices that this process holds open. Only one that has said so keeps any: nobody would tell others to let go."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: dict[UUID, tuple[Edition, Floats]] = {}
        self.keeps = False

    def take(self, editions: Mapping[UUID, Edition]) -> list[Entry]:
        """The voices of these editions; those that it has not are read."""
        with self._lock:
            held = {key: self._held[key] for key in editions if key in self._held}
        missing = {key: edition for key, edition in editions.items() if key not in held or held[key][0] != edition}
        opened = {key: (missing[key], voice) for key, voice in _opened(missing).items()}
        if self.keeps:
            with self._lock:
                self._held.update(opened)
        known = {**{key: one for key, one in held.items() if key not in missing}, **opened}
        return [(key, known[key][1]) for key in editions if key in known]

    def warm(self, speaker_id: UUID) -> bool:
        """Holds the voice from now on; False where there is none to hold."""
        editions = _editions(recognisable().filter(pk=speaker_id), ENCODER)
        if not self.take(editions):
            self.evict([speaker_id])
            return False
        return True

    def evict(self, speakers: Iterable[UUID]) -> None:
        with self._lock:
            for speaker_id in speakers:
                self._held.pop(speaker_id, None)

    def let_go(self) -> None:
        """Drops the voices of those who are erased, or no longer to be recognised."""
        held = set(self.versions())
        if held:
            self.evict(held - set(recognisable().filter(pk__in=held).values_list("pk", flat=True)))

    def versions(self) -> dict[UUID, int]:
        """What it holds: speaker → version of the voice."""
        with self._lock:
            return {key: edition.version for key, (edition, _voice) in self._held.items()}


#: This process's own.
shelf = Shelf()


def _opened(editions: Mapping[UUID, Edition]) -> dict[UUID, Floats]:
    wanted = [sample for edition in editions.values() for sample in edition.samples]
    rows = VoiceSample.objects.filter(pk__in=wanted).order_by("id").values_list("speaker_id", "sealed", "seconds")
    heard: dict[UUID, list[Floats]] = {}
    for speaker_id, sealed, seconds in rows:
        vector = load(sealed)
        if vector is not None:
            heard.setdefault(speaker_id, []).append(vector * np.float32(min(seconds, ENOUGH_SECONDS)))
    return {speaker_id: unit(sum_of(vectors)) for speaker_id, vectors in heard.items()}
