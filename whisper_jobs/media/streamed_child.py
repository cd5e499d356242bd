"""The process in which sound is unpacked while it arrives. Run by streamed.py; reads an inherited pipe, writes frames to stdout.

Frames are as the decoding child's: P (samples), E (the end), X (an error).
"""

from __future__ import annotations

import os
from typing import Any

from whisper_jobs.media.decode_child import Frames, run
from whisper_jobs.media.limits import Limits, forbid_new_files, restrict

_OPEN_FILES = 64


class Pipe:
    """What has arrived, as soon as it has."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def read(self, size: int) -> bytes:
        return os.read(self._fd, size)


def _unpack(options: dict[str, Any], frames: Frames) -> None:
    # Loaded before the limits, so that these bound what the sound costs and the loader can still open libraries.
    from whisper_jobs.media import streamed_demuxing

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
    streamed_demuxing.unpack(Pipe(int(options["fd"])), frames, container=options["container"])


if __name__ == "__main__":
    run(_unpack)
