"""A key may come in a header or in the address, for tools that know no keys."""

from __future__ import annotations

import base64
from typing import Any

from rest_framework.test import APIClient

from accounts.models import User
from tests.asr.conftest import ASR, DETECT, key_of, refusal, wrong
from tests.conftest import person

MISSING = [(["body", "audio_file"], "missing")]


def basic(told: str) -> dict[str, Any]:
    return {"HTTP_AUTHORIZATION": f"Basic {base64.b64encode(told.encode()).decode()}"}


def test_a_key_is_found_wherever_a_tool_can_put_it(robin: User) -> None:
    key = key_of(robin)
    places: tuple[tuple[dict[str, Any], str], ...] = (
        ({"HTTP_AUTHORIZATION": f"Bearer {key}"}, ASR),
        ({"HTTP_AUTHORIZATION": f"bearer {key}"}, DETECT),
        ({"HTTP_X_API_KEY": key}, ASR),
        ({}, f"{ASR}?apikey={key}"),
        ({}, f"{DETECT}?apikey={key}"),
        (basic(f"{key}:"), ASR),
        (basic(key), ASR),
        (basic(f"bazarr:{key}"), ASR),
    )
    for headers, path in places:
        assert wrong(APIClient(**headers).post(path)) == MISSING


def test_without_a_good_key_nothing_is_told(db: None) -> None:
    headers: tuple[dict[str, Any], ...] = (
        {},
        {"HTTP_AUTHORIZATION": "Bearer no"},
        {"HTTP_AUTHORIZATION": "Bearer"},
        {"HTTP_AUTHORIZATION": "Basic %%%"},
        {"HTTP_AUTHORIZATION": "Digest x"},
        {"HTTP_AUTHORIZATION": "Basic /w=="},
        {"HTTP_X_API_KEY": ""},
        basic("user:password"),
        basic("ü:ö"),
    )
    for given in headers:
        for path in (ASR, DETECT):
            answer = APIClient(**given).post(path)
            assert refusal(answer)[0] == 401
            assert answer["WWW-Authenticate"].startswith("Bearer")
    assert refusal(APIClient().post(f"{ASR}?apikey=no"))[0] == 401


def test_who_may_not_use_the_api_is_refused(program: Any, db: None) -> None:
    assert refusal(program(person("oskar", "whisper.use")).post(ASR))[0] == 403


def test_other_methods_are_refused(program: Any, robin: User) -> None:
    for path in (ASR, DETECT):
        for method in ("get", "put", "delete"):
            assert refusal(getattr(program(robin), method)(path))[0] == 405
