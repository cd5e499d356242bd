"""A talk of alice's with known words, and the calls that are made about its notes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from tests.core.play import Stage, fresh
from whisper_jobs import search
from whisper_jobs.models import Job, Segment, Step
from whisper_jobs.states import Kind

Api = Callable[[User | None], APIClient]
Ask = Callable[..., Any]
#: The first segment has times for its words, a second each; of the second nobody knows them.
SAID = ("The harbour is closed today", "Nobody wants the crane")


def say(job: Job, said: Sequence[str], *, timed: Sequence[int] = (0,)) -> None:
    step = Step.objects.filter(job=job, kind=Kind.WINDOW).order_by("index")[0]
    Segment.objects.filter(job=job).delete()
    for at, text in enumerate(said):
        first = at * 10.0
        words = [[first + n, first + n + 1, word, 0.9] for n, word in enumerate(text.split())] if at in timed else []
        told = {"start": first, "end": first + 5, "text": text, "words": words, "revision": 1, "position": at}
        Segment.objects.create(job=job, step=step, **told)


@pytest.fixture
def talk(stage: Stage, alice: User) -> Job:
    job = stage.completed(alice, source_label="Harbour meeting")
    say(job, SAID)
    search.reindex(job)
    return fresh(job)


@pytest.fixture
def ask(api: Api, talk: Job) -> Ask:
    """Calls below the talk's address as somebody; the status and the answer."""

    def asked(user: User, method: str, path: str = "", **body: Any) -> tuple[int, Any]:
        address = f"/api/whisper/jobs/{talk.pk}{path}"
        answer = api(user).generic(method, address, json.dumps(body), content_type="application/json")
        return answer.status_code, answer.json()

    return asked
