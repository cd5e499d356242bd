"""WAV that arrives in pieces of any length → its samples. Nothing here trusts what a header says of sizes.

Some send a header once, some with each piece, some never. Recorders that don't know how long it will be write any size.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from whisper_jobs.errors import JobError

Pcm = npt.NDArray[np.int16]

INTEGER, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
_FILES = (b"RIFF", b"RF64")
_FILE_HEADER, _CHUNK_HEADER = 12, 8
#: What may follow the samples; anything else there is sound whose length was told wrong.
_CHUNKS = "LIST list fact bext iXML PEAK JUNK junk smpl _PMX"
_AFTER_SOUND = {*_FILES, b"cue ", b"id3 ", b"ID3 ", *_CHUNKS.encode().split()}
#: A size from here on means “unknown”, and so does none.
_UNKNOWN_SIZE = 0x7FFFF000
_LONGEST_FORMAT = 1024
LOWEST_RATE, HIGHEST_RATE = 8_000, 192_000


@dataclass(frozen=True, slots=True)
class Format:
    """How samples are written. `kind` is WAV's number."""

    kind: int
    channels: int
    rate: int
    bits: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8


class WavReader:
    """Give it what arrived; it gives the samples that are whole by now, mono, with their rate."""

    def __init__(self, sample_rate: int) -> None:
        """`sample_rate`: of 16-bit mono sound that comes without a header."""
        self._bare = self._format = Format(INTEGER, 1, sample_rate, 16)
        self._state: Literal["start", "chunks", "sound", "behind"] = "start"
        self._buffer = bytearray()
        self._skip = 0  # bytes that are of no use
        self._left: int | None = None  # bytes of sound that the header told; None when it can't be believed

    def feed(self, data: bytes) -> Iterator[tuple[Pcm, int]]:
        """Raises JobError `source_type_not_supported`, `media_corrupt`."""
        if self._state != "start" and _begins_file(data):
            self._buffer.clear()
            self._state = "start"
        self._buffer += data
        while (found := self._step()) is not None:
            if len(found):
                yield found, self._format.rate

    def _step(self) -> Pcm | None:
        """Goes on by one part of the file, which may hold sound. None when more has to arrive first."""
        match self._state:
            case "start":
                return self._start()
            case "chunks":
                return self._chunk()
            case "sound":
                return self._sound()
        return self._behind()

    def _start(self) -> Pcm | None:
        if len(self._buffer) < _FILE_HEADER and any(each.startswith(bytes(self._buffer[:4])) for each in _FILES):
            return None
        if _begins_file(self._buffer):
            del self._buffer[:_FILE_HEADER]
            self._state, self._skip = "chunks", 0
        else:
            self._format, self._left, self._state = self._bare, None, "sound"
        return _NOTHING

    def _chunk(self) -> Pcm | None:
        if not self._skipped() or len(self._buffer) < _CHUNK_HEADER:
            return None
        name, size = struct.unpack_from("<4sI", self._buffer)
        if name == b"fmt ":
            return self._read_format(size)
        del self._buffer[:_CHUNK_HEADER]
        if name == b"data":
            self._left = size if 0 < size < _UNKNOWN_SIZE else None
            self._state, self._skip = "sound", size % 2
        else:
            self._skip = size + size % 2
        return _NOTHING

    def _skipped(self) -> bool:
        dropped = min(self._skip, len(self._buffer))
        del self._buffer[:dropped]
        self._skip -= dropped
        return not self._skip

    def _read_format(self, size: int) -> Pcm | None:
        if not 16 <= size <= _LONGEST_FORMAT:
            raise JobError("media_corrupt")
        if len(self._buffer) < _CHUNK_HEADER + size:
            return None
        self._format = _format(bytes(self._buffer[_CHUNK_HEADER : _CHUNK_HEADER + size]))
        del self._buffer[: _CHUNK_HEADER + size + size % 2]
        return _NOTHING

    def _sound(self) -> Pcm | None:
        size = self._format.frame_bytes
        here = len(self._buffer) if self._left is None else min(self._left, len(self._buffer))
        whole = here // size * size
        samples = _samples(bytes(self._buffer[:whole]), self._format)
        del self._buffer[:whole]
        if self._left is not None:
            self._left -= whole
            if self._left < size:
                self._state, self._skip = "behind", self._skip + self._left
                return samples
        return samples if whole else None

    def _behind(self) -> Pcm | None:
        """The sound should be over. A client that sends a header of nothing and then sound goes on, though."""
        if not self._skipped() or len(self._buffer) < _FILE_HEADER:
            return None
        if bytes(self._buffer[:4]) not in _AFTER_SOUND:
            self._left, self._state = None, "sound"
        else:
            self._state = "start" if _begins_file(self._buffer) else "chunks"
        return _NOTHING

    def finish(self) -> Iterator[tuple[Pcm, int]]:
        """What was held back because it could have been the begin of something else."""
        if self._state == "start" and self._buffer:
            self._format, self._left, self._state = self._bare, None, "sound"
            yield from self.feed(b"")


_NOTHING: Pcm = np.zeros(0, np.int16)


def _begins_file(data: bytes | bytearray) -> bool:
    return bytes(data[:4]) in _FILES and data[8:12] == b"WAVE"


def _format(chunk: bytes) -> Format:
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if kind == EXTENSIBLE and len(chunk) >= 26:
        (kind,) = struct.unpack_from("<H", chunk, 24)
    known = (kind == INTEGER and bits in (8, 16, 24, 32)) or (kind == FLOAT and bits in (32, 64))
    if not known or channels not in (1, 2) or not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise JobError("source_type_not_supported", "Send WAV with 8 to 32 bits, one or two channels and 8 to 192 kHz.")
    return Format(kind, channels, rate, bits)


def _samples(data: bytes, form: Format) -> Pcm:
    values = _values(data, form)
    if form.channels == 2:
        values = values.reshape(-1, 2).mean(axis=1)
    return np.clip(np.rint(values), -32768, 32767).astype(np.int16)


def _values(data: bytes, form: Format) -> npt.NDArray[np.float64]:
    """On the scale of 16 bits."""
    if form.kind == FLOAT:
        floats = np.frombuffer(data, f"<f{form.bits // 8}").astype(np.float64)
        return np.nan_to_num(floats * 32768.0, nan=0.0)
    if form.bits == 8:
        return (np.frombuffer(data, np.uint8).astype(np.float64) - 128.0) * 256.0
    if form.bits == 24:
        parts = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return np.ascontiguousarray(parts[:, 1:]).view("<i2").reshape(-1).astype(np.float64)
    return np.frombuffer(data, f"<i{form.bits // 8}").astype(np.float64) / 2.0 ** (form.bits - 16)
