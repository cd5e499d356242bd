"""Callers of the speech API, and its paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import User
from tests.conftest import person

BASE = "/v1/modules/scaiecho"
TRANSCRIBE, POLICY = f"{BASE}/transcribe", f"{BASE}/tenant-policy"


@pytest.fixture
def erin(db: None) -> User:
    """Transcribes, and may have speakers told apart."""
    return person("erin", "whisper.use", "whisper.api", "scaiecho:transcribe", "scaiecho:diarize")


@pytest.fixture
def frank(db: None) -> User:
    """Transcribes and nothing else."""
    return person("frank", "whisper.use", "scaiecho:transcribe")


@pytest.fixture
def grace(db: None) -> User:
    """Sets what her tenant may use."""
    return person("grace", "scaiecho:admin")


@pytest.fixture
def jwt() -> Callable[[User], APIClient]:
    """A client that names itself with a JWT of somebody."""
    return lambda user: APIClient(HTTP_AUTHORIZATION=f"Bearer {AccessToken.for_user(user)}")


def poll_path(job_id: object) -> str:
    return f"{TRANSCRIBE}/jobs/{job_id}"


def a_file(content: bytes = b"RIFF" + b"x" * 100, name: str = "talk.wav") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="audio/wav")


def form(**fields: Any) -> dict[str, Any]:
    """Fields of a recording that isn't waited for."""
    return {"file": a_file(), "force_async": "true", **fields}


def refusal(answer: Any) -> tuple[int, str]:
    """Status and code; the envelope has nothing beside the error."""
    told = answer.json()
    assert list(told) == ["error"], told
    assert told["error"]["message"], told
    return answer.status_code, told["error"]["code"]
