"""A live session on the disk: its sound as it comes, a journal of what is final. Whatever dies, a recording is made of it.

The sound is a WAV file whose header is completed at the end, so that it becomes the recording's original as it is. A line of
the journal is on the disk only after the sound that it tells of.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from whisper_jobs.hearing import packed
from whisper_jobs.speech.streaming.heard import Closed
from whisper_jobs.speech.transcript import Segment
from whisper_jobs.speech.windows import Pcm

Json = dict[str, Any]
SAMPLE_RATE = 16_000
BYTES_PER_SECOND = 2 * SAMPLE_RATE
_PLAIN = ("start", "end", "speech", "language", "language_probability")
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_MOST_DATA = 0xFFFF_FFFF - _HEADER.size
#: Seconds: times are told in thousandths.
ROUNDING = 1e-3
#: Read at once when the sound is gone through.
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Head:
    """What was decided when the session began. `started_at` is seconds since 1970."""

    backend: str
    engine: str
    model: str
    quality: str
    reason: str
    started_at: float


@dataclass(frozen=True, slots=True)
class Journal:
    """What is known of a session. `is_done`: there are no words behind the last window."""

    head: Head | None
    windows: tuple[Closed, ...]
    is_done: bool

    @property
    def heard_until(self) -> float:
        return self.windows[-1].end if self.windows else 0.0

    @property
    def language(self) -> tuple[str | None, float | None]:
        """What the first utterance with words was said in, and how sure that is."""
        told = ((one.language, one.language_probability) for one in self.windows if one.language and one.segments)
        return next(told, (None, None))


class Spool:
    """Written by one session, in one thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sound = (folder / "sound.wav").open("ab", buffering=0)
        self._journal = (folder / "journal").open("ab", buffering=0)
        self._finals = (folder / "finals").open("ab", buffering=0)
        self._bytes = sound_bytes(folder)

    @classmethod
    def begin(cls, folder: Path, head: Head) -> Spool:
        """Raises OSError, and FileExistsError for a session that has begun before."""
        folder.mkdir(mode=0o700, parents=True)
        (folder / "sound.wav").write_bytes(_header(0))
        spool = cls(folder)
        spool._note({"head": asdict(head)})
        return spool

    @property
    def seconds(self) -> float:
        return self._bytes / BYTES_PER_SECOND

    def add(self, sound: Pcm) -> None:
        """Raises OSError where the disk is full; what could be written stays."""
        data = memoryview(sound.astype("<i2", copy=False).tobytes())
        while data:
            written = self._sound.write(data) or 0
            self._bytes += written
            data = data[written:]

    def close_window(self, window: Closed) -> None:
        """Raises OSError."""
        told = {name: getattr(window, name) for name in _PLAIN}
        self._note({"window": {**told, "segments": packed.segments(window.segments)}})

    def silence(self, start: float) -> None:
        """What came from this second on is silence, and no words were said in it. Raises OSError."""
        self._note({"cleared": start})
        first = 2 * round(start * SAMPLE_RATE)
        with (self.folder / "sound.wav").open("r+b") as sound:
            sound.seek(_HEADER.size + first)
            for left in range(self._bytes - first, 0, -_PIECE):
                sound.write(bytes(min(left, _PIECE)))
        told = [line for line in _lines(self.folder / "finals") if line["end"] <= start + ROUNDING]
        self._finals.truncate(0)
        for line in told:
            self.keep_final(line)

    def all_heard(self) -> None:
        self._note({"done": True})

    def keep_final(self, delta: Json) -> None:
        """As it was told, for a client that comes back."""
        self._finals.write(json.dumps(delta).encode() + b"\n")

    def finals(self, after: float) -> Iterator[Json]:
        """Final deltas that end after this second."""
        for line in _lines(self.folder / "finals"):
            if line["end"] > after + ROUNDING:
                yield line

    def close(self) -> None:
        for file in (self._sound, self._journal, self._finals):
            file.close()

    def _note(self, line: Json) -> None:
        os.fdatasync(self._sound.fileno())
        self._journal.write(json.dumps(line).encode() + b"\n")
        os.fdatasync(self._journal.fileno())


# --- what is there --------------------------------------------------------------------------------


def left(root: Path) -> list[UUID]:
    """The sessions that have a folder, whoever left it."""
    found = []
    for folder in root.iterdir() if root.is_dir() else ():
        try:
            found.append(UUID(folder.name))
        except ValueError:
            continue
    return sorted(found)


def read(folder: Path) -> Journal:
    """Lines that were being written when the process died are passed over, as is the head that was never written."""
    head, is_done = None, False
    windows: list[Closed] = []
    for line in _lines(folder / "journal"):
        if "head" in line:
            head = Head(**line["head"])
        elif "window" in line:
            windows.append(_window(line["window"]))
        elif "cleared" in line:
            windows = [window for window in windows if window.end <= line["cleared"] + ROUNDING]
        is_done = "done" in line
    told = None if is_done else _told_since(folder, windows[-1].end if windows else 0.0)
    return Journal(head, (*windows, told) if told else tuple(windows), is_done)


def _told_since(folder: Path, end: float) -> Closed | None:
    """Words behind the last window that somebody was told as final: of an utterance that was still going on."""
    finals = [line for line in _lines(folder / "finals") if line["end"] > end + ROUNDING]
    segments = tuple(Segment(max(end, line["start"]), line["end"], line["text"]) for line in finals)
    if not segments:
        return None
    start, until = segments[0].start, segments[-1].end
    return Closed(start, until, ((start, until),), segments)


def _window(told: Json) -> Closed:
    spans = tuple((start, end) for start, end in told["speech"])
    return Closed(**{**told, "speech": spans, "segments": packed.segments_of(told["segments"])})


def _lines(file: Path) -> Iterator[Json]:
    if not file.is_file():
        return
    with file.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield json.loads(line)


def sound_bytes(folder: Path) -> int:
    """Of whole samples, without the header."""
    file = folder / "sound.wav"
    size = file.stat().st_size if file.is_file() else 0
    return max(0, size - _HEADER.size) // 2 * 2


def sound(folder: Path, *, start: float = 0.0) -> Iterator[Pcm]:
    """The samples from this second on, in pieces."""
    first = round(start * SAMPLE_RATE) * 2
    left_over = sound_bytes(folder) - first
    if left_over <= 0:
        return
    with (folder / "sound.wav").open("rb") as file:
        file.seek(_HEADER.size + first)
        while left_over > 0 and (piece := file.read(min(_PIECE, left_over))):
            left_over -= len(piece)
            yield np.frombuffer(piece[: len(piece) // 2 * 2], dtype="<i2").astype(np.int16, copy=False)


def seal(folder: Path) -> Path:
    """Completes the header; the file is then a recording."""
    path, size = folder / "sound.wav", sound_bytes(folder)
    with path.open("r+b") as file:
        file.truncate(_HEADER.size + size)
        file.write(_header(size))
        file.flush()
        os.fsync(file.fileno())
    return path


def discard(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _header(data_bytes: int) -> bytes:
    """RIFF, PCM, one channel, 16 bits. One that is too long for its fields has the largest number in them."""
    size = min(data_bytes, _MOST_DATA)
    form = (b"WAVE", b"fmt ", 16, 1, 1, SAMPLE_RATE, BYTES_PER_SECOND, 2, 16)
    return _HEADER.pack(b"RIFF", size + _HEADER.size - 8, *form, b"data", size)
