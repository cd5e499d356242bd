"""Client secrets: made by a program with its token, good for a page for a while, and for no longer than the token."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import signing
from openai.types.beta.realtime.transcription_session import TranscriptionSession
from openai.types.realtime import ClientSecretCreateResponse
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import PersonalToken, User
from tests.hearing.talking import rows
from tests.realtime.calling import calling
from whisper_jobs.dialects.openai import realtime_keys
from whisper_jobs.dialects.openai.realtime_session import Setup, Vad

SECRETS, SESSIONS = "/v1/realtime/client_secrets", "/v1/realtime/transcription_sessions"
Json = dict[str, Any]


@pytest.fixture
def key(gina: User) -> str:
    return tokens.create(gina, tokens.API).token


def post(key: str, path: str, body: Any) -> Any:
    return APIClient().post(path, body, format="json", HTTP_AUTHORIZATION=f"Bearer {key}")


def session(**heard: Any) -> Json:
    return {"type": "transcription", "audio": {"input": heard}}


def test_a_secret_names_its_session_and_when_it_expires(key: str) -> None:
    body = {"expires_after": {"anchor": "created_at", "seconds": 30}, "session": session(turn_detection=None)}
    response = post(key, SECRETS, body)
    assert response.status_code == 200
    told = ClientSecretCreateResponse.model_validate(response.json())
    found = realtime_keys.find(told.value)
    assert found is not None
    assert (found.token, found.setup) == (PersonalToken.objects.get(), Setup(vad=None))
    assert told.session.type == "transcription"


def test_the_version_before_has_its_own_call(key: str) -> None:
    response = post(key, SESSIONS, {"input_audio_format": "g711_ulaw", "turn_detection": {"threshold": 0.6}})
    told = TranscriptionSession.model_validate(response.json())
    found = realtime_keys.find(told.client_secret.value)
    assert found is not None
    assert found.setup == Setup(format="audio/pcmu", rate=8000, vad=Vad(threshold=0.6))


def test_without_anything_a_secret_is_for_the_usual_session(key: str) -> None:
    for path in (SECRETS, SESSIONS):
        assert post(key, path, {}).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "code", "param"),
    [
        (SECRETS, {"session": {"type": "realtime"}}, "invalid_value", "session.type"),
        (SECRETS, {"voice": "alloy"}, "unknown_parameter", "voice"),
        (SECRETS, {"expires_after": {"seconds": 9}}, "invalid_value", "expires_after.seconds"),
        (SECRETS, {"expires_after": {"seconds": True}}, "invalid_value", "expires_after.seconds"),
        (SECRETS, {"expires_after": {"anchor": "now"}}, "invalid_value", "expires_after.anchor"),
        (SECRETS, {"expires_after": 5}, "invalid_value", "expires_after"),
        (SECRETS, [], "invalid_value", "session"),
        (SESSIONS, {"audio": {}}, "unknown_parameter", "session.audio"),
        (SESSIONS, {"client_secret": {"value": "mine"}}, "unknown_parameter", "client_secret.value"),
    ],
)
def test_what_can_not_be_is_refused(key: str, path: str, body: Any, code: str, param: str) -> None:
    response = post(key, path, body)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (400, code, param)


@pytest.mark.parametrize("path", [SECRETS, SESSIONS])
def test_brackets_without_end_are_refused(key: str, path: str) -> None:
    program = APIClient(HTTP_AUTHORIZATION=f"Bearer {key}")
    response = program.post(path, '{"session":' * 100_000, content_type="application/json")
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "unreadable_body"


def test_nobody_without_a_token_gets_one(db: None) -> None:
    for path in (SECRETS, SESSIONS):
        assert post("tw_wrong", path, {}).status_code == 401


def test_one_does_not_make_another(key: str) -> None:
    secret = post(key, SECRETS, {}).json()["value"]
    assert post(secret, SECRETS, {}).status_code == 401


def test_it_is_good_until_it_expires_and_not_when_it_was_changed(key: str) -> None:
    token = PersonalToken.objects.get()
    assert realtime_keys.find(realtime_keys.secret(token, Setup(), expires_at=2_000_000_000_0))
    assert realtime_keys.find(realtime_keys.secret(token, Setup(), expires_at=1_000_000_000)) is None
    good = realtime_keys.secret(token, Setup(), expires_at=2_000_000_000_0)
    assert realtime_keys.find(good[:-1] + ("A" if good[-1] != "A" else "B")) is None
    other = signing.TimestampSigner(sep=".", salt="other").sign_object({"token": token.pk})
    assert realtime_keys.find(realtime_keys.PREFIX + other) is None


def test_it_is_good_no_longer_than_its_token(key: str) -> None:
    secret = post(key, SECRETS, {}).json()["value"]
    tokens.revoke(PersonalToken.objects.get())
    assert realtime_keys.find(secret) is None


def test_it_can_be_a_subprotocol(key: str) -> None:
    """RFC 6455 has tokens of HTTP there."""
    secret = post(key, SECRETS, {"session": session(transcription={"prompt": "Umeå, Luleå"})}).json()["value"]
    assert all(character.isalnum() or character in "-._" for character in secret)
    assert len(secret) < 1000


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_connection_left")
async def test_a_page_opens_the_session_that_its_secret_names(gina: User) -> None:
    def made() -> str:
        key = tokens.create(gina, tokens.API).token
        value: str = post(key, SECRETS, {"session": session(turn_detection=None)}).json()["value"]
        return value

    secret = await rows(made)
    async with calling(None, query="", protocols=("realtime", f"openai-insecure-api-key.{secret}")) as caller:
        created = await caller.until("session.created")
    assert created["session"]["audio"]["input"]["turn_detection"] is None
