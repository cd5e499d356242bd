"""Decoding children that are at work at once: forked from a template process, where one started anew takes a fifth of a second.

Called by decoding.py. A template is bound to the thread that made it, dies with it, and ends by itself when it has idled for long.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from whisper_jobs.media.launching import ROOT, Child, environment

#: Of a request: how long its JSON is. The exit status of a child.
LENGTH, STATUS = struct.Struct(">I"), struct.Struct(">i")
_PATIENCE_SECONDS = 5.0
_here = threading.local()


@contextlib.contextmanager
def forked(options: Mapping[str, Any], recording: int, *, should_stop: Callable[[], bool]) -> Iterator[Child]:
    """A decoding child with these options, for the recording that is open as that descriptor. Leaving the block ends it."""
    running = _fork(json.dumps(dict(options)).encode(), recording, should_stop)
    try:
        yield running
    finally:
        running.kill()


def end_template() -> None:
    """Ends this thread's template once its children have ended; the next recording gets a new one."""
    template: _Template | None = getattr(_here, "template", None)
    _here.template = None
    if template:
        template.end()


def _fork(request: bytes, recording: int, should_stop: Callable[[], bool]) -> _ForkedChild:
    try:
        return _template().fork(request, recording, should_stop)
    except (BrokenPipeError, ConnectionResetError):
        # It had idled, or somebody killed it.
        end_template()
        return _template().fork(request, recording, should_stop)


def _template() -> _Template:
    template: _Template | None = getattr(_here, "template", None)
    if template is None or template.owner != os.getpid():
        template = _here.template = _Template()
    return template


class _Template:
    def __init__(self) -> None:
        self.owner = os.getpid()
        self._requests, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
                [sys.executable, "-P", "-m", "whisper_jobs.media.decode_template", str(self.owner)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # Threads of its own would not survive a fork.
                env={**environment(), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                cwd=ROOT,
                start_new_session=True,
            )
        self.end = weakref.finalize(self, _end, self._process, self._requests, self.owner)

    def fork(self, request: bytes, recording: int, should_stop: Callable[[], bool]) -> _ForkedChild:
        """Raises BrokenPipeError and ConnectionResetError where the template is no more."""
        reading, writing = os.pipe()
        lifeline, theirs = socket.socketpair()
        try:
            files = [recording, writing, theirs.fileno()]
            socket.send_fds(self._requests, [LENGTH.pack(len(request)) + request], files)
        except BaseException:
            os.close(reading)
            lifeline.close()
            raise
        finally:
            os.close(writing)
            theirs.close()
        return _ForkedChild(os.fdopen(reading, "rb", buffering=0), lifeline, self, should_stop)

    def retire(self) -> None:
        """It ends with the last of its children."""
        self._requests.close()

    def kill(self) -> None:
        self._process.kill()


def _end(process: subprocess.Popen[bytes], requests: socket.socket, owner: int) -> None:
    requests.close()
    # A process that was forked from the one that made it has nothing to wait for.
    if owner == os.getpid():
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class _ForkedChild(Child):
    def __init__(
        self, output: BinaryIO, lifeline: socket.socket, template: _Template, should_stop: Callable[[], bool]
    ) -> None:
        super().__init__(output, should_stop)
        lifeline.settimeout(_PATIENCE_SECONDS)
        self._lifeline, self._template = lifeline, template

    def death(self) -> int:
        status = self._status()
        if status < 0 and getattr(_here, "template", None) is self._template:
            # Children of one template have their memory laid out alike: what made this one crash learns nothing of the next.
            _here.template = None
            self._template.retire()
        return status

    def _status(self) -> int:
        try:
            told = self._lifeline.recv(STATUS.size)
        except OSError:
            told = b""
        return int(STATUS.unpack(told)[0]) if len(told) == STATUS.size else -int(signal.SIGKILL)

    def kill(self) -> None:
        with self._lifeline, contextlib.suppress(OSError):
            self._lifeline.shutdown(socket.SHUT_WR)
            try:
                while self._lifeline.recv(STATUS.size):
                    pass
            except TimeoutError:
                # It hangs, and takes its children with it.
                self._template.kill()
        self.output.close()
