"""Programs that call as Verbit's clients do, and how far their jobs are."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import PersonalToken, User
from tests.conftest import person

BASE = "/api/job"
MEDIA = "https://example.com/talk.mp3"


class Program:
    """A program with a token. Every call has v=4 unless told otherwise; `body` is sent as a form."""

    def __init__(self, user: User, *, sandbox: bool = False) -> None:
        self.user = user
        self.secret = tokens.create(user, tokens.API, is_sandbox=sandbox).token
        self.client = APIClient(HTTP_AUTHORIZATION=f"ApiToken {self.secret}", raise_request_exception=False)

    @property
    def token(self) -> PersonalToken:
        found = tokens.find(self.secret, tokens.API)
        assert found is not None
        return found

    def post(self, verb: str, body: Any = None, **query: Any) -> Any:
        return self.client.post(f"{BASE}/{verb}{_query(query)}", body or {}, format="multipart")

    def json(self, verb: str, body: Any, **query: Any) -> Any:
        return self.client.post(f"{BASE}/{verb}{_query(query)}", body, format="json")

    def get(self, verb: str, **query: Any) -> Any:
        return self.client.get(f"{BASE}/{verb}{_query(query)}")

    def new(self, **fields: Any) -> int:
        made = self.json("new", {"profile": "automatic", **fields})
        assert made.status_code == 200, made.content
        return int(made.json()["job_id"])

    def ready(self, **fields: Any) -> int:
        """One with media that is not started."""
        number = self.new(**fields)
        assert self.json("add_media", {"media_url": MEDIA}, job_id=number).status_code == 200
        return number

    def started(self, start: dict[str, Any] | None = None, **fields: Any) -> int:
        number = self.ready(**fields)
        told = self.json("perform_transcription", start or {}, job_id=number)
        assert told.status_code == 200, told.content
        return number

    def info(self, number: int) -> Any:
        return self.get("info", job_id=number).json()


def _query(query: dict[str, Any]) -> str:
    told = {"v": 4, **query}
    return "?" + "&".join(f"{name}={value}" for name, value in told.items() if value is not None)


@pytest.fixture
def robin(db: None) -> User:
    return person("robin", "whisper.use", "whisper.api")


@pytest.fixture
def program(robin: User) -> Program:
    return Program(robin)


@pytest.fixture
def playing(robin: User) -> Program:
    """The same person's program with a token of the sandbox."""
    return Program(robin, sandbox=True)


@pytest.fixture
def other(db: None) -> Program:
    """Another person's."""
    return Program(person("other", "whisper.use", "whisper.api"))


def a_file(content: bytes = b"RIFF" + b"x" * 100, name: str = "talk.wav") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="audio/wav")


def refusal(answer: Any) -> tuple[int, str]:
    """Status and type; the body has nothing beside type and comment."""
    told = answer.json()
    assert set(told) == {"ErrorType", "ErrorComment"}, told
    assert told["ErrorComment"], told
    return answer.status_code, told["ErrorType"]
