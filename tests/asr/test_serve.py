"""Tools that know no keys, against a whole server with a real engine."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.serve.servers import ADMIN, ROOT, RunningServer
from tests.speech.conftest import decode

pytestmark = pytest.mark.serve
SAMPLE = ROOT / "static" / "sample" / "two-voices.mp3"


@pytest.fixture(scope="module")
def key(renewed_server: RunningServer) -> str:
    told = renewed_server.manage("create_token", ADMIN[0], "--provider", "provider_whisper_api")
    return str(json.loads(told)["token"])


def sent(server: RunningServer, key: str, path: str, **query: str) -> Any:
    """As Bazarr does it: samples that it has decoded itself, and a key that is a part of the address it was told."""
    address = f"http://{key}:@127.0.0.1:{server.port}{path}"
    query = {"encode": "false", "video_file": "/films/a.mkv", **query}
    samples = decode(SAMPLE)[: 6 * 16_000].tobytes()
    return httpx.post(address, params=query, files={"audio_file": samples}, timeout=120)


def test_real_speech_comes_back_as_captions(renewed_server: RunningServer, key: str) -> None:
    answer = sent(renewed_server, key, "/asr", task="transcribe", language="en", output="srt")
    assert answer.status_code == 200, answer.text
    assert answer.text.startswith("1\n00:00:")
    assert len(answer.text.split()) > 8, answer.text
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["asr-engine"] not in ("", "none")


def jobs(server: RunningServer, key: str) -> list[int]:
    address = f"http://127.0.0.1:{server.port}/api/whisper/transcribe/jobs"
    listed = httpx.get(address, headers={"Authorization": f"Bearer {key}"})
    return [job["id"] for job in listed.json()["jobs"]]


def test_its_language_is_told_and_no_job_is_left(renewed_server: RunningServer, key: str) -> None:
    before = jobs(renewed_server, key)
    answer = sent(renewed_server, key, "/detect-language")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["detected_language"], answer.json()["language_code"]) == ("english", "en")
    assert jobs(renewed_server, key) == before


def test_a_tool_can_be_tried_without_an_engine(renewed_server: RunningServer) -> None:
    told = renewed_server.manage("create_token", ADMIN[0], "--provider", "provider_whisper_api", "--sandbox")
    address = f"http://127.0.0.1:{renewed_server.port}/asr"
    headers = {"X-Api-Key": json.loads(told)["token"], "X-Sandbox": "segments=3"}
    answer = httpx.post(
        address, params={"output": "srt"}, headers=headers, files={"audio_file": b"anything"}, timeout=60
    )
    assert answer.text.count("made-up transcript") == 3, answer.text
    headers["X-Sandbox"] = "finish_in=1; error=media_corrupt"
    refused = httpx.post(address, headers=headers, files={"audio_file": b"anything"}, timeout=60)
    assert (refused.status_code, list(refused.json())) == (422, ["detail"])
