"""Small things that tests of processes need: a free port, and waiting for a fact."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(
    fact: Callable[[], object], what: str, *, seconds: float = 30.0, process: subprocess.Popen[bytes] | None = None
) -> None:
    """Until `fact()` is true; fails when it takes too long or when `process` has ended."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert process is None or process.poll() is None, f"ended with {process.returncode} before {what}"
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        time.sleep(0.05)
