"""Callers of OpenAI's API, what they send, and how its answers are read."""

from __future__ import annotations

import io
import json
import wave
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest
from asgiref.sync import async_to_sync
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import StreamingHttpResponse
from rest_framework.test import APIClient, APIRequestFactory

from accounts import tokens
from accounts.models import User
from tests.conftest import person
from whisper_jobs.dialects.openai.views import TranscriptionsView, TranslationsView

TRANSCRIPTIONS, TRANSLATIONS, MODELS = "/v1/audio/transcriptions", "/v1/audio/translations", "/v1/models"
_VIEWS = {TRANSCRIPTIONS: TranscriptionsView, TRANSLATIONS: TranslationsView}


@pytest.fixture
def gina(db: None) -> User:
    """Has programs that call."""
    return person("gina", "whisper.use", "whisper.api")


@pytest.fixture
def hugo(db: None) -> User:
    """Has programs too, and other recordings."""
    return person("hugo", "whisper.use", "whisper.api")


def key_of(user: User, **more: Any) -> str:
    return tokens.create(user, tokens.API, **more).token


@pytest.fixture
def calls() -> Callable[..., APIClient]:
    """A client with an API key of somebody."""
    return lambda user, **more: APIClient(HTTP_AUTHORIZATION=f"Bearer {key_of(user, **more)}")


@pytest.fixture
def hands_in() -> Callable[..., Any]:
    """What is answered at once to a recording that is taken in: nobody waits for its end."""

    def hand_in(user: User, path: str = TRANSCRIPTIONS, *, sandbox: bool = False, **fields: Any) -> Any:
        headers = {name: fields.pop(name) for name in [one for one in fields if one.startswith("HTTP_")]}
        key = key_of(user, is_sandbox=sandbox)
        told = form(**fields)
        request = APIRequestFactory().post(path, told, HTTP_AUTHORIZATION=f"Bearer {key}", **headers)
        answer = _VIEWS[path].as_view()(request)
        # As a server does when it has answered.
        request.close()
        return answer if isinstance(answer, StreamingHttpResponse) else cast(Any, answer).render()

    return hand_in


def a_file(content: bytes = b"RIFF" + b"x" * 100, name: str = "talk.wav") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="audio/wav")


def form(**fields: Any) -> dict[str, Any]:
    """What every call has; a field that is None is left out. `name__` is written `name[]`."""
    told = {"file": a_file(), "model": "whisper-1", **fields}
    return {name.replace("__", "[]"): value for name, value in told.items() if value is not None}


def tone(seconds: float) -> bytes:
    """A WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        sound.writeframes(b"\x00\x10\x00\xf0" * round(8000 * seconds))
    return out.getvalue()


def refusal(answer: Any) -> tuple[int, str, str | None]:
    """Status, code and param; the body is all that the clients expect, and nothing else."""
    told = json.loads(answer.content)
    assert list(told) == ["error"], told
    assert set(told["error"]) == {"message", "type", "param", "code"}, told
    assert told["error"]["message"], told
    return answer.status_code, told["error"]["code"], told["error"]["param"]


def read(answer: Any) -> str:
    """The body of an answer, also of one that is sent in pieces."""
    if not answer.streaming:
        return str(answer.content.decode())

    async def whole() -> bytes:
        return b"".join([piece async for piece in cast("AsyncIterator[bytes]", answer)])

    return async_to_sync(whole)().decode()
