"""Runs a command for a limited time: `python -m tests.bounded SECONDS COMMAND…`. Nothing that it started survives it,
so nothing keeps the output open for whoever reads it to its end."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
TOO_LONG = 124
#: What a command that is asked to end may still take.
GRACE_SECONDS = 10.0
ENDINGS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
HEARD = ENDINGS | {signal.SIGCHLD}
_libc = ctypes.CDLL(None)


class Bounded:
    """A command as the child of a process that takes over every orphan below it."""

    def __init__(self, command: list[str]) -> None:
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
        # Kept, because one that is forgotten takes the exit status of a command that has ended by then.
        self._command = subprocess.Popen(command, preexec_fn=_of_the_command)
        self.pid = self._command.pid
        self.code: int | None = None

    def run(self, seconds: float) -> int | None:
        """The exit status, as a shell gives it; none when the time was over first."""
        try:
            for heard in self._signals(time.monotonic() + seconds):
                if heard in ENDINGS:
                    os.kill(self.pid, heard)
                    return self._rest(128 + heard)
            return self.code
        finally:
            self._kill_all()

    def _rest(self, otherwise: int) -> int:
        for _ in self._signals(time.monotonic() + GRACE_SECONDS):
            pass
        return otherwise if self.code is None else self.code

    def _signals(self, deadline: float) -> Iterator[int]:
        """Every signal until the command has ended or its time is over."""
        while self.code is None and (left := deadline - time.monotonic()) > 0:
            heard = signal.sigtimedwait(HEARD, left)
            self._reap()
            if heard is not None:
                yield heard.si_signo

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.pid:
                code = os.waitstatus_to_exitcode(status)
                self.code = code if code >= 0 else 128 - code

    def _kill_all(self) -> None:
        """Also what is started or orphaned meanwhile."""
        deadline = time.monotonic() + GRACE_SECONDS
        while (left := psutil.Process().children(recursive=True)) and time.monotonic() < deadline:
            for one in left:
                try:
                    one.kill()
                except psutil.Error:
                    continue
            self._reap()
            time.sleep(0.02)


def _of_the_command() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
    _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def main() -> int:
    seconds, *command = sys.argv[1:]
    code = Bounded(command).run(float(seconds))
    if code is None:
        print(f"Ended after {seconds} s: {' '.join(command)}", file=sys.stderr, flush=True)
        return TOO_LONG
    return code


if __name__ == "__main__":
    sys.exit(main())
