"""The official client over HTTP, against a whole server with real workers."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from tests.mcp.conftest import call, refusal
from tests.serve.servers import ADMIN, ROOT, RunningServer, environment, running_server

pytestmark = pytest.mark.serve
SAMPLE = ROOT / "static" / "sample" / "two-voices.mp3"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("assistants") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def token(server: RunningServer) -> str:
    command = [sys.executable, "manage.py", "create_token", ADMIN[0], "--provider", "provider_whisper_api"]
    made = subprocess.run(
        command, cwd=ROOT, env=environment(server.folder, server.port), capture_output=True, text=True, check=True
    )
    return str(json.loads(made.stdout)["token"])


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_recording_is_transcribed_found_and_quoted(server: RunningServer, token: str, mode: Any) -> None:
    async def assist() -> None:
        http = create_mcp_http_client(headers={"Authorization": f"Bearer {token}"})
        address = f"http://127.0.0.1:{server.port}/mcp"
        async with http, Client(streamable_http_client(address, http_client=http), mode=mode) as client:
            audio = base64.b64encode(SAMPLE.read_bytes()).decode()
            told = await call(client, "transcribe", audio_base64=audio, filename="voices.mp3", language_hint="en")
            job_id = told["job_id"]
            while (await call(client, "status", job_id=job_id))["recording"]["status"] != "completed":
                await asyncio.sleep(0.2)
            first = (await call(client, "get", job_id=job_id))["segments"][0]
            (quoted,) = (await call(client, "quote", job_id=job_id, start=(first["start"] + first["end"]) / 2))[
                "quotes"
            ]
            assert quoted["text"] == first["text"]
            word = max(first["text"].split(), key=len).strip(".,?!")
            found = (await call(client, "search", query=f'"{word}"'))["results"]
            assert job_id in [one["recording"]["job_id"] for one in found]
            assert "nothing to cancel" in await refusal(client, "cancel", job_id=job_id)

    asyncio.run(asyncio.wait_for(assist(), 100))
