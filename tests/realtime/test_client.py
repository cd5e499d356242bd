"""The official client against a whole server, speaking in real time: nothing is changed but its base URL and its key."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from typing import Any

import numpy as np
import pytest
from openai import AsyncOpenAI
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.hearing.talking import SECOND, speech
from tests.serve.servers import ADMIN, RunningServer
from whisper_jobs.speech.windows import Pcm

pytestmark = [pytest.mark.serve, pytest.mark.asyncio]
RATE = 24_000
PIECE_SECONDS = 0.2
DELTA = "conversation.item.input_audio_transcription.delta"
COMPLETED = "conversation.item.input_audio_transcription.completed"
TRANSCRIBE = {"intent": "transcription"}
#: On a machine that does other things as well.
PATIENT: Any = {"websocket_connection_options": {"open_timeout": 60}}
#: Of a client that sends what no library would.
TOO_LARGE = 64 * 1024 * 1024


@pytest.fixture(scope="module")
def server(renewed_server: RunningServer) -> RunningServer:
    return renewed_server


@pytest.fixture(scope="module")
def key(server: RunningServer) -> str:
    told = json.loads(server.manage("create_token", ADMIN[0], "--provider", "provider_whisper_api"))
    return str(told["token"])


@pytest.fixture
def client(server: RunningServer, key: str) -> AsyncOpenAI:
    address = f"127.0.0.1:{server.port}/v1"
    # The client of the version before takes wss for granted.
    return AsyncOpenAI(base_url=f"http://{address}", websocket_base_url=f"ws://{address}", api_key=key)


def pcm(seconds: float) -> Pcm:
    """The sample of the pages with 24,000 samples a second, and silence behind it."""
    heard = speech()[: round(seconds * SECOND)]
    places = np.arange(round(seconds * RATE)) * SECOND / RATE
    talk = np.interp(places, np.arange(len(heard)), heard).astype(np.int16)
    return np.concatenate((talk, np.zeros(2 * RATE, np.int16)))


async def speak(connection: Any, sound: Pcm) -> None:
    piece = round(PIECE_SECONDS * RATE)
    for start in range(0, len(sound), piece):
        audio = base64.b64encode(sound[start : start + piece].tobytes()).decode()
        await connection.input_audio_buffer.append(audio=audio)
        await asyncio.sleep(PIECE_SECONDS)


async def speak_and_commit(connection: Any, sound: Pcm) -> None:
    await speak(connection, sound)
    await connection.input_audio_buffer.commit()


async def test_words_come_while_somebody_speaks(client: AsyncOpenAI) -> None:
    heard: dict[str, str] = {}
    completed: dict[str, str] = {}
    items: dict[str, list[str]] = {"input_audio_buffer.speech_stopped": [], "input_audio_buffer.committed": []}
    is_speaking_while: list[bool] = []
    async with asyncio.timeout(120), client.realtime.connect(extra_query=TRANSCRIBE, **PATIENT) as connection:
        transcription: Any = {"model": "gpt-4o-transcribe", "language": "en"}
        await connection.session.update(
            session={"type": "transcription", "audio": {"input": {"transcription": transcription}}}
        )
        speaking = asyncio.create_task(speak_and_commit(connection, pcm(9.0)))
        async for told in connection:
            event: Any = told
            assert event.type != "error", event
            if event.type in items:
                items[event.type].append(event.item_id)
            elif event.type == DELTA:
                is_speaking_while.append(not speaking.done())
                heard[event.item_id] = heard.get(event.item_id, "") + (event.delta or "")
            elif event.type == COMPLETED:
                completed[event.item_id] = event.transcript
                stopped, committed = items.values()
                # The last one is that of the client's own commit.
                if len(committed) == len(stopped) + 1 and len(completed) == len(committed):
                    break
        await speaking
    assert heard == {item: text for item, text in completed.items() if text}
    assert any(is_speaking_while)
    assert len(" ".join(completed.values()).split()) > 5


async def test_the_version_before_commits_by_itself(client: AsyncOpenAI) -> None:
    kinds: list[str] = []
    async with asyncio.timeout(120), client.beta.realtime.connect(model="whisper-1", **PATIENT) as connection:
        await connection.transcription_session.update(
            session={"input_audio_format": "pcm16", "turn_detection": None}  # type: ignore[typeddict-item]
        )
        await speak(connection, pcm(3.0)[: 3 * RATE])
        await connection.input_audio_buffer.commit()
        async for told in connection:
            event: Any = told
            kinds.append(event.type)
            if event.type == COMPLETED:
                assert event.transcript
                break
    assert kinds[:2] == ["transcription_session.created", "transcription_session.updated"]
    assert [kind for kind in kinds[2:] if kind != DELTA] == [
        "input_audio_buffer.committed",
        "conversation.item.created",
        COMPLETED,
    ]


async def test_a_wrong_key_is_told_and_closed_as_openai_does(server: RunningServer) -> None:
    stranger = AsyncOpenAI(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="wrong")
    async with stranger.realtime.connect(extra_query=TRANSCRIBE, **PATIENT) as connection:
        event: Any = await connection.recv()
        assert event.type == "error"
        assert event.error.code == "invalid_api_key"
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 3000


async def test_a_frame_that_is_too_large_closes_the_socket(server: RunningServer, key: str) -> None:
    url = f"ws://127.0.0.1:{server.port}/v1/realtime?intent=transcription"
    async with connect(
        url, additional_headers={"Authorization": f"Bearer {key}"}, max_size=None, open_timeout=60
    ) as line:
        await line.recv()
        with contextlib.suppress(ConnectionClosed):
            await line.send(json.dumps({"type": "input_audio_buffer.append", "audio": "A" * TOO_LARGE}))
        with pytest.raises(ConnectionClosed):
            await line.recv()
    assert line.close_code in (1006, 1009)
