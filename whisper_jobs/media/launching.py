"""Starts the child processes that touch hostile material, listens to them, and ends them whatever happens."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

from whisper_jobs.errors import JobError

ROOT = Path(__file__).resolve().parents[2]
_TICK_SECONDS = 0.25
#: What a child needs of our environment. Proxies, credentials and configuration stay here.
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT")


class Child(ABC):
    """A running child and its output."""

    def __init__(self, output: BinaryIO, should_stop: Callable[[], bool]) -> None:
        self.output = output
        self._should_stop = should_stop
        self._asked_at = 0.0
        self._poll = select.poll()
        self._poll.register(output.fileno(), select.POLLIN | select.POLLHUP)

    def read(self, size: int, patience: float) -> bytes:
        """At most `size` bytes; none when the child has closed its output. Raises after `patience` silent seconds."""
        give_up_at = time.monotonic() + patience
        while True:
            self._stop_if_asked()
            if self._poll.poll(1000 * _TICK_SECONDS):
                return os.read(self.output.fileno(), size)
            if time.monotonic() > give_up_at:
                raise JobError("timeout")

    def _stop_if_asked(self) -> None:
        """Ask now and then: the question may cost the asker a query."""
        now = time.monotonic()
        if now - self._asked_at >= _TICK_SECONDS:
            self._asked_at = now
            if self._should_stop():
                raise JobError("cancelled")

    @abstractmethod
    def death(self) -> int:
        """The exit status of a child that has closed its output; negative is the signal that ended it."""

    @abstractmethod
    def kill(self) -> None:
        """End the child and all that it may have started. Safe to call twice."""


class _StartedChild(Child):
    def __init__(self, process: subprocess.Popen[bytes], should_stop: Callable[[], bool]) -> None:
        super().__init__(cast(BinaryIO, process.stdout), should_stop)
        self._process = process

    def death(self) -> int:
        try:
            return self._process.wait(5)
        except subprocess.TimeoutExpired:
            return -int(signal.SIGKILL)

    def kill(self) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self.output.close()


@contextlib.contextmanager
def child(
    module: str,
    options: Mapping[str, Any],
    *,
    should_stop: Callable[[], bool],
    pass_fds: tuple[int, ...] = (),
    home: Path | None = None,
) -> Iterator[Child]:
    """Run `python -m module` in a session of its own, with `options` as JSON on its stdin.

    The child dies with the thread that started it, so that thread must stay until the end.
    """
    process = subprocess.Popen(  # noqa: S603  (our own interpreter and module; nothing of a user's is on the command line)
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=pass_fds,
        env=environment(home),
        cwd=home or ROOT,
        start_new_session=True,
    )
    running = _StartedChild(process, should_stop)
    try:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
            stdin.write(json.dumps({**options, "parent": os.getpid()}).encode())
        yield running
    finally:
        running.kill()


def environment(home: Path | None = None) -> dict[str, str]:
    """What a child is given; `home` is where it may write."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    folder = {"HOME": str(home), "TMPDIR": str(home)} if home else {}
    return {**kept, **folder, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "YTDLP_NO_PLUGINS": "1"}
