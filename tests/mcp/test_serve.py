"""The official client over HTTP, against a whole server with real workers."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from tests.mcp.conftest import call, refusal
from tests.serve.servers import ADMIN, ROOT, RunningServer

pytestmark = pytest.mark.serve
SAMPLE = ROOT / "static" / "sample" / "two-voices.mp3"


@pytest.fixture(scope="module")
def server(renewed_server: RunningServer) -> RunningServer:
    return renewed_server


@pytest.fixture(scope="module")
def token(server: RunningServer) -> str:
    made = server.manage("create_token", ADMIN[0], "--provider", "provider_whisper_api")
    return str(json.loads(made)["token"])


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
