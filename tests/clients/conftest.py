"""One server for a module, a token of its sandbox, an address that is called back, and the client on them."""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tools_whisper import Client, Retries
from tools_whisper.cli.main import main

from tests.serve.servers import ADMIN, ROOT, RunningServer

SOURCES = ROOT / "clients" / "python" / "src"
EXAMPLES = ROOT / "clients" / "examples"
SAMPLE = ROOT / "static" / "sample" / "two-voices.mp3"
QUICK = Retries(first_pause=0.05)


@dataclass
class Hook:
    """An address to call back, and what was sent there: headers and body."""

    url: str = ""
    calls: queue.Queue[tuple[dict[str, str], bytes]] = field(default_factory=queue.Queue)


@pytest.fixture(scope="module")
def server(renewed_server: RunningServer) -> RunningServer:
    return renewed_server


@pytest.fixture(scope="module")
def url(server: RunningServer) -> str:
    return f"http://127.0.0.1:{server.port}"


def made_token(server: RunningServer, *words: str) -> dict[str, str]:
    told: dict[str, str] = json.loads(
        server.manage("create_token", ADMIN[0], "--provider", "provider_whisper_api", *words)
    )
    return told


@pytest.fixture(scope="module")
def made(server: RunningServer) -> dict[str, str]:
    return made_token(server, "--sandbox")


@pytest.fixture(scope="module")
def token(made: dict[str, str]) -> str:
    return made["token"]


@pytest.fixture
def client(url: str, token: str) -> Iterator[Client]:
    with Client(url, token, retries=QUICK) as client:
        yield client


@pytest.fixture
def hook() -> Iterator[Hook]:
    found = Hook()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.calls.put((dict(self.headers.items()), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as receiver:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        found.url = f"http://127.0.0.1:{receiver.server_port}/hook"
        yield found
        receiver.shutdown()


def environment(home: Path, **variables: str) -> dict[str, str]:
    """Nothing that the developer has signed in to."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TOOLS_", "XDG_"))}
    return {**kept, "PYTHONPATH": str(SOURCES), "HOME": str(home), **variables}


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "tools_whisper", *words]


@pytest.fixture
def variables(url: str, token: str, hook: Hook, tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path, TOOLS_WHISPER_URL=url, TOOLS_WHISPER_TOKEN=token, TOOLS_WHISPER_CALLBACK_URL=hook.url)


@dataclass(frozen=True)
class Told:
    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Told]


@pytest.fixture
def run(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line in this process: to start one takes longer than most of what is asked of it."""

    def ran(*words: str, **more: str) -> Told:
        with monkeypatch.context() as patched:
            for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
                patched.delenv(name, raising=False)
            for name, value in {**variables, **more}.items():
                patched.setenv(name, value)
            capsys.readouterr()
            try:
                status = main(words)
            except SystemExit as end:
                status = int(end.code or 0)
        return Told(status, *capsys.readouterr())

    return ran
