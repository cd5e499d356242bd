"""Many clients that speak to one server at once, each in real time over a WebSocket. Used by the figure “live”."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.figure import Line, Options, at_most, exactly, percentile, told
from benchmarks.server import Server
from benchmarks.sound import Pcm, speech
from whisper_jobs.speech.engines.base import SAMPLE_RATE

CLIENTS, QUICK_CLIENTS = 20, 3
SECONDS, QUICK_SECONDS = 120.0, 20.0
CHUNK_SECONDS, PIECE_SECONDS = 2.0, 0.1
WORKERS = 2
#: Behind the last sound, for the words that are still to come.
PATIENCE_SECONDS = 120.0
PATH = "/v1/modules/scaiecho/stream/transcribe"
MOST_LAG_SECONDS = 10.0


@dataclass(slots=True)
class Client:
    """What one of them got: each message with the seconds since its first sound."""

    messages: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    problem: str = ""

    @property
    def deltas(self) -> list[tuple[float, dict[str, Any]]]:
        return [(at, each) for at, each in self.messages if each["type"] == "delta"]

    @property
    def words(self) -> list[str]:
        return " ".join(each["text"] for _, each in self.deltas if each["is_final"]).split()

    @property
    def job(self) -> int | None:
        jobs = [each["job_id"] for _, each in self.messages if each["type"] == "closed" and each.get("job_id")]
        return int(jobs[-1]) if jobs else None

    def age(self, *, is_final: bool) -> Iterator[float]:
        """How long ago that was said which a delta tells last."""
        return (at - each["end"] for at, each in self.deltas if each["is_final"] is is_final and each["text"])


def measure(options: Options) -> list[Line]:
    count, seconds = (QUICK_CLIENTS, QUICK_SECONDS) if options.quick else (CLIENTS, SECONDS)
    with Server(options.folder / "data", TOOLS_LIVE_WORKERS=str(WORKERS)) as server:
        # The first session waits for the engine's weights, which is measured nowhere.
        asyncio.run(_all(server, options.audio, 1, 3.0))
        clients = asyncio.run(_all(server, options.audio, count, seconds))
        other = sum(_differs(server, client) for client in clients)
    return [*_lines(clients, count, seconds), exactly(f"{count} sessions: recordings with other words", 0, other)]


async def _all(server: Server, audio: Path | None, count: int, seconds: float) -> list[Client]:
    """Each with another part of the recordings, and all at once."""
    sounds = [speech(audio, seconds, skip=seconds * number) for number in range(count)]
    token = await asyncio.to_thread(server.admin.token)
    return list(await asyncio.gather(*(_client(server, token, sound) for sound in sounds)))


async def _client(server: Server, token: str, samples: Pcm) -> Client:
    client = Client()
    try:
        async with connect(
            f"ws://127.0.0.1:{server.port}{PATH}",
            additional_headers={"Authorization": f"Bearer {token}"},
            compression=None,
            open_timeout=60,
        ) as line:
            await _speak(line, client, samples)
    except (OSError, ConnectionClosed, TimeoutError, RuntimeError) as error:
        client.problem = repr(error)
    return client


async def _speak(line: ClientConnection, client: Client, samples: Pcm) -> None:
    opened = {
        "media_type": "audio/pcm",
        "sample_rate": SAMPLE_RATE,
        "chunk_seconds": CHUNK_SECONDS,
        "language_hint": "en",
    }
    await line.send(json.dumps({"type": "open", **opened}))
    ready = json.loads(await asyncio.wait_for(line.recv(), 60))
    if ready["type"] != "ready":
        raise RuntimeError(str(ready))
    began = time.monotonic()
    listening = asyncio.create_task(_listen(line, client, began))
    try:
        await _send(line, samples, began)
        await line.send(json.dumps({"type": "close"}))
        await asyncio.wait_for(listening, PATIENCE_SECONDS)
    finally:
        listening.cancel()


async def _send(line: ClientConnection, samples: Pcm, began: float) -> None:
    step = round(PIECE_SECONDS * SAMPLE_RATE)
    for at in range(0, len(samples), step):
        # A piece can be sent when its last sample has been said.
        await asyncio.sleep(max(0.0, began + (at + step) / SAMPLE_RATE - time.monotonic()))
        await line.send(samples[at : at + step].tobytes())


async def _listen(line: ClientConnection, client: Client, began: float) -> None:
    async for text in line:
        message = json.loads(text)
        client.messages.append((time.monotonic() - began, message))
        if message["type"] in ("closed", "error"):
            return


def _lines(clients: Sequence[Client], count: int, seconds: float) -> Iterator[Line]:
    dropped = [client.problem or "an error was told" for client in clients if client.job is None]
    yield exactly(f"{count} sessions: dropped", 0, len(dropped), spread="; ".join(sorted(set(dropped))))
    lags = [each["lag_seconds"] for client in clients for _, each in client.deltas]
    late = [each["lag_seconds"] for client in clients for at, each in client.deltas if at > seconds * 2 / 3]
    if not lags:
        yield told(f"{count} sessions: lag", "no words were told")
        return
    spread = f"median {percentile(lags, 0.5):.2f} s, most {max(lags):.1f} s; the last third {_p95(late)}"
    yield at_most(f"{count} sessions: lag, p95", MOST_LAG_SECONDS, [percentile(lags, 0.95)], spread=spread, unit=" s")
    for what, is_final in (("shown", False), ("final", True)):
        ages = [age for client in clients for age in client.age(is_final=is_final)]
        middle = f"{percentile(ages, 0.5):.2f} s" if ages else "none"
        yield told(f"{count} sessions: from the last sound of words until they are {what}", middle, f"p95 {_p95(ages)}")


def _p95(values: Sequence[float]) -> str:
    return f"{percentile(values, 0.95):.2f} s" if values else "none"


def _differs(server: Server, client: Client) -> bool:
    """Whether the recording that a session became has other words than the session told."""
    if client.job is None:
        return True
    server.wait(client.job, seconds=300)
    told = server.admin.get(f"/api/whisper/jobs/{client.job}")["job"]["transcript_text"]
    return bool(str(told or "").split() != client.words)
