"""The process in which a file is decoded, forked by decode_template.py: reads one inherited file, writes frames.

A frame is one letter, a length and a payload: I (what the file is), P (samples), E (the end, warnings), X (an error).
"""

from __future__ import annotations

import json
import os
import stat
import struct
from collections.abc import Callable
from typing import IO, Any

from whisper_jobs.errors import JobError
from whisper_jobs.media import demuxing, sniffing
from whisper_jobs.media.limits import Limits, begin, forbid_new_files, restrict

_HEADER = struct.Struct(">cI")
_OPEN_FILES = 64


class Original:
    """The file, read by position, so that whoever shares the descriptor is not disturbed."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._position = 0
        self.size = os.fstat(fd).st_size

    def read(self, size: int) -> bytes:
        data = os.pread(self._fd, size, self._position)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def head(self) -> bytes:
        return os.pread(self._fd, sniffing.HEAD_BYTES, 0)


class Frames:
    """The way out, to the parent."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out

    def send(self, kind: bytes, payload: bytes) -> None:
        self._out.write(_HEADER.pack(kind, len(payload)))
        self._out.write(payload)
        self._out.flush()

    def send_json(self, kind: bytes, value: dict[str, Any]) -> None:
        self.send(kind, json.dumps(value).encode())


def run(work: Callable[[dict[str, Any], Frames], None]) -> None:
    """All of a child's life: its options, its work, and what is told of an error."""
    options, out = begin()
    _told(work, options, out)


def perform(options: dict[str, Any], out: IO[bytes]) -> None:
    """All of the life of a decoding child that was forked."""
    _told(_decode, options, out)


def _told(work: Callable[[dict[str, Any], Frames], None], options: dict[str, Any], out: IO[bytes]) -> None:
    frames = Frames(out)
    try:
        work(options, frames)
    except JobError as error:
        frames.send_json(b"X", {"code": error.code, "message": error.message})
    except BrokenPipeError:
        os._exit(0)
    except MemoryError:
        os._exit(1)
    except Exception as error:
        frames.send_json(b"X", {"code": "internal_error", "message": "", "detail": repr(error)})


def _decode(options: dict[str, Any], frames: Frames) -> None:
    original = _opened(int(options["fd"]))
    restrict(
        Limits(
            memory_bytes=options["memory_bytes"],
            cpu_seconds=options["cpu_seconds"],
            file_bytes=0,
            open_files=_OPEN_FILES,
            network=False,
        )
    )
    forbid_new_files()
    demuxing.decode(original, frames, float(options["max_seconds"]))


def _opened(fd: int) -> Original:
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        raise JobError("source_type_not_supported", "Only a plain file can be decoded.")
    original = Original(fd)
    if original.size == 0:
        raise JobError("media_corrupt", "The file is empty. Export or download it again and resubmit it.")
    if sniffing.is_list(original.head()):
        raise JobError(
            "source_type_not_supported",
            "This is a list that points at recordings, not a recording. Submit the recording itself.",
        )
    return original
