"""A finished talk that people correct."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from tests.core.play import Stage, fresh
from whisper_jobs import lifecycle
from whisper_jobs.models import Job, Segment
from whisper_jobs.speech.transcript import Segment as Spoken
from whisper_jobs.speech.transcript import Word

#: start, end, text; each word lasts half a second.
SAID = (
    (0.0, 2.0, "We meet at noon."),
    (3.0, 5.0, "Their is no agenda."),
    (6.0, 8.0, "Then we eat lunch."),
)


def spoken(start: float, end: float, text: str) -> Spoken:
    words = tuple(Word(start + 0.5 * at, start + 0.5 * at + 0.5, word, 0.9) for at, word in enumerate(text.split()))
    return Spoken(start, end, text, words, probability=0.9)


@pytest.fixture
def talk(stage: Stage, alice: User) -> Job:
    """Three segments of two windows, completed."""
    return told(stage, alice)


def told(stage: Stage, owner: User, **fields: Any) -> Job:
    job = stage.decoded(owner, windows=2, **fields)
    lifecycle.finish_window(stage.run("speech"), [spoken(*said) for said in SAID[:2]], language="en")
    lifecycle.finish_window(stage.run("speech"), [spoken(*said) for said in SAID[2:]], language="en")
    stage.assemble(stage.run("deliver"), text="\n\n".join(text for _start, _end, text in SAID))
    return fresh(job)


Correct = Callable[..., Any]


class Editor:
    """Somebody who corrects a job through the API."""

    def __init__(self, client: APIClient, job: Job, prefix: str = "") -> None:
        self.client, self.job = client, job
        self.url = f"/api/whisper/{prefix}jobs/{job.pk}"

    def post(self, kind: str, **fields: Any) -> Any:
        body = {"request_id": str(uuid4()), "kind": kind, **fields}
        return self.client.post(f"{self.url}/corrections", body, format="json")

    def make(self, kind: str, **fields: Any) -> dict[str, Any]:
        """A correction that must succeed."""
        answer = self.post(kind, **fields)
        assert answer.status_code == 201, answer.content
        return dict(answer.json()["correction"])

    def segments(self, **query: Any) -> list[dict[str, Any]]:
        answer = self.client.get(f"{self.url}/segments", query)
        assert answer.status_code == 200, answer.content
        return list(answer.json()["segments"])

    def texts(self, **query: Any) -> list[str]:
        return [one["text"] for one in self.segments(**query)]

    def ref(self, place: int) -> dict[str, Any]:
        one = self.segments()[place]
        return {"id": one["id"], "revision": one["revision"]}


@pytest.fixture
def editor(api: Callable[[User | None], APIClient], talk: Job, alice: User) -> Editor:
    return Editor(api(alice), talk)


@pytest.fixture
def colleague(api: Callable[[User | None], APIClient], talk: Job, charlie: User) -> Editor:
    """The manager, who sees alice's jobs."""
    return Editor(api(charlie), talk)


def rows_of(job: Job) -> list[Segment]:
    return list(Segment.objects.filter(job=job).order_by("start", "id"))
