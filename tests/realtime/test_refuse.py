"""Who is not let in, and events that can't be: each is told, and the session goes on where it can."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from accounts import tokens
from accounts.models import PersonalToken, User
from tests.hearing.talking import rows
from tests.realtime.calling import append, calling, key_of, loud, update
from whisper_jobs.dialects import live_socket
from whisper_jobs.models import LiveSession

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_connection_left"),
]


@pytest.mark.parametrize("key", [None, "", "tw_wrong", "ek_wrong", "ek_a.b.c", "sk-proj", "\u00e9", "a\x00b"])
async def test_without_a_good_key_the_error_is_openais_and_the_socket_is_closed(db: None, key: str | None) -> None:
    async with calling(key) as caller:
        error = await caller.error()
        await caller.until("end")
    assert (error["type"], error["code"], caller.code) == ("invalid_request_error", "invalid_api_key", 3000)


async def test_a_jwt_is_no_key(gina: User) -> None:
    from rest_framework_simplejwt.tokens import AccessToken

    async with calling(str(AccessToken.for_user(gina))) as caller:
        assert (await caller.error())["code"] == "invalid_api_key"


async def test_the_key_of_somebody_who_may_not_is_refused(alice: User) -> None:
    async with calling(await key_of(alice)) as caller:
        assert (await caller.error())["code"] == "insufficient_permissions"
        await caller.until("end")
    assert caller.code == 3000


async def test_a_key_of_the_sandbox_is_told_that_there_is_none(gina: User) -> None:
    async with calling(await key_of(gina, is_sandbox=True)) as caller:
        assert (await caller.error())["code"] == "insufficient_permissions"


async def test_a_browser_shows_its_key_as_a_subprotocol(gina: User) -> None:
    key = await key_of(gina)
    async with calling(None, protocols=("realtime", f"openai-insecure-api-key.{key}")) as caller:
        await caller.until("session.created")
        assert caller.protocol == "realtime"


async def test_calls_are_counted(gina: User, settings: Any) -> None:
    settings.TOOLS = replace(settings.TOOLS, api_per_minute=1)
    key = await key_of(gina)
    async with calling(key) as first, calling(key) as second:
        await first.until("session.created")
        assert (await second.error())["code"] == "rate_limit_exceeded"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?intent=transcription",
        "?model=gpt-4o-transcribe",
        "?intent=transcription&model=gpt-realtime",
        "?model=auto",
    ],
)
async def test_it_is_a_transcription_session_by_intent_or_by_model(gina: User, query: str) -> None:
    async with calling(await key_of(gina), query=query) as caller:
        created = await caller.until("session.created")
    told = created["session"]
    assert (told["type"], told["object"]) == ("transcription", "realtime.transcription_session")
    assert told["id"].startswith("sess_")
    assert told["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 500


@pytest.mark.parametrize(
    ("query", "code"), [("?model=gpt-realtime", "model_not_found"), ("?intent=conversation", "invalid_value")]
)
async def test_conversations_are_refused(gina: User, query: str, code: str) -> None:
    async with calling(await key_of(gina), query=query) as caller:
        assert (await caller.error())["code"] == code
        await caller.until("end")
    assert caller.code == 3000


async def test_the_version_before_is_spoken_to_whoever_asks_for_it(gina: User) -> None:
    async with calling(await key_of(gina), before=True) as caller:
        created = await caller.until("transcription_session.created")
        assert created["session"]["input_audio_format"] == "pcm16"
        told = {"type": "transcription_session.update", "session": {"input_audio_format": "g711_alaw"}}
        await caller.send(told)
        updated = await caller.until("transcription_session.updated")
        assert updated["session"]["input_audio_format"] == "g711_alaw"


@pytest.mark.parametrize(
    ("sent", "code", "param"),
    [
        ("no JSON", "invalid_json", None),
        ('{"type": NaN}', "invalid_json", None),
        ("[" * 5000, "invalid_json", None),
        ("[]", "invalid_event", None),
        (b"sound", "invalid_json", None),
        ({}, "missing_required_parameter", "type"),
        ({"type": 1}, "missing_required_parameter", "type"),
        ({"type": "input_audio_buffer.sing"}, "invalid_value", "type"),
        ({"type": "response.create"}, "invalid_value", "type"),
        ({"type": "conversation.item.create", "item": {}}, "invalid_value", "type"),
        ({"type": "session.update"}, "missing_required_parameter", "session"),
        ({"type": "input_audio_buffer.append"}, "missing_required_parameter", "audio"),
        ({"type": "input_audio_buffer.append", "audio": 1}, "missing_required_parameter", "audio"),
        ({"type": "input_audio_buffer.append", "audio": "?"}, "invalid_value", "audio"),
        ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty", None),
    ],
)
async def test_an_event_that_can_not_be_is_told_and_the_session_goes_on(
    gina: User, sent: Any, code: str, param: str | None
) -> None:
    async with calling(await key_of(gina)) as caller:
        await caller.until("session.created")
        await caller.send({**sent, "event_id": "mine"} if isinstance(sent, dict) else sent)
        error = await caller.error()
        assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)
        assert error["event_id"] == ("mine" if isinstance(sent, dict) else None)
        await caller.send(update())
        await caller.until("session.updated")
    assert not await rows(LiveSession.objects.exists)


async def test_half_a_character_is_told_back_as_an_escape(gina: User) -> None:
    async with calling(await key_of(gina)) as caller:
        await caller.until("session.created")
        await caller.send({"type": "\ud800", "event_id": "\udfff"})
        text = (await caller.socket.receive_output(timeout=40))["text"]
        assert text.encode().isascii()
        assert json.loads(text)["error"]["event_id"] == "\udfff"
        await caller.send(update())
        await caller.until("session.updated")


async def test_an_update_that_can_not_be_changes_nothing(gina: User) -> None:
    async with calling(await key_of(gina)) as caller:
        await caller.until("session.created")
        await caller.send(update(transcription={"language": "xx"}))
        assert (await caller.error())["param"] == "session.audio.input.transcription.language"
        await caller.send({"type": "session.update", "session": {"type": "transcription"}})
        told = (await caller.until("session.updated"))["session"]["audio"]["input"]
    assert (told["format"], told["transcription"]["language"]) == ({"type": "audio/pcm", "rate": 24_000}, None)


async def test_nothing_to_clear_is_cleared(gina: User) -> None:
    async with calling(await key_of(gina)) as caller:
        await caller.send({"type": "input_audio_buffer.clear"})
        await caller.until("input_audio_buffer.cleared")


async def test_without_a_live_process_the_first_sound_is_told_so(gina: User) -> None:
    async with calling(await key_of(gina)) as caller:
        await caller.send(append(loud(0.5)))
        error = await caller.error()
        await caller.until("end")
    assert (error["type"], caller.code) == ("server_error", 4500)


async def test_where_live_sessions_are_switched_off_that_is_told(gina: User, settings: Any) -> None:
    settings.TOOLS = replace(settings.TOOLS, live_workers=0)
    async with calling(await key_of(gina)) as caller:
        assert (await caller.error())["code"] == "unavailable"


async def test_who_has_no_minutes_left_is_told_so(gina: User) -> None:
    gina.monthly_minutes = 0
    await rows(gina.save)
    async with calling(await key_of(gina)) as caller:
        await caller.send(append(loud(0.5)))
        assert (await caller.error())["code"] == "insufficient_quota"


async def test_a_key_that_is_revoked_ends_the_session(gina: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_socket, "LOOK_SECONDS", 0.2)
    async with calling(await key_of(gina)) as caller:
        await caller.until("session.created")
        await rows(lambda: tokens.revoke(PersonalToken.objects.get()))
        assert (await caller.error())["code"] == "invalid_api_key"
        await caller.until("end")
    assert caller.code == 3000
