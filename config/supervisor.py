"""Starts the server's processes, starts those again that die, and ends all of them with itself.

The processes are forked from this one, which has Django loaded already: that makes six of them start in the time of one.
So it stays single-threaded and never holds a database connection while it runs.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from setproctitle import setproctitle

from config.children import Child
from config.output import Output

STOP_SECONDS = 8.0
#: The broker outlives those who need it to say goodbye, at most until this long before the end.
BROKER_MARGIN_SECONDS = 1.0
SLOWEST_RESTART_SECONDS = 5.0
#: A process that lived this long before it died is started again at once.
STEADY_SECONDS = 10.0
TURN_SECONDS = 0.5
PROBE_SECONDS = 0.1
READ_BYTES = 65_536
LONGEST_LINE_BYTES = 16_384
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass
class Process:
    """A child that runs, or waits to be started again."""

    child: Child
    pid: int = 0
    pipe: int = -1
    tail: bytes = b""
    started: float = 0.0
    due: float = 0.0
    deaths: int = 0


@dataclass
class Supervisor:
    """`missing` says what keeps the server from being ready; `on_ready` is called once when nothing does."""

    run_folder: Path
    output: Output
    children: list[Child]
    #: Descriptors that belong to this process alone, such as its lock.
    private: tuple[int, ...] = ()
    listener: socket.socket | None = None
    missing: Callable[[], list[str]] | None = None
    on_ready: Callable[[], None] = lambda: None
    stop_seconds: float = STOP_SECONDS
    _processes: list[Process] = field(default_factory=list)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _wakeup: tuple[int, int] = (-1, -1)
    _asked_to_stop: int = 0
    _probed: float = 0.0

    def run(self) -> None:
        """Until SIGINT or SIGTERM. On return no process is left."""
        self._processes = [Process(child) for child in self.children]
        with self._signals():
            try:
                while not self._asked_to_stop:
                    self._start_due()
                    self._turn(PROBE_SECONDS if self.missing else TURN_SECONDS)
                    self._probe()
            finally:
                self._stop()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        self._wakeup = (reader, writer)
        self._selector.register(reader, selectors.EVENT_READ, None)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask_to_stop)
        # Without a handler of Python's own, a child's end would not wake the selector.
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        yield
        signal.set_wakeup_fd(-1)

    def _ask_to_stop(self, number: int, frame: object) -> None:
        self._asked_to_stop += 1

    def _turn(self, seconds: float) -> None:
        """Waits for something to happen, passes on what the processes print, and notices those that ended."""
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(key.fd, READ_BYTES)
            else:
                self._pass_on(key.data)
        self._reap()

    def _start_due(self) -> None:
        now = time.monotonic()
        for process in self._processes:
            if not process.pid and process.due <= now:
                self._start(process)

    def _start(self, process: Process) -> None:
        reader, writer = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become(process.child, writer, parent)
        os.close(writer)
        os.set_blocking(reader, False)
        process.pid, process.pipe, process.tail, process.started = pid, reader, b"", time.monotonic()
        self._selector.register(reader, selectors.EVENT_READ, process)
        self._pid_file(process).write_text(str(pid))

    def _become(self, child: Child, output: int, parent: int) -> None:
        """Runs in the new process, and never returns."""
        code = 1
        try:
            os.setsid()
            die_with(parent)
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            self._let_go(keep_listener=child.name == "web")
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(output, 1)
            os.dup2(output, 2)
            sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
            setproctitle(f"tools-whisper {child.name}")
            child.run()
            code = 0
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int) else int(bool(ending.code))
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _let_go(self, *, keep_listener: bool) -> None:
        """Closes, in a new process, what belongs to the supervisor."""
        self._selector.close()
        pipes = [process.pipe for process in self._processes if process.pipe >= 0]
        for handle in (*self.private, *self._wakeup, *pipes):
            with contextlib.suppress(OSError):
                os.close(handle)
        if self.listener and not keep_listener:
            self.listener.close()

    def _pass_on(self, process: Process) -> None:
        try:
            data = os.read(process.pipe, READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._selector.unregister(process.pipe)
            os.close(process.pipe)
            process.pipe = -1
        *lines, process.tail = (process.tail + data).split(b"\n")
        if process.tail and (not data or len(process.tail) > LONGEST_LINE_BYTES):
            lines, process.tail = [*lines, process.tail], b""
        for line in lines:
            self.output.line(process.child.name, line)

    def _reap(self) -> None:
        for process in self._processes:
            if process.pid:
                pid, status = os.waitpid(process.pid, os.WNOHANG)
                if pid:
                    self._ended(process, os.waitstatus_to_exitcode(status))

    def _ended(self, process: Process, code: int) -> None:
        kill_group(process.pid, signal.SIGKILL)
        while process.pipe >= 0 and self._has_output(process):
            self._pass_on(process)
        if process.pipe >= 0:
            self._selector.unregister(process.pipe)
            os.close(process.pipe)
        self._pid_file(process).unlink(missing_ok=True)
        process.pid, process.pipe = 0, -1
        if self._asked_to_stop:
            return
        lived = time.monotonic() - process.started
        process.deaths = 1 if lived > STEADY_SECONDS else process.deaths + 1
        delay = 0.0 if process.deaths == 1 else min(SLOWEST_RESTART_SECONDS, 0.25 * 2.0**process.deaths)
        process.due = time.monotonic() + delay
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        self.output.say(f"{process.child.name} {how}; it is started again.")

    def _has_output(self, process: Process) -> bool:
        return any(key.data is process for key, _ in self._selector.select(0))

    def _probe(self) -> None:
        now = time.monotonic()
        if not self.missing or now - self._probed < PROBE_SECONDS:
            return
        waiting = self.missing()
        self._probed = time.monotonic()
        if not waiting:
            self.missing = None
            self.on_ready()

    def _stop(self) -> None:
        """TERM to all, the web first and the broker last; KILL to those that don't end in time."""
        if self.listener:
            self.listener.close()
        asked, deadline = self._asked_to_stop, time.monotonic() + self.stop_seconds
        for process in sorted(self._alive(), key=lambda process: process.child.name != "web"):
            if process.child.name != "redis":
                os.kill(process.pid, signal.SIGTERM)
        broker_told = False
        while self._alive() and time.monotonic() < deadline and self._asked_to_stop == asked:
            others = [process for process in self._alive() if process.child.name != "redis"]
            if not broker_told and (not others or time.monotonic() > deadline - BROKER_MARGIN_SECONDS):
                broker_told = True
                self._tell_broker()
            self._turn(0.05)
        for process in self._alive():
            kill_group(process.pid, signal.SIGKILL)
        while self._alive():
            self._turn(0.05)

    def _tell_broker(self) -> None:
        for process in self._alive():
            if process.child.name == "redis":
                os.kill(process.pid, signal.SIGTERM)

    def _alive(self) -> list[Process]:
        return [process for process in self._processes if process.pid]

    def _pid_file(self, process: Process) -> Path:
        return self.run_folder / f"{process.child.name}.pid"


def die_with(parent: int) -> None:
    """Has the kernel kill this process as soon as its parent is gone, however that ends."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def kill_group(leader: int, number: signal.Signals) -> None:
    """Signals a process and everything that it started in its session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
