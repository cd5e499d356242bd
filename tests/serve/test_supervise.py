"""The supervisor starts processes, starts the dead ones again, and never leaves one behind. With tiny processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from config.output import LOG_BYTES, Output
from tests.serve.ports import wait_until

pytestmark = pytest.mark.serve

ROOT = Path(__file__).resolve().parents[2]


class Supervised:
    def __init__(self, folder: Path, *names: str) -> None:
        self.folder = folder
        self.seen: set[psutil.Process] = set()
        command = [sys.executable, "-m", "tests.serve.supervised", str(folder), *names]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def pid_of(self, name: str) -> int:
        wait_until(lambda: self._pid(name), f"{name} runs", process=self.process)
        pid = self._pid(name)
        self.seen.add(psutil.Process(pid))
        return pid

    def _pid(self, name: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.folder / "run" / f"{name}.pid").read_text())
            return pid if psutil.pid_exists(pid) else 0
        return 0

    def log(self, name: str) -> str:
        with contextlib.suppress(OSError):
            return (self.folder / "log" / f"{name}.log").read_text()
        return ""

    def printed(self, name: str, text: str) -> None:
        wait_until(lambda: text in self.log(name), f"{name} prints {text!r}", process=self.process)

    def remember(self) -> None:
        self.seen.update(psutil.Process(self.process.pid).children(recursive=True))

    def left(self) -> list[psutil.Process]:
        return [one for one in self.seen if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[object]:
    started: list[Supervised] = []

    def start(*names: str) -> Supervised:
        started.append(Supervised(tmp_path, *names))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate(timeout=15)


def test_every_process_has_a_pid_file_and_its_name_before_its_lines(supervise) -> None:  # type: ignore[no-untyped-def]
    server = supervise("sleeper", "parent")
    assert server.pid_of("sleeper") != server.pid_of("parent")
    server.printed("sleeper", "asleep")
    server.process.terminate()
    out, _ = server.process.communicate(timeout=12)
    assert b"sleeper         | asleep\n" in out


def test_sigterm_ends_all_processes_with_their_children_and_exits_0(supervise) -> None:  # type: ignore[no-untyped-def]
    server = supervise("sleeper", "parent")
    server.printed("parent", "grandchild")
    server.printed("sleeper", "asleep")
    server.remember()
    assert len(server.seen) == 3
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(12) == 0
    wait_until(lambda: not server.left(), "nothing is left", seconds=2)
    assert list((server.folder / "run").iterdir()) == []


def test_a_process_that_ignores_sigterm_is_killed_in_the_end(supervise) -> None:  # type: ignore[no-untyped-def]
    server = supervise("stubborn")
    server.printed("stubborn", "deaf")
    server.remember()
    asked = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(12) == 0
    assert 1.5 < time.monotonic() - asked < 5
    assert not server.left()


def test_a_second_sigint_kills_at_once(supervise) -> None:  # type: ignore[no-untyped-def]
    server = supervise("stubborn")
    server.printed("stubborn", "deaf")
    server.remember()
    server.process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    asked = time.monotonic()
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(5) == 0
    assert time.monotonic() - asked < 1
    assert not server.left()


def test_kill_9_of_the_supervisor_ends_its_processes(supervise) -> None:  # type: ignore[no-untyped-def]
    server = supervise("sleeper", "stubborn")
    server.printed("stubborn", "deaf")
    server.pid_of("sleeper")
    server.remember()
    server.process.kill()
    wait_until(lambda: not server.left(), "nothing is left", seconds=3)


def test_a_process_that_is_killed_is_started_again_at_once_and_what_it_started_is_ended(supervise) -> None:  # type: ignore[no-untyped-def]
    server = supervise("parent")
    server.printed("parent", "grandchild")
    first = server.pid_of("parent")
    server.remember()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: server.pid_of("parent") != first, "it runs again", seconds=1.5)
    wait_until(lambda: not [one for one in server.left() if one.pid != server.pid_of("parent")], "its child is gone")
    assert "parent was killed by signal 9; it is started again." in server.log("server")


def test_a_process_that_keeps_dying_is_started_again_less_and_less_often(supervise) -> None:  # type: ignore[no-untyped-def]
    server = supervise("crasher", "sleeper")
    server.printed("crasher", "RuntimeError: no use")
    time.sleep(3.5)
    assert 3 <= server.log("server").count("crasher ended with code 1") <= 5


def test_a_process_that_prints_without_end_fills_neither_disk_nor_memory(supervise) -> None:  # type: ignore[no-untyped-def]
    server = supervise("chatty", "sleeper")
    rotated = server.folder / "log" / "chatty.log.1"
    wait_until(rotated.exists, "the log is rotated", process=server.process)
    size = sum(file.stat().st_size for file in (server.folder / "log").iterdir())
    assert size < 2.5 * LOG_BYTES
    assert psutil.Process(server.process.pid).memory_info().rss < 100 << 20
    assert "after the long line" in rotated.read_text()


def test_output_to_a_pipe_that_nobody_reads_does_not_block(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    output = Output(tmp_path, writer)
    for number in range(200):
        output.line("web", b"%d " % number + b"x" * 1000)
    assert (tmp_path / "web.log").read_text().count("\n") == 200
    os.close(reader)
    output.say("to a closed pipe")
    os.close(writer)
