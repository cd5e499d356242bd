"""A live process in the test's own loop, an ear in a thread, and sound that has speech in it with words that are fingerprints."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import User
from config.asgi import application
from whisper_jobs import presence
from whisper_jobs.hearing import client, ear, wire
from whisper_jobs.hearing.server import Live
from whisper_jobs.hearing.sessions import Sessions
from whisper_jobs.media.resampling import Converter
from whisper_jobs.models import Segment
from whisper_jobs.speech.windows import Pcm

PATH = "/v1/modules/scaiecho/stream/transcribe"
OPEN: dict[str, Any] = {"type": "open", "media_type": "audio/pcm", "sample_rate": 16_000, "chunk_seconds": 1.0}
ROOT = Path(__file__).resolve().parents[2]
SECOND = 16_000
PIECE = SECOND // 2
Json = dict[str, Any]


@contextlib.asynccontextmanager
async def live(folder: Path, *, name: str = "") -> AsyncIterator[Live]:
    """The live process on the socket that the settings name."""
    folder.mkdir(exist_ok=True)
    Path(settings.TOOLS.socket_path).parent.mkdir(parents=True, exist_ok=True)
    here = Live(Sessions(folder, name or presence.me().name))
    async with here.listening(settings.TOOLS.live_listener):
        yield here


@contextlib.contextmanager
def an_ear() -> Iterator[threading.Thread]:
    """One that works until its line ends."""
    connection = client.dial(5.0)
    connection.settimeout(0.2)
    thread = threading.Thread(target=_listen, args=(connection,), daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        with contextlib.suppress(OSError):
            connection.shutdown(2)
        connection.close()


def _listen(connection: Any) -> None:
    with contextlib.suppress(wire.Broken, OSError):
        ear.serve(wire.Wire(connection))


async def with_ear() -> Any:
    """The greeting needs the loop, so that the ear is dialled in a thread."""
    manager = an_ear()
    await asyncio.to_thread(manager.__enter__)
    return manager


@cache
def speech() -> Pcm:
    """The sample of the pages: two people talk for half a minute."""
    converter = Converter()
    pieces: list[bytes] = []
    with av.open(str(ROOT / "static" / "sample" / "two-voices.mp3")) as file:
        for frame in file.decode(audio=0):
            pieces += converter.convert(frame)
    return np.frombuffer(b"".join([*pieces, *converter.flush()]), np.int16)


def silence(seconds: float) -> Pcm:
    return np.zeros(round(seconds * SECOND), np.int16)


class Client:
    """One socket, and what it was told."""

    def __init__(self, socket: WebsocketCommunicator) -> None:
        self.socket = socket
        self.told: list[Json] = []
        self.code: int | None = None

    async def send(self, message: Json | str | bytes) -> None:
        if isinstance(message, bytes):
            await self.socket.send_to(bytes_data=message)
        else:
            await self.socket.send_to(text_data=message if isinstance(message, str) else json.dumps(message))

    async def speak(self, sound: Pcm) -> None:
        for start in range(0, len(sound), PIECE):
            await self.send(sound[start : start + PIECE].tobytes())

    async def until(self, *kinds: str, seconds: float = 40) -> Json:
        """The first message of one of these kinds; `end` is the end of the socket."""
        while True:
            output = await self.socket.receive_output(timeout=seconds)
            if output["type"] == "websocket.close":
                self.code = output["code"]
                assert "end" in kinds, f"closed with {self.code} after {self.told[-3:]}"
                return {}
            message: Json = json.loads(output["text"])
            self.told.append(message)
            if message["type"] in kinds:
                return message

    @property
    def finals(self) -> list[Json]:
        return [one for one in self.told if one["type"] == "delta" and one["is_final"]]

    @property
    def text(self) -> str:
        return " ".join(one["text"] for one in self.finals)


@contextlib.asynccontextmanager
async def calling(
    user: User | None, *, query: str = "", headers: dict[str, str] | None = None
) -> AsyncIterator[Client]:
    given = {"authorization": f"Bearer {AccessToken.for_user(user)}"} if user else {}
    told = [(name.encode(), value.encode()) for name, value in {**given, **(headers or {})}.items()]
    socket = WebsocketCommunicator(application, PATH + query, headers=[(b"host", b"testserver"), *told])
    assert (await socket.connect(timeout=5))[0]
    try:
        yield Client(socket)
    finally:
        await socket.disconnect(timeout=20)


@contextlib.asynccontextmanager
async def streaming(user: User, **fields: Any) -> AsyncIterator[Client]:
    """A session that is open."""
    async with calling(user) as client:
        await client.send({**OPEN, **fields})
        await client.until("ready")
        yield client


async def rows(query: Callable[[], Any]) -> Any:
    return await sync_to_async(query)()


async def settled(fact: Callable[[], Any], *, seconds: float = 10.0) -> Any:
    """What `fact` says as soon as it says something."""
    async with asyncio.timeout(seconds):
        while not (found := await rows(fact)):
            await asyncio.sleep(0.05)
    return found


def words_of(job_id: int) -> str:
    return " ".join(one.text for one in Segment.objects.filter(job=job_id).order_by("start", "id"))


async def refused(client: Client, message: Json | str | bytes) -> tuple[str, int | None]:
    """The error's code and the socket's, after a message that ends it."""
    await client.send(message)
    error = await client.until("error")
    await client.until("end")
    return error["code"], client.code
