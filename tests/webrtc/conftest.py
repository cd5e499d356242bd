"""A live process beside the test, in a thread with a loop of its own, on a socket that nobody else has."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from channels.db import database_sync_to_async
from django.db import connections

from whisper_jobs.hearing.server import Live
from whisper_jobs.hearing.sessions import Sessions

T = TypeVar("T")
ROOT = "/v1/modules/scaiecho/stream/transcribe/webrtc/sessions"


async def in_thread(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """A request that another process would answer; its database connection ends with it."""

    def done() -> T:
        try:
            return work(*args, **kwargs)
        finally:
            connections.close_all()

    return await asyncio.to_thread(done)


class RunningLive(threading.Thread):
    """`Live` until it is stopped; what is in `folder` stays for the next one."""

    def __init__(self, folder: Path, address: str, name: str = "live") -> None:
        super().__init__(daemon=True)
        self.folder, self.address, self.process = folder, address, name
        self._ready = threading.Event()

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        self.live = Live(Sessions(self.folder, self.process))
        async with self.live.listening(self.address):
            self._ready.set()
            await self._stopped.wait()
        await database_sync_to_async(connections.close_all)()

    def __enter__(self) -> RunningLive:
        self.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self.join(20)


@pytest.fixture
def place(settings: Any, transactional_db: None) -> Iterator[Path]:
    """Where a live process of this test listens and keeps what it hears."""
    # A socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="live-") as folder:
        settings.TOOLS = replace(settings.TOOLS, data_dir=Path(folder), live_workers=1, live_resume_seconds=2.0)
        (Path(folder) / "run").mkdir()
        yield Path(folder)


@pytest.fixture
def live(place: Path, settings: Any) -> Iterator[RunningLive]:
    with RunningLive(place, settings.TOOLS.live_listener) as running:
        yield running
