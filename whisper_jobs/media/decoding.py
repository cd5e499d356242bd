"""Any recording → 16 kHz mono samples, decoded in a child process so that a hostile file can only hurt that.

Called by the decode step. Memory stays flat: the child waits while nobody reads.
"""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from whisper_jobs.errors import JobError
from whisper_jobs.media.forking import forked
from whisper_jobs.media.launching import Child

SAMPLE_RATE = 16_000

_log = logging.getLogger(__name__)
_HEADER = struct.Struct(">cI")
_MAX_FRAME_BYTES = 1 << 20


@dataclass(frozen=True)
class DecodeLimits:
    """`max_seconds` is the length of the recording; `stall_seconds` how long the child may be silent."""

    max_seconds: float = 12 * 3600.0
    memory_bytes: int = 1 << 30
    cpu_seconds: int = 1800
    stall_seconds: float = 60.0


@dataclass(frozen=True)
class AudioTrack:
    """One of the sound tracks of a file. `index` counts all streams of the file, as ffmpeg does."""

    index: int
    codec: str
    language: str
    title: str
    channels: int
    sample_rate: int
    default: bool


@dataclass(frozen=True)
class MediaInfo:
    """What the file says of itself. `duration_seconds` is its own claim and may be wrong or missing."""

    container: str
    codec: str
    duration_seconds: float | None
    mime: str
    audio_tracks: tuple[AudioTrack, ...]
    chosen_track: int
    title: str
    sample_rate: int
    channels: int


class Decoding:
    """A recording being decoded: `info` at once, then its samples by iterating once, then `warnings`."""

    def __init__(self, running: Child, limits: DecodeLimits) -> None:
        self._child = running
        self._limits = limits
        self._ended = False
        self.warnings: tuple[str, ...] = ()
        self.info = _info(json.loads(self._frame(b"I")))

    def __iter__(self) -> Iterator[NDArray[np.int16]]:
        """Arrays of about two seconds. The recording's time 0 is the first sample."""
        while not self._ended:
            payload = self._frame(b"P", b"E")
            if self._ended:
                self.warnings = tuple(json.loads(payload)["warnings"])
            else:
                yield np.frombuffer(payload, dtype="<i2")

    def _frame(self, *expected: bytes) -> bytearray:
        kind, size = _HEADER.unpack(self._exactly(_HEADER.size))
        if size > _MAX_FRAME_BYTES or kind not in (b"X", *expected):
            raise JobError("media_corrupt")
        payload = self._exactly(size)
        if kind == b"X":
            told = json.loads(payload)
            if "detail" in told:
                _log.error("the decoding child failed: %s", told["detail"])
            raise JobError(told["code"], told["message"])
        self._ended = kind == b"E"
        return payload

    def _exactly(self, size: int) -> bytearray:
        data = bytearray()
        while len(data) < size:
            part = self._child.read(size - len(data), self._limits.stall_seconds)
            if not part:
                raise _death(self._child.death())
            data += part
        return data


@contextlib.contextmanager
def decode(
    source: Path | BinaryIO,
    *,
    limits: DecodeLimits | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Decoding]:
    """Decode a file or an open one (with a fileno). Every failure is a JobError; leaving the block ends the child."""
    limits = limits or DecodeLimits()
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(source.open("rb")) if isinstance(source, Path) else source
        options = {
            "max_seconds": limits.max_seconds,
            "memory_bytes": limits.memory_bytes,
            "cpu_seconds": limits.cpu_seconds,
        }
        running = stack.enter_context(forked(options, stream.fileno(), should_stop=should_stop))
        yield Decoding(running, limits)


def _info(told: dict[str, Any]) -> MediaInfo:
    tracks = tuple(AudioTrack(**track) for track in told.pop("audio_tracks"))
    return MediaInfo(audio_tracks=tracks, **told)


def _death(status: int) -> JobError:
    """What is told of a child that ended without a word."""
    if status == -signal.SIGXCPU:
        return JobError("timeout", "The file takes too long to decode. Convert it to a common format such as MP3.")
    # Killed from outside, as by a machine short of memory: another try may do.
    return JobError("media_corrupt", retry=status in (-signal.SIGKILL, -signal.SIGTERM))
