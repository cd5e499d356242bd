"""Who may call, and what is answered to everybody else."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import PersonalToken, User
from tests.camb.conftest import BASE, RESULTS, TRANSCRIBE, form, refusal, result_path
from tests.conftest import person

CALLS = (
    ("post", TRANSCRIBE),
    ("get", f"{TRANSCRIBE}/00000000-0000-0000-0000-000000000001"),
    ("get", result_path(1)),
    ("post", RESULTS),
    ("get", f"{BASE}/source-languages"),
)


def test_without_a_key_nothing_is_told() -> None:
    for method, path in CALLS:
        answer = getattr(APIClient(), method)(path)
        assert refusal(answer)[0] == 401
        assert "x-api-key" in answer["WWW-Authenticate"]


def test_a_wrong_key_is_refused(db: None) -> None:
    for key in ("", "no", "tw_" + "x" * 40, "schlüssel", "a b"):
        for method, path in CALLS[:2]:
            assert refusal(getattr(APIClient(HTTP_X_API_KEY=key), method)(path))[0] == 401


def test_a_key_that_is_revoked_is_refused(program: Any, robin: User) -> None:
    client = program(robin)
    PersonalToken.objects.all().delete()
    assert refusal(client.post(TRANSCRIBE, form()))[0] == 401


def test_a_key_is_looked_for_in_its_own_header_alone(robin: User) -> None:
    key = tokens.create(robin, tokens.API).token
    assert refusal(APIClient(HTTP_AUTHORIZATION=f"Bearer {key}").post(TRANSCRIBE, form()))[0] == 401
    assert refusal(APIClient().post(f"{TRANSCRIBE}?apikey={key}", form()))[0] == 401


def test_who_may_not_use_the_api_is_refused(program: Any, db: None) -> None:
    for permissions in ((), ("whisper.use",), ("whisper.api",)):
        someone = person(f"p{len(permissions)}{''.join(permissions)}", *permissions)
        assert refusal(program(someone).post(TRANSCRIBE, form()))[0] == 403


def test_other_methods_and_addresses_are_refused_in_the_same_words(program: Any, robin: User) -> None:
    client = program(robin)
    for method, path in (("get", TRANSCRIBE), ("delete", CALLS[1][1]), ("put", RESULTS), ("post", result_path(1))):
        assert refusal(getattr(client, method)(path))[0] == 405
    for path in ("/apis/dub", "/apis/tts-stream", "/apis/", "/apis/transcribe/", "/apis/folders"):
        assert refusal(APIClient().get(path))[0] == 404
