"""The control socket: words of a session whose sound comes over WebRTC, from a real client to a real live process and its ear."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import User
from config.asgi import application
from tests.conftest import person
from tests.hearing.conftest import _quick as _quick
from tests.hearing.conftest import dora as dora
from tests.hearing.conftest import house as house
from tests.hearing.conftest import no_connection_left as no_connection_left
from tests.hearing.talking import SECOND, speech
from tests.webrtc.clients import accept, client, offer_of
from tests.webrtc.conftest import ROOT, in_thread
from whisper_jobs.dialects.scaiecho import webrtc_control
from whisper_jobs.hearing.server import Live
from whisper_jobs.models import Job, LiveSession, Segment

pytestmark = [
    pytest.mark.engine,
    pytest.mark.asyncio,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_connection_left"),
    pytest.mark.timeout(240),
]
Json = dict[str, Any]


@asynccontextmanager
async def control(user: User | None, session_id: str, query: str = "") -> AsyncIterator[WebsocketCommunicator]:
    headers = [(b"authorization", f"Bearer {AccessToken.for_user(user)}".encode())] if user else []
    socket = WebsocketCommunicator(application, f"{ROOT}/{session_id}/control{query}", headers=headers)
    connected, _protocol = await socket.connect(timeout=20)
    assert connected
    try:
        yield socket
    finally:
        await socket.disconnect()


async def until(socket: WebsocketCommunicator, kind: str, *, is_final: bool = False) -> Json:
    async with asyncio.timeout(90):
        while True:
            message = await socket.receive_output(timeout=90)
            if message["type"] == "websocket.close":
                told: Json = {"type": "end", "code": message["code"]}
            else:
                told = json.loads(message["text"])
            if told["type"] == kind and (not is_final or told["is_final"]):
                return told
            assert told["type"] != "end", told


async def post(user: User, path: str = "", **body: Any) -> Json:
    page = APIClient()
    page.force_authenticate(user)
    answer = await in_thread(page.post, f"{ROOT}{path}", body, format="json")
    assert answer.status_code < 300, answer.content
    found: Json = answer.json()["data"]
    return found


async def made(user: User) -> str:
    return str((await post(user, chunk_seconds=1.0))["session_id"])


async def connect(user: User, session_id: str, peer: Any) -> None:
    answer = await post(user, f"/{session_id}/offer", type="offer", sdp=await offer_of(peer))
    await accept(peer, answer["sdp"])


async def test_words_arrive_while_somebody_speaks_and_the_end_names_the_recording(house: Live, dora: User) -> None:
    session_id = await made(dora)
    async with control(dora, session_id) as socket, client(sound=speech()[: 12 * SECOND]) as browser:
        await connect(dora, session_id, browser)
        first = await until(socket, "delta", is_final=True)
        assert first["text"] and first["end"] > first["start"] >= 0 and "lag_seconds" in first
        await socket.send_to(text_data='{"type": "close"}')
        closed = await until(socket, "closed")
        assert (await until(socket, "end"))["code"] == 1000
    job = await Job.objects.aget()
    assert closed == {"type": "closed", "audio_bytes": closed["audio_bytes"], "job_id": str(job.pk)}
    assert closed["audio_bytes"] > SECOND
    texts = [text async for text in Segment.objects.filter(job=job).order_by("position").values_list("text", flat=True)]
    assert " ".join(texts).startswith(first["text"])


async def test_a_socket_that_comes_later_is_told_again_what_is_final(house: Live, dora: User) -> None:
    session_id = await made(dora)
    async with client(sound=speech()[: 12 * SECOND]) as browser:
        await connect(dora, session_id, browser)
        async with control(dora, session_id) as socket:
            first = await until(socket, "delta", is_final=True)
        async with control(dora, session_id, "?after=0") as socket:
            again = await until(socket, "delta", is_final=True)
        assert (again["start"], again["text"]) == (first["start"], first["text"])


async def test_a_session_is_closed_before_anybody_came(house: Live, dora: User) -> None:
    session_id = await made(dora)
    async with control(dora, session_id) as socket:
        await socket.send_to(text_data='{"type": "close"}')
        assert await until(socket, "closed") == {"type": "closed", "audio_bytes": 0, "job_id": None}
        assert (await until(socket, "end"))["code"] == 1000
    assert (await LiveSession.objects.aget()).state == "closed"


async def test_an_ended_session_tells_its_recording_once_more(house: Live, dora: User) -> None:
    session_id = await made(dora)
    async with control(dora, session_id) as socket, client(loudness=0.0) as browser:
        await connect(dora, session_id, browser)
        await asyncio.sleep(1.0)
        await socket.send_to(text_data='{"type": "close"}')
        told = await until(socket, "closed")
    async with control(dora, session_id) as socket:
        assert await until(socket, "closed") == told


async def test_an_end_that_nobody_told_is_seen_in_the_row(
    house: Live, dora: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webrtc_control, "ROW_SECONDS", 0.1)
    session_id = await made(dora)
    async with control(dora, session_id) as socket:
        await LiveSession.objects.aupdate(state="lost", closed_at="2026-01-01T00:00:00Z")
        assert (await until(socket, "error"))["code"] == "SCAIECHO_WEBRTC_SESSION_STATE_LOST"


@pytest.mark.parametrize("frame", ["{", "[]", '{"type": 7}', '{"a": NaN}'])
async def test_a_frame_that_can_not_be_read_ends_the_socket_and_not_the_session(
    house: Live, dora: User, frame: str
) -> None:
    session_id = await made(dora)
    async with control(dora, session_id) as socket:
        await socket.send_to(text_data=frame)
        assert (await until(socket, "error"))["code"] == "SCAIECHO_INVALID"
        assert (await until(socket, "end"))["code"] == 4400
    assert (await LiveSession.objects.aget()).state == "created"


async def test_a_stranger_is_sent_away(house: Live, dora: User) -> None:
    async with control(None, await made(dora)) as socket:
        assert (await socket.receive_output(timeout=20)) == {"type": "websocket.close", "code": 4401}


async def test_a_program_without_the_permission_is_sent_away(house: Live, dora: User) -> None:
    weak = await sync_to_async(person)("weak", "whisper.use")
    async with control(weak, await made(weak)) as socket:
        assert (await until(socket, "error"))["code"] == "SCAIECHO_FORBIDDEN"
        assert (await until(socket, "end"))["code"] == 4403


async def test_another_persons_session_is_not_there(house: Live, dora: User) -> None:
    other = await sync_to_async(person)("other", "whisper.use", "scaiecho:transcribe")
    for session_id in (await made(other), str(uuid4()), "none"):
        async with control(dora, session_id) as socket:
            assert (await until(socket, "error"))["code"] == "SCAIECHO_WEBRTC_SESSION_NOT_FOUND"
            assert (await until(socket, "end"))["code"] == 4400


async def test_without_a_live_process_it_is_said(dora: User, settings: Any, tmp_path: Path) -> None:
    session_id = await made(dora)
    settings.TOOLS = replace(settings.TOOLS, data_dir=tmp_path)
    async with control(dora, session_id) as socket:
        assert (await until(socket, "error"))["code"] == "SCAIECHO_BACKEND_UNAVAILABLE"
        assert (await until(socket, "end"))["code"] == 4502
