"""The process that decoding children are forked from: it has the libraries loaded and touches no recording itself.

Run by forking.py, which asks for a child over the socket at descriptor 0 and holds a lifeline to each. Single-threaded, so that a
fork is safe.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
from typing import Any

from whisper_jobs.media import decode_child, limits
from whisper_jobs.media.forking import LENGTH, STATUS

#: The recording, where the child writes to, and its lifeline.
_FILES = 3
#: A template that nobody asks for so long gives its memory back.
_IDLE_MS = 600_000
_MOST_FILES = 256


class Template:
    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._asked = requests.fileno()
        #: Pid → lifeline of each child that runs.
        self._children: dict[int, socket.socket] = {}
        self._bell, bell = os.pipe()
        os.set_blocking(self._bell, False)
        os.set_blocking(bell, False)
        signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
        # Without a handler of Python's own, a child's end would ring no bell.
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self._poll = select.poll()
        for fd in (self._asked, self._bell):
            self._poll.register(fd, select.POLLIN)

    def serve(self) -> None:
        """Until nobody can ask any more, or has asked for long, and the last child has ended."""
        is_open = True
        while is_open or self._children:
            events = self._poll.poll(None if self._children else _IDLE_MS)
            if not events:
                return
            for fd, _event in events:
                if fd == self._asked:
                    is_open = self._fork()
                elif fd != self._bell:
                    self._kill(fd)
            self._reap()

    def _fork(self) -> bool:
        """False when who asked is gone."""
        request = _request(self._requests)
        if request is None:
            self._poll.unregister(self._asked)
            return False
        options, recording, out, lifeline = request
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            # There is no room for one more. Who asked sees it end at once; the others go on.
            for fd in (recording, out, lifeline):
                os.close(fd)
            return True
        if pid == 0:
            _become(options, recording, out, parent)
        os.close(recording)
        os.close(out)
        self._children[pid] = socket.socket(fileno=lifeline)
        self._poll.register(lifeline, select.POLLIN)
        return True

    def _kill(self, fd: int) -> None:
        """Whoever held the other end of this lifeline has let go."""
        self._poll.unregister(fd)
        for pid, lifeline in self._children.items():
            if lifeline.fileno() == fd:
                # Its group first, with all that it may have started; a child that was just forked has none.
                for kill in (os.killpg, os.kill):
                    with contextlib.suppress(ProcessLookupError):
                        kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._bell, 4096)
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            with self._children.pop(pid) as lifeline, contextlib.suppress(OSError):
                with contextlib.suppress(KeyError):
                    self._poll.unregister(lifeline.fileno())
                lifeline.sendall(STATUS.pack(os.waitstatus_to_exitcode(status)))


def _request(requests: socket.socket) -> tuple[dict[str, Any], int, int, int] | None:
    head, files, _flags, _address = socket.recv_fds(requests, LENGTH.size, _FILES)
    if not head:
        return None
    (size,) = LENGTH.unpack(head)
    options: dict[str, Any] = json.loads(requests.recv(size, socket.MSG_WAITALL))
    recording, out, lifeline = files
    return options, recording, out, lifeline


def _become(options: dict[str, Any], recording: int, out: int, parent: int) -> None:
    """All of the new process's life."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        os.dup2(1, 0)
        for fd in range(3, _MOST_FILES):
            if fd not in (recording, out):
                with contextlib.suppress(OSError):
                    os.close(fd)
        limits.die_with(parent)
        decode_child.perform({**options, "fd": recording}, os.fdopen(out, "wb"))
        code = 0
    finally:
        os._exit(code)


def main() -> None:
    limits.die_with(int(sys.argv[1]))
    limits.allow_files(_MOST_FILES)
    Template(socket.socket(fileno=os.dup(0))).serve()


if __name__ == "__main__":
    main()
