"""The whole flow as a client goes it, against a whole server: in the sandbox, so that nothing has to be heard."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest

from tests.serve.ports import wait_until
from tests.serve.servers import ADMIN, RunningServer

pytestmark = pytest.mark.serve
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def call(renewed_server: RunningServer) -> Iterator[Call]:
    """Calls with a token of the sandbox; `sent` is JSON."""
    told = renewed_server.manage("create_token", ADMIN[0], "--provider", "provider_whisper_api", "--sandbox")
    header = {"Authorization": f"ApiToken {json.loads(told)['token']}"}
    base = f"http://127.0.0.1:{renewed_server.port}/api/job/"
    with httpx2.Client(base_url=base, headers=header, params={"v": "4"}, timeout=30.0) as client:
        yield (
            lambda verb, sent=None, **more: (
                client.post(verb, json=sent, params=more) if sent is not None else client.get(verb, params=more)
            )
        )


@pytest.fixture
def hook() -> Iterator[tuple[str, queue.Queue[Any]]]:
    """An address to call back that says OK, and what was sent there."""
    sent: queue.Queue[Any] = queue.Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.put(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"OK")

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as receiver:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{receiver.server_port}/hook", sent
        receiver.shutdown()


def started(call: Call, **start: Any) -> int:
    number = int(call("new", {"profile": "automatic", "external_id": "x1", "language": "en-US"}).json()["job_id"])
    call("add_media", {"media_url": "https://example.com/a.mp3"}, job_id=number)
    answer = call("perform_transcription", start, job_id=number)
    assert answer.json() == {"job_id": number, "job_status": "In Progress"}, answer.text
    return number


def status_of(call: Call, number: int) -> str:
    return str(call("info", job_id=number).json()["job_status"])


def test_a_job_goes_through_its_steps(call: Call, hook: tuple[str, queue.Queue[Any]]) -> None:
    url, sent = hook
    ends, fails, never = (
        started(call, url=url, finish_in=0),
        started(call, finish_in=0, finish_with_error=True),
        started(call),
    )
    assert sent.get(timeout=60) == {"job_id": [str(ends)], "external_id": ["x1"], "status": ["Completed"]}
    wait_until(lambda: status_of(call, fails) == "Failure", "the job has failed", seconds=60)
    assert [status_of(call, number) for number in (ends, never)] == ["Completed", "In Progress"]
    told = call("get_caption", job_id=ends, caption_format="vtt")
    assert told.text.startswith("WEBVTT") and " --> " in told.text
    assert call("info", job_id=fails).json()["errors"][0]["code"] == "failed_transcribing"
