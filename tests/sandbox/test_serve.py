"""A whole server: a job of the sandbox from the call to the callbacks, also when the worker dies that is to end it."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.callbacks.receiver import Receiver, receiving
from tests.serve.ports import wait_until
from tests.serve.servers import ADMIN, RunningServer

pytestmark = pytest.mark.serve


@pytest.fixture(scope="module")
def client(renewed_server: RunningServer) -> Iterator[httpx2.Client]:
    words = ("create_token", ADMIN[0], "--provider", "provider_whisper_api", "--sandbox")
    token = json.loads(renewed_server.manage(*words))["token"]
    named = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=f"http://127.0.0.1:{renewed_server.port}/api/whisper/", headers=named) as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(Receiver()) as server:
        yield server


def handed_in(client: httpx2.Client, script: str, receiver: Receiver) -> int:
    body = {"source_url": "https://example.com/a.mp3", "callback_url": receiver.url}
    answer = client.post("transcribe", json=body, headers={"X-Sandbox": script})
    assert answer.status_code == 201, answer.text
    number: int = answer.json()["job"]["id"]
    return number


def told(client: httpx2.Client, number: int) -> Any:
    return client.get(f"transcribe/jobs/{number}").json()["job"]


def test_it_ends_at_its_time_and_calls_back_until_that_counts(client: httpx2.Client, receiver: Receiver) -> None:
    began = time.monotonic()
    number = handed_in(client, "finish_in=1; segments=3; callback_failures=2", receiver)
    assert told(client, number)["status"] == "transcribing"
    wait_until(lambda: told(client, number)["callback"]["status"] == "delivered", "the callback counts", seconds=30)
    assert time.monotonic() - began > 2.9
    assert [call.json["job"]["job_id"] for call in receiver.calls] == [number] * 3
    assert len({call.id for call in receiver.calls}) == 1
    assert "sentence 3" in receiver.calls[0].json["job"]["transcript_text"]


def test_the_worker_that_was_to_end_it_is_killed(
    client: httpx2.Client, receiver: Receiver, renewed_server: RunningServer
) -> None:
    number = handed_in(client, "finish_in=2", receiver)
    os.kill(renewed_server.pid_of("worker-deliver"), signal.SIGKILL)
    wait_until(lambda: told(client, number)["status"] == "completed", "it ends", seconds=60)
    assert told(client, number)["diarization"]["state"] == "done"
