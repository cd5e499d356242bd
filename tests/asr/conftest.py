"""Tools that were made for whisper-asr-webservice, and what they send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from rest_framework.test import APIClient, APIRequestFactory

from accounts import tokens
from accounts.models import User
from tests.camb.conftest import a_file, refusal, robin, wrong
from whisper_jobs.dialects.asr.views import DetectView, TranscribeView

__all__ = ["ASR", "DETECT", "a_file", "form", "key_of", "refusal", "robin", "wrong"]
ASR, DETECT = "/asr", "/detect-language"
_VIEWS = {ASR: TranscribeView, DETECT: DetectView}


def key_of(user: User, **more: Any) -> str:
    return tokens.create(user, tokens.API, **more).token


def form(**fields: Any) -> dict[str, Any]:
    return {"audio_file": a_file(), **fields}


@pytest.fixture
def program() -> Callable[[User], APIClient]:
    """A client with a new key of somebody."""
    return lambda user: APIClient(HTTP_AUTHORIZATION=f"Bearer {key_of(user)}")


@pytest.fixture
def hands_in() -> Callable[..., Any]:
    """What is answered at once to a recording that is taken in: nobody waits for its end."""

    def hand_in(key: str, path: str = ASR, *, headers: dict[str, str] | None = None, **query: Any) -> Any:
        file = query.pop("audio_file", None) or a_file()
        told = {"Authorization": f"Bearer {key}", **(headers or {})}
        address = f"{path}?{urlencode(query)}"
        request = APIRequestFactory().post(address, {"audio_file": file}, headers=told)
        answer = _VIEWS[path].as_view()(request)
        # As a server does when it has answered.
        request.close()
        return answer

    return hand_in
