"""docs/client.sh against a whole server: hands a recording in, waits for its text, reads it again, tells a refusal."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.serve.servers import ADMIN, ROOT, RunningServer

pytestmark = pytest.mark.serve

SAMPLE = ROOT / "static" / "sample" / "two-voices.mp3"


@pytest.fixture(scope="module")
def server(renewed_server: RunningServer) -> RunningServer:
    return renewed_server


@pytest.fixture(scope="module")
def token(server: RunningServer) -> str:
    told = server.manage("create_token", ADMIN[0], "--provider", "provider_whisper_api")
    return str(json.loads(told)["token"])


@pytest.fixture
def hook() -> Iterator[tuple[str, queue.Queue[Any]]]:
    """An address to call back, and what was sent there."""
    sent: queue.Queue[Any] = queue.Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as receiver:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{receiver.server_port}/hook", sent
        receiver.shutdown()


def client(server: RunningServer, token: str, *words: str) -> subprocess.CompletedProcess[str]:
    told = {**os.environ, "TOOLS_URL": f"http://127.0.0.1:{server.port}/", "TOOLS_TOKEN": token}
    return subprocess.run([ROOT / "docs" / "client.sh", *words], env=told, capture_output=True, text=True, timeout=240)


def test_a_recording_is_handed_in_waited_for_and_called_back(
    server: RunningServer, token: str, hook: tuple[str, queue.Queue[Any]]
) -> None:
    url, sent = hook
    made = client(server, token, "submit", str(SAMPLE), url, "source_label=Two voices; a sample", "language=en")
    assert made.returncode == 0, made.stderr
    job = json.loads(made.stdout)["job"]
    assert (job["status"], job["title"], job["callback"]["url"]) == ("queued", "Two voices; a sample", url)
    done = client(server, token, "wait", str(job["id"]))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) > 3
    told = sent.get(timeout=60)
    assert (told["event"], told["job"]["job_id"]) == ("whisper.job.completed", job["id"])
    assert told["job"]["transcript_text"] == done.stdout.strip()
    again = json.loads(client(server, token, "job", str(job["id"])).stdout)["job"]
    assert again["share"]["url"] == told["job"]["share_url"]
    assert [one["id"] for one in json.loads(client(server, token, "jobs", "5").stdout)["jobs"]] == [job["id"]]
    assert json.loads(client(server, token, "status").stdout)["summary"]["completed"] == 1


def test_a_refusal_is_told(server: RunningServer, token: str) -> None:
    told = client(server, token, "submit", "https://example.com/a.mp3", "http://10.0.0.1/hook")
    assert told.returncode == 1
    assert "422" in told.stderr and "callback_url" in told.stderr
    assert client(server, "wrong", "status").stderr.startswith("401")


def test_without_a_word_it_says_what_it_can_do(server: RunningServer, token: str) -> None:
    told = client(server, token)
    assert told.returncode == 2
    assert "submit" in told.stdout
