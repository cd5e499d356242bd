"""What the WebSocket of a live session refuses, with which code, and that nothing of it is kept."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

import pytest

from accounts import tokens
from accounts.models import User
from accounts.permissions import grant
from tests.hearing.talking import (
    OPEN,
    SECOND,
    Json,
    calling,
    refused,
    rows,
    settled,
    speech,
    streaming,
)
from whisper_jobs.hearing.server import Live
from whisper_jobs.models import Job, LiveSession
from whisper_jobs.models.live_session import SessionState

pytestmark = [
    pytest.mark.engine,
    pytest.mark.asyncio,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_connection_left"),
]


@pytest.mark.parametrize(
    "fields",
    [
        {"chunk_seconds": 0.4},
        {"chunk_seconds": 60.1},
        {"chunk_seconds": "NaN"},
        {"sample_rate": 7_999},
        {"sample_rate": 48_001},
        {"media_type": "video/mp4"},
        {"media_type": ["audio/wav"]},
        {"language_hint": "eng"},
        {"language_hint": "\x00e"},
        {"language_hint": "zz"},
        {"diarize": "perhaps"},
        {"resume": "nobody"},
    ],
)
async def test_values_that_can_not_be_are_told_and_close_the_socket(house: Live, dora: User, fields: Json) -> None:
    async with calling(dora) as client:
        assert await refused(client, {**OPEN, **fields}) == ("SCAIECHO_INVALID", 4400)
    assert not await rows(LiveSession.objects.exists)


async def test_an_unknown_preference_has_its_own_code(house: Live, dora: User) -> None:
    async with calling(dora) as client:
        told = await refused(client, {**OPEN, "backend_preference": "C"})
    assert told == ("SCAIECHO_BAD_BACKEND_PREFERENCE", 4400)


@pytest.mark.parametrize(
    "frame", ["no JSON", "[]", '{"type": 1}', '{"type": "sing"}', '{"type":"open","chunk_seconds":NaN}']
)
async def test_frames_that_are_none_close_the_socket(house: Live, dora: User, frame: str) -> None:
    async with calling(dora) as client:
        assert await refused(client, frame) == ("SCAIECHO_INVALID", 4400)


async def test_sound_before_open_is_refused(house: Live, dora: User) -> None:
    async with calling(dora) as client:
        assert await refused(client, b"sound") == ("SCAIECHO_INVALID", 4400)


async def test_a_second_open_is_refused_and_what_was_heard_is_kept(house: Live, dora: User) -> None:
    async with streaming(dora) as client:
        await client.speak(speech()[: 5 * SECOND])
        assert await refused(client, OPEN) == ("SCAIECHO_INVALID", 4400)
    assert await settled(lambda: Job.objects.filter(source_duration_seconds=5.0).exists())


async def test_a_stranger_is_sent_away_without_a_word(house: Live, db: None) -> None:
    async with calling(None) as client:
        await client.until("end")
    assert (client.code, client.told) == (4401, [])


@pytest.mark.parametrize("token", ["tw_wrong", "a.b.c", "%00", "%C3%A9"])
async def test_a_wrong_token_in_the_address_is_refused(house: Live, db: None, token: str) -> None:
    async with calling(None, query=f"?token={token}") as client:
        await client.until("end")
    assert (client.code, client.told) == (4401, [])


async def test_a_token_in_the_address_is_as_good_as_in_the_header(house: Live, dora: User) -> None:
    token = await rows(lambda: tokens.create(dora, tokens.API).token)
    async with calling(None, query=f"?token={token}") as client:
        await client.send(OPEN)
        await client.until("ready")


async def test_without_the_permission_it_is_forbidden(house: Live, bob: User) -> None:
    async with calling(bob) as client:
        assert (await client.until("error"))["code"] == "SCAIECHO_FORBIDDEN"
        await client.until("end")
    assert client.code == 4403


async def test_telling_speakers_apart_needs_its_own_permission(house: Live, dora: User) -> None:
    async with calling(dora) as client:
        assert await refused(client, {**OPEN, "diarize": True}) == ("SCAIECHO_FORBIDDEN", 4403)
    await rows(lambda: grant(dora, "scaiecho:diarize"))
    dora = await rows(lambda: User.objects.get(pk=dora.pk))
    async with streaming(dora, diarize=True):
        assert (await rows(LiveSession.objects.get)).diarize


async def test_without_a_live_process_it_is_unavailable(dora: User) -> None:
    async with calling(dora) as client:
        assert await refused(client, OPEN) == ("SCAIECHO_BACKEND_UNAVAILABLE", 4502)


async def test_live_sessions_can_be_switched_off(dora: User, settings: Any) -> None:
    settings.TOOLS = replace(settings.TOOLS, live_workers=0)
    async with calling(dora) as client:
        assert await refused(client, OPEN) == ("SCAIECHO_BACKEND_UNAVAILABLE", 4502)
    assert not await rows(LiveSession.objects.exists)


async def test_there_is_an_end_to_how_many_sessions_there_are(house: Live, dora: User, settings: Any) -> None:
    house.sessions._tools = replace(settings.TOOLS, live_sessions=1)
    async with streaming(dora), calling(dora) as second:
        assert await refused(second, OPEN) == ("SCAIECHO_BACKEND_UNAVAILABLE", 4502)


async def test_nobody_takes_all_places(house: Live, dora: User, admin: User, settings: Any) -> None:
    house.sessions._tools = replace(settings.TOOLS, live_sessions=5)
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(calling(dora)) for _number in range(5)]
        for client in clients:
            await client.send(OPEN)
        told = [(await client.until("ready", "error"))["type"] for client in clients]
        assert (told.count("ready"), told.count("error")) == (4, 1)
        async with streaming(admin):
            assert len(house.sessions.held) == 5


async def test_a_model_that_is_not_here_is_told_before_anything_is_heard(
    house: Live, dora: User, settings: Any
) -> None:
    settings.TOOLS = replace(settings.TOOLS, default_model="large-v3")
    async with calling(dora) as client:
        assert await refused(client, OPEN) == ("SCAIECHO_BACKEND_UNAVAILABLE", 4502)
    row = await rows(LiveSession.objects.get)
    assert row.state == SessionState.CLOSED
    assert row.reason
