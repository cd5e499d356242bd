"""Robin, who may use every API, with a token of the sandbox; and a worker that plays a job's end when a test says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import PersonalToken, User
from tests.conftest import person
from tests.core.play import fresh
from whisper_jobs.models import Job, Step
from whisper_jobs.pipeline.heart import Heart
from whisper_jobs.pipeline.run import work_once
from whisper_jobs.sandbox import Script
from whisper_jobs.states import Kind

SCAIECHO = ("scaiecho:transcribe", "scaiecho:diarize", "scaiecho:enroll", "scaiecho:admin")
HandIn = Callable[..., Job]
Play = Callable[[Job], Job]


@pytest.fixture
def robin(db: None) -> User:
    return person("robin", "whisper.use", "whisper.api", *SCAIECHO)


@pytest.fixture
def token(robin: User) -> str:
    """Of the sandbox, in clear."""
    return tokens.create(robin, tokens.API, name="Trials", is_sandbox=True).token


@pytest.fixture
def real_token(robin: User) -> str:
    return tokens.create(robin, tokens.API, name="Work").token


def bearer(token: str) -> APIClient:
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


@pytest.fixture
def program(token: str) -> APIClient:
    """Calls with the token of the sandbox."""
    return bearer(token)


@pytest.fixture
def hand_in(stage: Any, robin: User, token: str) -> HandIn:
    """A job of the sandbox as a dialect makes it; its speakers are told apart unless that is said."""
    row = PersonalToken.objects.get(name="Trials")

    def handed_in(script: Script | None = None, **fields: object) -> Job:
        told = {"channel": "api", "token": row, "script": script or Script(), "disable_diarization": False, **fields}
        job: Job = stage.submit(robin, **told)
        return job

    return handed_in


@pytest.fixture
def play() -> Play:
    """Lets a job's time come, and works on it once."""
    heart = Heart(["deliver"], beat_seconds=1.0, limits=dict.fromkeys(Kind, 60.0))

    def played(job: Job) -> Job:
        Step.objects.filter(job=job, not_before__isnull=False).update(not_before=timezone.now())
        assert work_once("deliver", heart), "nothing was ready"
        return fresh(job)

    return played
