"""A whole server: it gets ready, comes back from the death of any part, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serve.ports import wait_until
from tests.serve.servers import ADMIN, NAMES, RunningServer

pytestmark = pytest.mark.serve
Start = Callable[..., RunningServer]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[RunningServer] = []

    def server(name: str = "data", **options: Any) -> RunningServer:
        started.append(RunningServer(tmp_path / name, **options))
        return started[-1]

    yield server
    for one in started:
        one.end()


def test_a_server_gets_ready_says_where_it_is_and_stops_without_a_trace(start: Start) -> None:
    server = start(bare=True)
    server.wait_ready()
    status, told = server.get("/readyz")
    assert (status, told["status"]) == (200, "ready")
    assert told["checks"]["workers"] == {"fetch": 2, "speech": 1, "enrich": 2, "deliver": 1}
    assert server.get("/healthz") == (200, {"status": "ok"})
    wait_until(lambda: f"http://127.0.0.1:{server.port}/whisper" in server.printed(), "the address is printed")
    assert f"First admin: {ADMIN[0]}" in server.printed()
    assert ADMIN[1] not in server.printed()
    assert {file.stem for file in (server.folder / "run").glob("*.pid")} == NAMES
    assert len(server.seen) >= len(NAMES)

    asked = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(12) == 0
    assert time.monotonic() - asked < 10
    assert not server.left()
    assert {file.name for file in (server.folder / "run").iterdir()} == {"server.lock"}


def test_a_generated_password_is_printed_once_and_kept_in_no_log(start: Start) -> None:
    server = start(TOOLS_ADMIN_PASSWORD="")
    server.wait_ready()
    password = server.printed().partition("password ")[2].split()[0]
    assert len(password) >= 12
    assert not [file for file in (server.folder / "log").iterdir() if password in file.read_text()]
    server.end()
    again = start(TOOLS_ADMIN_PASSWORD="")
    again.wait_ready()
    assert "First admin" not in again.printed()


def test_kill_9_of_the_supervisor_leaves_no_process_and_the_next_start_works(start: Start) -> None:
    server = start()
    server.wait_ready()
    server.process.kill()
    wait_until(lambda: not server.left(), "all its processes are gone", seconds=5)
    half = server.folder / "tmp" / "half.upload"
    half.write_bytes(b"sound")
    start().wait_ready()
    assert not half.exists(), "what was left behind in its temporary folder goes"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for the tests that leave it running."""
    server = RunningServer(tmp_path_factory.mktemp("shared") / "data")
    server.wait_ready()
    yield server
    server.end()
    assert server.process.returncode == 0


def test_data_is_for_the_owner_alone(running: RunningServer) -> None:
    for name in (".", "run", "tmp", "media", "log"):
        assert stat.S_IMODE((running.folder / name).stat().st_mode) == 0o700
    socket = running.folder / "run" / "redis.sock"
    assert stat.S_IMODE(socket.stat().st_mode) & 0o077 == 0


@pytest.mark.parametrize("name", ["redis", "web", "worker-speech-1", "beat"])
def test_a_part_that_is_killed_comes_back(running: RunningServer, name: str) -> None:
    first = running.pid_of(name)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: running.pid_of(name) not in (0, first), f"{name} runs again", seconds=7)
    wait_until(running.is_ready, "ready again", seconds=20, process=running.process)


def test_without_a_broker_the_server_says_that_it_is_not_ready(running: RunningServer) -> None:
    os.kill(running.pid_of("redis"), signal.SIGSTOP)
    status, told = running.get("/readyz")
    os.kill(running.pid_of("redis"), signal.SIGCONT)
    assert (status, told["missing"]) == (503, ["broker"])
    assert running.get("/healthz")[0] == 200


def test_a_second_server_on_the_same_folder_is_refused_in_one_line(running: RunningServer) -> None:
    second = RunningServer(running.folder)
    assert second.process.wait(20) != 0
    assert second.printed().splitlines() == [f"A server is already running on the data folder {second.folder}."]


def test_a_port_in_use_is_told_in_one_line(start: Start, running: RunningServer) -> None:
    server = start(TOOLS_PORT=str(running.port))
    assert server.process.wait(20) != 0
    assert len(server.printed().splitlines()) == 1
    assert f"port {running.port} (address already in use)" in server.printed()


def test_a_folder_that_can_not_be_written_is_told_in_one_line(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    server = start("file", bare=True)
    assert server.process.wait(20) != 0
    assert len(server.printed().splitlines()) == 1
    assert f"{server.folder} can't be written" in server.printed()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("TOOLS_PORT", "eighty", "TOOLS_PORT must be a whole number above zero, not 'eighty'."),
        ("TOOLS_DATADIR", "x", "TOOLS_DATADIR is not a setting of this server. Did you mean TOOLS_DATA_DIR?"),
        ("TOOLS_PORT", "70000", "port 70000"),
    ],
)
def test_a_bad_setting_is_told_in_one_line(start: Start, name: str, value: str, told: str) -> None:
    server = start(**{name: value})
    assert server.process.wait(20) != 0
    assert len(server.printed().splitlines()) == 1
    assert told in server.printed()
