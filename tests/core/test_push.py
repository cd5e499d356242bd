"""Pushing to pages is best effort: a broker that hangs holds up nobody and fills no memory."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from whisper_jobs import broadcast


class Hanging:
    """A channel layer whose broker took the connection and never answers."""

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await asyncio.sleep(3600)


def test_a_broker_that_hangs_lets_no_line_of_pushes_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "get_channel_layer", Hanging)
    monkeypatch.setattr(broadcast, "PUSH_SECONDS", 0.2)
    for _ in range(20):
        broadcast.push([("queue.all", {"type": "change"})])
    broadcast.flush(1.0)
