"""Figure 8: 500 open pages of one job on one web process: from a commit in another process until the change is on each page.

Then the same with 500 queue pages. The changes are a fetch step's progress, written through lifecycle as a worker writes it; the
moment of the commit is taken by a hook that runs before the push. All clocks are the machine's monotonic one.
"""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import time
from collections.abc import Iterator
from os import kill
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.figure import Line, Options, at_most, exactly, percentile, told
from benchmarks.server import Server, python

TITLE = "Sockets"
PAGES, QUICK_PAGES = 500, 100
CHANGES, QUICK_CHANGES = 100, 20
PAUSE_SECONDS = 0.5
OPEN_AT_ONCE = 20
#: After the last change, pages that have not got everything wait for so long.
PATIENCE_SECONDS = 10.0
OPEN_FILES = 8192
MARK = "change number "


def measure(options: Options) -> list[Line]:
    _allow_many_files()
    pages = QUICK_PAGES if options.quick else PAGES
    changes = QUICK_CHANGES if options.quick else CHANGES
    with Server(options.folder / "data", TOOLS_FETCH_WORKERS="1") as server:
        # A worker that is asleep leaves the job's first step to the process that plays it.
        kill(server.pids()["worker-fetch-1"], signal.SIGSTOP)
        job = server.admin.submit_url("http://127.0.0.1:9/recording.wav")
        paths = {"job": f"/ws/whisper/jobs/{job}", "queue": "/ws/whisper/queue"}
        lines = [line for what, path in paths.items() for line in _compare(server, what, path, (pages, changes))]
        kill(server.pids()["worker-fetch-1"], signal.SIGCONT)
    return lines


def _allow_many_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(OPEN_FILES, hard), hard))


def _compare(server: Server, what: str, path: str, size: tuple[int, int]) -> Iterator[Line]:
    pages, changes = size
    arrived, committed = asyncio.run(_watch(server, path, pages=pages, changes=changes))
    times = [1000 * (at - committed[number]) for page in arrived for number, at in page.items()]
    got = sum(len(page) for page in arrived)
    spread = f"median {percentile(times, 0.5):.0f} ms, slowest {max(times):.0f} ms"
    yield at_most(f"{pages} pages of the {what}: p99", 250, [percentile(times, 0.99)], unit=" ms", spread=spread)
    yield exactly(f"{pages} pages of the {what}: changes that arrived", pages * changes, got)
    yield told(f"{pages} pages of the {what}: memory of the web process", f"{_memory_mb(server):.0f} MB")


async def _watch(
    server: Server, path: str, *, pages: int, changes: int
) -> tuple[list[dict[int, float]], dict[int, float]]:
    """For each page the times at which each change arrived, and the times of the commits."""
    arrived: list[dict[int, float]] = [{} for _ in range(pages)]
    opened = await _open(server, path, pages)
    readers = [asyncio.create_task(_read(page, seen)) for page, seen in zip(opened, arrived, strict=True)]
    try:
        committed = await asyncio.to_thread(_write, server, changes)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while any(len(seen) < changes for seen in arrived) and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
    finally:
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*(page.close() for page in opened), return_exceptions=True)
    return arrived, committed


async def _open(server: Server, path: str, pages: int) -> list[ClientConnection]:
    """Opens the pages and waits for the snapshot of each."""
    turn = asyncio.Semaphore(OPEN_AT_ONCE)
    headers = {"Authorization": f"Bearer {server.admin.token()}"}

    async def one() -> ClientConnection:
        async with turn:
            page = await connect(
                f"ws://127.0.0.1:{server.port}{path}",
                additional_headers=headers,
                compression=None,
                open_timeout=60,
                ping_interval=None,
            )
            assert json.loads(await page.recv())["type"] == "snapshot"
            return page

    return list(await asyncio.gather(*(one() for _ in range(pages))))


async def _read(page: ClientConnection, seen: dict[int, float]) -> None:
    """Notes when a change came. Looks for its mark only: parsing 500 messages at once would be measured too."""
    async for text in page:
        now = time.monotonic()
        _, found, rest = str(text).partition(MARK)
        if found:
            seen.setdefault(int(rest.split(maxsplit=1)[0]), now)


def _write(server: Server, changes: int) -> dict[int, float]:
    writer = python(
        "-m",
        "benchmarks.writer",
        str(changes),
        str(PAUSE_SECONDS),
        **{**server.variables, "DJANGO_SETTINGS_MODULE": "config.settings"},
    )
    said, _ = writer.communicate(timeout=60 + 2 * changes * PAUSE_SECONDS)
    if writer.returncode:
        raise RuntimeError("the writing process failed")
    return {int(number): at for number, at in json.loads(said).items()}


def _memory_mb(server: Server) -> float:
    lines = Path(f"/proc/{server.pids()['web']}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024
