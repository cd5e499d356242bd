"""Figure 2: how soon the first words are on the page of a 30-minute recording, as a share of the time to the last ones.

A socket as the page opens it, from the moment of submitting; the engine is PocketSphinx with one speech worker.
"""

from __future__ import annotations

import asyncio
import json
import time

from websockets.asyncio.client import connect

from benchmarks.figure import Line, Options, at_most, told
from benchmarks.server import Server
from benchmarks.sound import speech, write_wav

TITLE = "First words on the page"
SECONDS, QUICK_SECONDS = 1800, 180
MOST_SECONDS = 3600.0


def measure(options: Options) -> list[Line]:
    seconds = QUICK_SECONDS if options.quick else SECONDS
    file = write_wav(options.folder / "recording.wav", speech(options.audio, seconds))
    with Server(options.folder / "data") as server:
        began = time.monotonic()
        job = server.admin.submit_file(file, model="pocketsphinx", language="en")
        first, last = asyncio.run(_listen(server, job))
    return [
        at_most("first words ÷ last words", 10, [100 * (first - began) / (last - began)], unit=" %"),
        told("first words, seconds", f"{first - began:.1f}"),
        told("last words, seconds", f"{last - began:.1f}"),
    ]


async def _listen(server: Server, job: int) -> tuple[float, float]:
    """When the first and the last segments arrived."""
    url = f"ws://127.0.0.1:{server.port}/ws/whisper/jobs/{job}"
    headers = {"Authorization": f"Bearer {server.admin.token()}"}
    arrived: list[float] = []
    async with asyncio.timeout(MOST_SECONDS), connect(url, additional_headers=headers, max_size=None) as page:
        async for text in page:
            message = json.loads(text)
            if message["type"] == "segments":
                arrived.append(time.monotonic())
            if message.get("job", {}).get("status") == "failed":
                raise RuntimeError(message["job"]["failure_error"])
            if message.get("job", {}).get("status") == "completed":
                break
    return arrived[0], arrived[-1]
