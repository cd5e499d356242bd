"""A shared talk whose job knows things that nobody else may, and what a visitor does with its link."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from accounts.models import User
from sharing import owning
from sharing.models import Share
from tests.core.play import Stage
from whisper_jobs.models import Job

MEDIA = "media/4f1d/original"
SECRETS = {
    "source_url": "https://intranet.example.test/board/secret-talk.mp3?key=hush",
    "source_note": "NOTE-for-my-eyes-only",
    "source_filename": "salaries-2026.mp3",
    "source_description": "DESCRIPTION-of-the-source",
    "media": MEDIA,
    "source_sha256": "ab" * 32,
}


@pytest.fixture
def talk(stage: Stage, alice: User) -> Job:
    """A completed job of two windows, at 0 s and at 10 s."""
    job = stage.completed(alice, source_label="Board meeting")
    Job.objects.filter(pk=job.pk).update(**SECRETS, source_mime="audio/mpeg")
    return Job.objects.get(pk=job.pk)


@pytest.fixture
def share(talk: Job) -> Share:
    return shared(talk)


@pytest.fixture
def recording(talk: Job) -> bytes:
    """The bytes of the talk's recording, stored."""
    content = bytes(range(256)) * 40
    default_storage.save(MEDIA, ContentFile(content))
    return content


@pytest.fixture
def visitor() -> Client:
    """Anybody, with a browser that sends and gets what browsers do."""
    return Client(enforce_csrf_checks=True)


def shared(job: Job, **options: Any) -> Share:
    """The job's share, made or changed."""
    owning.share(job.pk, options)  # type: ignore[arg-type]
    return Share.objects.get(job=job, revoked_at=None)


def path_of(share: Share, below: str = "") -> str:
    return f"/shared/whisper/transcript/{share.token}{below}"


def body(answer: Any) -> bytes:
    """All of an answer, streamed or not."""
    if not answer.streaming:
        return bytes(answer.content)

    async def collected() -> bytes:
        return b"".join([piece async for piece in answer.streaming_content])

    return async_to_sync(collected)()


def page(client: Client, share: Share, query: str = "", **extra: Any) -> str:
    """The text of the page, which must be there."""
    answer = client.get(path_of(share) + query, **extra)
    assert answer.status_code == 200
    return body(answer).decode()
