"""The near end of the child that unpacks a client's sound: bytes in, samples out, and nobody ever waits for it while it lives.

Called by streamed.py.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import signal
import struct
import time

import numpy as np
import numpy.typing as npt

from whisper_jobs.errors import JobError
from whisper_jobs.media.launching import child

Pcm = npt.NDArray[np.int16]

_log = logging.getLogger(__name__)
_HEADER = struct.Struct(">cI")
_MAX_FRAME_BYTES = 1 << 20
MEMORY_BYTES = 1 << 30
#: Some hours of sound need a minute or two.
CPU_SECONDS = 1800
#: So much is taken from the child at once (two minutes of sound): few bytes can stand for hours.
MOST_TAKEN_BYTES = 4 << 20
#: What a client may send ahead of the child.
MOST_WAITING_BYTES = 64 << 20
FINISH_SECONDS = 10.0


class Unpacker:
    """`container`: ffmpeg's name. Bound to the thread that made it."""

    def __init__(self, container: str) -> None:
        self._resources = contextlib.ExitStack()
        self._waiting, self._arrived = bytearray(), bytearray()
        self._ended = self._closed = False
        with contextlib.ExitStack() as until_started:
            reading, self._writing = os.pipe()
            until_started.callback(os.close, reading)
            self._resources.callback(self._close_input)
            options = {
                "fd": reading,
                "container": container,
                "memory_bytes": MEMORY_BYTES,
                "cpu_seconds": CPU_SECONDS,
            }
            started = child("whisper_jobs.media.streamed_child", options, should_stop=_never, pass_fds=(reading,))
            self._child = self._resources.enter_context(started)
        self._output = self._child.output.fileno()
        os.set_blocking(self._writing, False)
        os.set_blocking(self._output, False)

    @property
    def waiting_bytes(self) -> int:
        return len(self._waiting)

    def fileno(self) -> int | None:
        return None if self._closed else self._output

    def feed(self, data: bytes) -> Pcm:
        """Raises JobError as the child does, and `media_corrupt` when it has died."""
        if self._ended or self._closed:
            return _pcm(b"")
        self._waiting += data
        if len(self._waiting) > MOST_WAITING_BYTES:
            raise JobError("source_too_large")
        found = bytearray()
        while self._send() | self._receive(found) and len(found) < MOST_TAKEN_BYTES:
            pass
        return _pcm(found)

    def finish(self) -> Pcm:
        """The rest. What the child doesn't give in time is lost, for instance hours of sound in few bytes."""
        found, give_up_at = bytearray(), time.monotonic() + FINISH_SECONDS
        while not (self._ended or self._closed) and len(found) < MOST_TAKEN_BYTES and time.monotonic() < give_up_at:
            if not self._send() and not self._waiting:
                self._close_input()
            if not self._receive(found):
                self._wait()
        self.close()
        return _pcm(found)

    def close(self) -> None:
        self._closed = True
        self._resources.close()

    def _close_input(self) -> None:
        writing, self._writing = self._writing, -1
        if writing >= 0:
            os.close(writing)

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self._output, select.POLLIN)
        if self._waiting and self._writing >= 0:
            poll.register(self._writing, select.POLLOUT)
        poll.poll(200)

    def _send(self) -> bool:
        """Whether some went to the child."""
        if not self._waiting or self._writing < 0:
            return False
        try:
            sent = os.write(self._writing, self._waiting)
        except BlockingIOError:
            return False
        except BrokenPipeError:  # why, its last words tell
            self._waiting.clear()
            self._close_input()
            return False
        del self._waiting[:sent]
        return True

    def _receive(self, found: bytearray) -> bool:
        """Whether some came from the child. Raises JobError."""
        try:
            data = os.read(self._output, 1 << 16)
        except BlockingIOError:
            return False
        if not data and not self._ended:
            raise _death(self._child.death())
        self._arrived += data
        self._take_frames(found)
        return bool(data) and not self._ended

    def _take_frames(self, found: bytearray) -> None:
        while len(self._arrived) >= _HEADER.size and not self._ended:
            kind, size = _HEADER.unpack_from(self._arrived)
            if size > _MAX_FRAME_BYTES or kind not in (b"P", b"E", b"X"):
                raise JobError("media_corrupt")
            if len(self._arrived) < _HEADER.size + size:
                return
            payload = bytes(self._arrived[_HEADER.size : _HEADER.size + size])
            del self._arrived[: _HEADER.size + size]
            if kind == b"X":
                raise _told(payload)
            self._ended = kind == b"E"
            found += payload if kind == b"P" else b""


def _told(payload: bytes) -> JobError:
    told = json.loads(payload)
    if "detail" in told:
        _log.error("the unpacking child failed: %s", told["detail"])
    return JobError(told["code"], told["message"])


def _death(status: int) -> JobError:
    if status == -signal.SIGXCPU:
        return JobError(
            "timeout", "The sound that was sent takes too long to unpack. Connect again and send another kind."
        )
    return JobError("media_corrupt", "The sound that was sent can't be read. Connect again.")


def _never() -> bool:
    return False


def _pcm(data: bytes | bytearray) -> Pcm:
    return np.frombuffer(bytes(data), "<i2").astype(np.int16)
