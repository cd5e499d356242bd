"""Who enrols speakers, speakers who are enrolled, and a worker that holds voices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from accounts.models import Tenant, User
from accounts.permissions import grant
from tests.conftest import PASSWORD
from whisper_jobs import presence, speaker_files, speaker_following, speaker_nodes, voices
from whisper_jobs.models import EnrollmentStatus, Speaker, Worker
from whisper_jobs.speaker_nodes import Node
from whisper_jobs.voices import Floats

Enroll = Callable[..., Speaker]


def voice(number: int) -> Floats:
    """A vector of its own for each number: none is near another."""
    vector = np.random.default_rng(number).normal(size=192).astype(np.float32)
    return vector / np.float32(np.linalg.norm(vector))


@pytest.fixture
def ada(db: None) -> User:
    """Enrols speakers, and has an organisation with others."""
    return member("ada", Tenant.objects.default(), "scaiecho:enroll")


@pytest.fixture
def ben(db: None) -> User:
    """Of the same organisation."""
    return member("ben", Tenant.objects.default(), "scaiecho:enroll")


@pytest.fixture
def chief(db: None) -> User:
    """Administers that organisation."""
    return member("chief", Tenant.objects.default(), "scaiecho:enroll", "scaiecho:admin")


@pytest.fixture
def eve(db: None) -> User:
    """Of another organisation."""
    return member("eve", Tenant.objects.create(name="others"), "scaiecho:enroll", "scaiecho:admin")


def member(name: str, tenant: Tenant, *permissions: str) -> User:
    user = User.objects.create_user(f"{name}@example.test", PASSWORD, tenant=tenant)
    for permission in permissions:
        grant(user, permission)
    return User.objects.get(pk=user.pk)


@pytest.fixture
def enroll(db: None) -> Enroll:
    """Rows and files as enrolling leaves them, without hearing anything."""

    def made(
        owner: User, name: str = "Ada", *, number: int = 1, status: str = EnrollmentStatus.READY, **fields: object
    ) -> Speaker:
        key = uuid4()
        files = {
            kind: speaker_files.store(key, kind, ContentFile(f"{kind} of {name}".encode()))
            for kind in speaker_files.KINDS
        }
        row = {"language_primary": "en", "consent_user_full_name": f"{name} King", "consent_text": "I agree."}
        speaker = Speaker.objects.create(
            id=key,
            owner=owner,
            tenant=owner.tenant,
            display_name=name,
            enrollment_status=status,
            **{**row, **files, **fields},
        )
        if status == EnrollmentStatus.READY:
            voices.store(key, voice(number), seconds=10.0)
        return speaker

    return made


@pytest.fixture(autouse=True)
def _no_node() -> Iterator[None]:
    yield
    speaker_nodes._here.clear()
    voices.shelf.keeps = False
    voices.shelf.evict(list(voices.shelf.versions()))


@pytest.fixture
def node(db: None, monkeypatch: pytest.MonkeyPatch) -> Node:
    """This process as a worker of the speech lane that is up. Messages reach it without a broker."""

    def announce(speaker_id: UUID) -> bool:
        speaker_following.follow(speaker_id)
        return True

    monkeypatch.setattr(speaker_nodes, "announce", announce)
    me = presence.me()
    presence.seen(me, ["speech"])
    # It has no heart, and what some tests do takes longer than a worker may be silent.
    Worker.objects.update(seen_at=timezone.now() + timedelta(hours=1))
    return speaker_nodes.become(me.name)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for workers that say nothing."""
    monkeypatch.setattr(speaker_nodes, "WAIT_SECONDS", 0.2)
