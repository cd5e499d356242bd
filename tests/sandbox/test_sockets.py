"""Sockets that a token of the sandbox opens: it hears of the sandbox alone, and speaks to nobody."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator

from accounts.models import User
from config.asgi import application
from tests.core.play import Stage
from tests.native.test_sockets import _broker, _no_connection_left, acting, close_code, socket
from tests.sandbox.conftest import HandIn, Play
from whisper_jobs.live import consumers
from whisper_jobs.sandbox import Script

pytestmark = [pytest.mark.serve, pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]
__all__ = ["_broker", "_no_connection_left"]


def named(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_the_queue_tells_of_its_jobs_and_of_no_others(
    stage: Stage, robin: User, token: str, hand_in: HandIn
) -> None:
    real = await acting(stage.submit, robin, channel="api")
    async with socket(f"jobs/{real.pk}", named(token)) as page:
        assert await close_code(page) == consumers.NOT_VISIBLE
    async with socket("queue", named(token)) as page:
        first = await page.receive_json_from(timeout=5)
        assert (first["jobs"], first["summary"]["queued"]) == ([], 0)
        await acting(stage.submit, robin, channel="api")
        assert await page.receive_nothing(timeout=0.3)
        job = await acting(hand_in, Script(finish_in=None))
        assert (await page.receive_json_from(timeout=5))["job"]["id"] == job.pk


@pytest.mark.parametrize("count", [450, 1001])
async def test_who_watches_gets_the_words_or_is_told_to_read_them(
    robin: User, token: str, hand_in: HandIn, play: Play, count: int
) -> None:
    job = await acting(hand_in, Script(segments=count))
    async with socket(f"jobs/{job.pk}", named(token)) as page:
        assert (await page.receive_json_from(timeout=5))["type"] == "snapshot"
        await acting(play, job)
        messages = [await page.receive_json_from(timeout=5)]
        while messages[-1]["type"] != "change" or messages[-1]["job"]["status"] != "completed":
            messages.append(await page.receive_json_from(timeout=5))
    words = [one for message in messages if message["type"] == "segments" for one in message["segments"]]
    assert len(words) == (450 if count == 450 else 0)
    assert "rewritten" in {message["type"] for message in messages}


async def test_no_live_session_is_opened(token: str) -> None:
    headers = [(b"host", b"testserver"), (b"authorization", f"Bearer {token}".encode())]
    opened = WebsocketCommunicator(application, "/v1/modules/scaiecho/stream/transcribe", headers=headers)
    assert (await opened.connect(timeout=5))[0]
    told: dict[str, Any] = await opened.receive_json_from(timeout=5)
    assert (told["type"], told["code"]) == ("error", "SCAIECHO_FORBIDDEN")
    assert "sandbox" in told["message"]
    assert (await asyncio.wait_for(opened.receive_output(timeout=5), 6))["code"] == 4403
