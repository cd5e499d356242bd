"""A Realtime client in the test's own loop: it sends events and notes what it is told."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
from channels.testing import WebsocketCommunicator

from accounts import tokens
from accounts.models import User
from config.asgi import application
from tests.hearing.talking import SECOND, Client, Json, rows
from whisper_jobs.speech.windows import Pcm

PATH = "/v1/realtime"
TRANSCRIPTION = "conversation.item.input_audio_transcription"
DELTA, COMPLETED = f"{TRANSCRIPTION}.delta", f"{TRANSCRIPTION}.completed"
PIECE = SECOND // 5


def append(sound: Pcm) -> Json:
    return {"type": "input_audio_buffer.append", "audio": base64.b64encode(sound.tobytes()).decode()}


def update(**heard: Any) -> Json:
    """A session.update; the sound of these tests has 16,000 samples a second."""
    heard = {"format": {"type": "audio/pcm", "rate": SECOND}, **heard}
    return {"type": "session.update", "session": {"type": "transcription", "audio": {"input": heard}}}


class Caller(Client):
    protocol: str | None = None

    async def speak(self, sound: Pcm) -> None:
        for start in range(0, len(sound), PIECE):
            await self.send(append(sound[start : start + PIECE]))

    async def commit(self) -> None:
        await self.send({"type": "input_audio_buffer.commit"})

    async def error(self) -> Json:
        error: Json = (await self.until("error"))["error"]
        assert set(error) == {"type", "code", "message", "param", "event_id"}
        return error

    def of(self, kind: str) -> list[Json]:
        return [one for one in self.told if one["type"] == kind]

    def words_of(self, item_id: str) -> str:
        return "".join(one["delta"] for one in self.of(DELTA) if one["item_id"] == item_id)

    @property
    def kinds(self) -> list[str]:
        return [one["type"] for one in self.told]


async def key_of(user: User, **more: Any) -> str:
    token: str = await rows(lambda: tokens.create(user, tokens.API, **more).token)
    return token


@contextlib.asynccontextmanager
async def calling(
    key: str | None, *, query: str = "?intent=transcription", protocols: tuple[str, ...] = (), before: bool = False
) -> AsyncIterator[Caller]:
    headers = [(b"host", b"testserver")]
    headers += [(b"authorization", f"Bearer {key}".encode())] if key is not None else []
    headers += [(b"openai-beta", b"realtime=v1")] if before else []
    socket = WebsocketCommunicator(application, PATH + query, headers=headers, subprotocols=list(protocols))
    is_open, protocol = await socket.connect(timeout=10)
    assert is_open
    caller = Caller(socket)
    caller.protocol = protocol
    try:
        yield caller
    finally:
        await socket.disconnect(timeout=20)


@contextlib.asynccontextmanager
async def session(user: User, **heard: Any) -> AsyncIterator[Caller]:
    """One that is set to 16 kHz, and to what else is given."""
    async with calling(await key_of(user)) as caller:
        await caller.until("session.created")
        await caller.send(update(**heard))
        await caller.until("session.updated")
        yield caller


def loud(seconds: float) -> Pcm:
    return (np.random.default_rng(1).integers(-9000, 9000, round(seconds * SECOND))).astype(np.int16)
