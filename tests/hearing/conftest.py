"""Settings with which live sessions are quick, and the engine whose words are fingerprints."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.db import connections

from accounts.models import User
from tests.clockwork import FACTOR
from tests.conftest import person
from tests.hearing.talking import live, with_ear
from whisper_jobs.hearing import server
from whisper_jobs.hearing.server import Live
from whisper_jobs.speech.engines import registry


@pytest.fixture(autouse=True)
def _quick(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.ENGINES, "clockwork", "tests.clockwork:Clockwork")
    monkeypatch.setenv(FACTOR, "0")
    # The last word to those who are connected goes no further than this process.
    monkeypatch.setattr(server, "GOODBYE_SECONDS", 0.05)
    settings.TOOLS = replace(settings.TOOLS, default_model="clockwork", live_resume_seconds=0.5)


@pytest_asyncio.fixture
async def no_connection_left() -> AsyncIterator[None]:
    """The thread in which sockets query has a database connection of its own."""
    yield
    await sync_to_async(connections.close_all)()


@pytest.fixture
def dora(db: None) -> User:
    """Somebody whose programs may stream."""
    return person("dora", "whisper.use", "whisper.api", "scaiecho:transcribe")


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[Live]:
    """A live process with one ear."""
    async with live(tmp_path / "live") as here:
        ear = await with_ear()
        try:
            yield here
        finally:
            await asyncio.to_thread(ear.__exit__, None, None, None)
