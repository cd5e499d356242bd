"""Programs that were made for Camb.ai, and what they send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User
from tests.conftest import person

BASE = "/apis"
TRANSCRIBE, RESULTS = f"{BASE}/transcribe", f"{BASE}/transcription-results"
ADDRESS = "https://example.com/talk.mp3"


@pytest.fixture
def robin(db: None) -> User:
    """A person with an integration."""
    return person("robin", "whisper.use", "whisper.api")


@pytest.fixture
def program() -> Callable[..., APIClient]:
    """A client with a new key of somebody."""

    def client_of(user: User, *, is_sandbox: bool = False) -> APIClient:
        return APIClient(HTTP_X_API_KEY=tokens.create(user, tokens.API, is_sandbox=is_sandbox).token)

    return client_of


def a_file(content: bytes = b"RIFF" + b"x" * 100, name: str = "talk.wav") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="audio/wav")


def form(**fields: Any) -> dict[str, Any]:
    """Fields of a recording at an address, in English."""
    return {"media_url": ADDRESS, "language": "1", **fields}


def result_path(run_id: object) -> str:
    return f"{BASE}/transcription-result/{run_id}"


def wrong(answer: Any) -> list[tuple[list[Any], str]]:
    """Where, and of which type, each thing is that is wrong with a request."""
    assert answer.status_code == 422, answer.content
    told = answer.json()
    assert list(told) == ["detail"], told
    assert all(set(one) == {"loc", "msg", "type"} and one["msg"] for one in told["detail"]), told
    return [(one["loc"], one["type"]) for one in told["detail"]]


def refusal(answer: Any) -> tuple[int, str]:
    """Status and sentence; the body has nothing beside it."""
    told = answer.json()
    assert list(told) == ["detail"], told
    assert isinstance(told["detail"], str), told
    return answer.status_code, told["detail"]
