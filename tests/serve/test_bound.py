"""A check that hangs is ended, and nothing that it started keeps its output open."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.serve.servers import ROOT

#: Leaves a process behind in a session of its own that writes to the same pipe.
STRAY = "import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True)"


def bounded(seconds: float, code: str) -> subprocess.Popen[str]:
    return bounded_command(seconds, sys.executable, "-c", code)


def bounded_command(seconds: float, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.bounded", str(seconds), *words]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_command_gives_its_output_and_its_exit_status() -> None:
    process = bounded(30, "print('done'); raise SystemExit(3)")
    out, _ = process.communicate(timeout=20)
    assert (out, process.returncode) == ("done\n", 3)


def test_a_command_that_ends_at_once_is_noticed() -> None:
    for _ in range(5):
        process = bounded_command(5, "true")
        process.communicate(timeout=20)
        assert process.returncode == 0


def test_a_command_that_takes_too_long_is_ended_and_named() -> None:
    process = bounded(1, "import time; time.sleep(600)")
    _, err = process.communicate(timeout=20)
    assert process.returncode == 124
    assert "Ended after 1 s" in err


def test_what_a_command_leaves_behind_does_not_keep_the_output_open() -> None:
    process = bounded(30, STRAY)
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_a_killed_command_is_told_and_its_children_go_too() -> None:
    process = bounded(30, f"{STRAY}; import os; os.kill(os.getpid(), 9)")
    process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGKILL


def test_a_command_ends_with_the_one_that_bounds_it(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    process = bounded(30, f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(600)")
    deadline = time.monotonic() + 20
    while not (note.exists() and note.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM
    assert not Path("/proc", note.read_text()).exists()
