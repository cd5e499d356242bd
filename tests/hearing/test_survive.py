"""A whole server while somebody speaks: whatever part of it is killed, nothing that was heard is lost or heard twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.server import Server
from tests.hearing.frames import BINARY, TEXT, handshake, masked
from tests.hearing.talking import SECOND, Json, speech
from tests.serve.ports import wait_until
from tests.serve.prepared import prepare
from whisper_jobs.speech.windows import Pcm

pytestmark = pytest.mark.serve
OPEN: Json = {"type": "open", "media_type": "audio/pcm", "chunk_seconds": 1.0}
PATH = "/v1/modules/scaiecho/stream/transcribe"
PIECE = SECOND // 5


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    clockwork = {"TOOLS_DEFAULT_MODEL": "clockwork", "CLOCKWORK_FACTOR": "0"}
    with Server(prepare(tmp_path_factory.mktemp("hearing") / "data"), **clockwork) as running:
        yield running


class Speaker:
    """A client that speaks, and notes what it is told."""

    def __init__(self, line: ClientConnection) -> None:
        self.line = line
        self.told: list[Json] = []

    @property
    def code(self) -> int | None:
        return self.line.close_code

    async def send(self, message: Json) -> None:
        await self.line.send(json.dumps(message))

    async def speak(self, sound: Pcm, *, pause: float = 0.0) -> None:
        for start in range(0, len(sound), PIECE):
            await self.line.send(sound[start : start + PIECE].tobytes())
            await asyncio.sleep(pause)

    async def until(self, *kinds: str, seconds: float = 30.0) -> Json:
        async with asyncio.timeout(seconds):
            while True:
                message: Json = json.loads(await self.line.recv())
                self.told.append(message)
                if message["type"] in kinds:
                    return message

    async def first_final(self) -> None:
        while not (await self.until("delta"))["is_final"]:
            pass

    async def end(self) -> None:
        with pytest.raises(ConnectionClosed):
            await self.until("nothing of this kind")

    @property
    def text(self) -> str:
        return " ".join(one["text"] for one in self.told if one["type"] == "delta" and one["is_final"])


@asynccontextmanager
async def speaking(server: Server, **more: Any) -> AsyncIterator[Speaker]:
    url = f"ws://127.0.0.1:{server.port}{PATH}?token={await asyncio.to_thread(server.admin.token)}"
    async with connect(url, max_queue=None, **more) as line:
        yield Speaker(line)


@asynccontextmanager
async def opened(server: Server, **fields: Any) -> AsyncIterator[Speaker]:
    async with speaking(server) as speaker:
        await speaker.send({**OPEN, **fields})
        await speaker.until("ready")
        yield speaker


def kill(server: Server, name: str) -> None:
    before = server.pids()[name]
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: server.pids().get(name) not in (None, before), f"{name} is started again")
    wait_until(lambda: server.is_up("/readyz"), "all is ready")


def text_of(server: Server, job_id: int) -> str:
    query = "SELECT text FROM whisper_segment WHERE job_id = ? ORDER BY start, id"
    return " ".join(text for (text,) in server.rows(query, job_id))


def job_of(server: Server, session_id: str) -> int:
    """The job that the session becomes."""
    key = session_id.replace("-", "")
    found: list[Any] = []

    def is_there() -> bool:
        found[:] = server.rows("SELECT job_id FROM whisper_livesession WHERE id = ? AND job_id IS NOT NULL", key)
        return bool(found)

    wait_until(is_there, "the session is a recording", seconds=120)
    return int(found[0][0])


def test_a_session_becomes_a_recording_with_the_words_that_were_told(server: Server) -> None:
    async def talk() -> tuple[Speaker, Json]:
        async with opened(server) as speaker:
            await speaker.speak(speech(), pause=0.01)
            await speaker.send({"type": "close"})
            closed = await speaker.until("closed")
            await speaker.end()
            return speaker, closed

    speaker, closed = asyncio.run(talk())
    assert speaker.code == 1000
    server.wait(int(closed["job_id"]), seconds=60)
    assert text_of(server, int(closed["job_id"])) == speaker.text
    told = server.admin.get(f"/api/whisper/jobs/{closed['job_id']}")["job"]
    assert told["status"] == "completed"


def test_a_live_process_that_is_killed_loses_nothing_that_it_had_heard(server: Server) -> None:
    async def talk() -> Speaker:
        async with opened(server) as speaker:
            await speaker.speak(speech(), pause=0.01)
            await speaker.first_final()
            await asyncio.sleep(1.0)
            await asyncio.to_thread(kill, server, "live")
            await speaker.until("error")
            await speaker.end()
            return speaker

    speaker = asyncio.run(talk())
    assert (speaker.told[-1]["code"], speaker.code) == ("SCAIECHO_STREAM_FAILED", 4500)
    job_id = job_of(server, speaker.told[0]["session_id"])
    server.wait(job_id, seconds=60)
    (duration,) = server.rows("SELECT source_duration_seconds FROM whisper_job WHERE id = ?", job_id)[0]
    assert duration == pytest.approx(len(speech()) / SECOND, abs=0.01)
    windows = server.rows(
        "SELECT start_seconds, end_seconds FROM whisper_step WHERE job_id = ? AND kind = 'window' ORDER BY 1", job_id
    )
    assert all(end <= start for (_, end), (start, _) in pairwise(windows)), "no sound twice"
    assert text_of(server, job_id).startswith(speaker.text)


def test_an_ear_that_is_killed_is_replaced_and_the_session_goes_on(server: Server) -> None:
    async def talk() -> tuple[Speaker, Json]:
        async with opened(server) as speaker:
            await speaker.speak(speech()[: 10 * SECOND], pause=0.01)
            await asyncio.to_thread(kill, server, "live-ear-1")
            await speaker.speak(speech()[10 * SECOND :], pause=0.01)
            await speaker.send({"type": "close"})
            return speaker, await speaker.until("closed")

    speaker, closed = asyncio.run(talk())
    assert text_of(server, int(closed["job_id"])) == speaker.text
    assert len(speaker.text.split()) > 30


def test_a_client_comes_back_after_the_web_process_was_killed(server: Server) -> None:
    async def first() -> Speaker:
        async with opened(server) as speaker:
            await speaker.speak(speech()[: 15 * SECOND], pause=0.01)
            await speaker.first_final()
            await asyncio.sleep(0.5)
            await asyncio.to_thread(kill, server, "web")
            await speaker.end()
            return speaker

    async def second(before: Speaker) -> tuple[Speaker, Json]:
        after = max(one["end"] for one in before.told if one["type"] == "delta" and one["is_final"])
        async with speaking(server) as speaker:
            await speaker.send({"type": "open", "resume": before.told[0]["session_id"], "after": after})
            ready = await speaker.until("ready")
            await speaker.speak(speech()[ready["audio_bytes"] // 2 :], pause=0.01)
            await speaker.send({"type": "close"})
            return speaker, await speaker.until("closed")

    before = asyncio.run(first())
    speaker, closed = asyncio.run(second(before))
    assert closed["audio_bytes"] == speech().nbytes
    assert text_of(server, int(closed["job_id"])) == f"{before.text} {speaker.text}"


def test_a_frame_of_a_gigabyte_is_refused_by_its_head(server: Server) -> None:
    web = psutil.Process(server.pids()["web"])
    before = web.memory_info().rss

    async def talk() -> Speaker:
        async with opened(server) as speaker:
            head = b"\x82\xff" + (1 << 30).to_bytes(8) + b"mask"
            speaker.line.transport.write(head + bytes(1 << 20))
            await speaker.end()
            return speaker

    assert asyncio.run(talk()).code in (1009, 1006)
    assert web.memory_info().rss - before < 20 << 20
    assert server.is_up("/readyz")


def test_a_client_that_never_reads_costs_no_memory_and_keeps_its_session(server: Server) -> None:
    """Its words come at a hundred times the speed of speech, and none of them is taken."""
    processes = {name: psutil.Process(server.pids()[name]) for name in ("web", "live")}
    before = {name: process.memory_info().rss for name, process in processes.items()}
    token = server.admin.token()
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(handshake(f"{PATH}?token={token}"))
        assert line.recv(4096).startswith(b"HTTP/1.1 101")
        line.sendall(masked(TEXT, json.dumps(OPEN).encode()))
        sound = speech().tobytes()
        for start in range(0, 20 * len(sound), 2 * SECOND):
            line.sendall(masked(BINARY, sound[start % len(sound) : start % len(sound) + 2 * SECOND]))
        for name, process in processes.items():
            assert process.memory_info().rss - before[name] < 60 << 20, name
    (session_id,) = server.rows("SELECT id FROM whisper_livesession ORDER BY created_at DESC LIMIT 1")[0]
    server.wait(job_of(server, session_id), seconds=120)


def test_a_server_that_is_told_to_stop_makes_the_recording_when_it_is_back(tmp_path: Path) -> None:
    clockwork = {"TOOLS_DEFAULT_MODEL": "clockwork", "CLOCKWORK_FACTOR": "0"}

    async def talk(server: Server) -> Speaker:
        async with opened(server) as speaker:
            await speaker.speak(speech()[: 10 * SECOND], pause=0.01)
            await speaker.first_final()
            server.process.terminate()
            await speaker.end()
            return speaker

    with Server(prepare(tmp_path / "data"), **clockwork) as first:
        speaker = asyncio.run(talk(first))
        first.process.wait(20)
    with Server(tmp_path / "data", **clockwork) as again:
        job_id = job_of(again, speaker.told[0]["session_id"])
        again.wait(job_id, seconds=60)
        assert text_of(again, job_id).startswith(speaker.text)
