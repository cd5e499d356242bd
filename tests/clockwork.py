"""An engine for tests and the bench: a fixed time per second of sound, and words that are fingerprints of what it heard.

One word per second of the window, each the checksum of its samples: so a loss or a doubling is seen exactly when the words are
compared with those of the same recording cut into windows elsewhere. Named to a server by TOOLS_EXTRA_ENGINES.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines.base import SAMPLE_RATE, Options, Quality, Result, Samples, Setup
from whisper_jobs.speech.transcript import Segment, Word

#: Seconds of work per second of sound.
FACTOR = "CLOCKWORK_FACTOR"
#: A file that gets a line at the begin and the end of each window: what, pid, fingerprint, monotonic time.
LOG = "CLOCKWORK_LOG"
PIECE_SECONDS = 0.05


class Clockwork:
    name = "clockwork"
    quality: Quality = "draft"

    def __init__(self, model: str = "", setup: Setup | None = None) -> None:
        self._factor = float(os.environ.get(FACTOR, "0.02"))
        self.batch = (setup and setup.batch) or 1

    def transcribe(self, windows: Sequence[Samples], options: Options) -> list[Result]:
        return [self._window(samples, options) for samples in windows]

    def _window(self, samples: Samples, options: Options) -> Result:
        segment = heard(samples)
        _note("begin", segment)
        _take(len(samples) / SAMPLE_RATE * self._factor, options)
        _note("end", segment)
        return Result((segment,), "en")


def heard(samples: Samples) -> Segment:
    """What the clockwork hears in a window; times on the window's clock."""
    pcm = np.rint(samples * 32768.0).astype("<i2")
    words = tuple(_word(pcm, first) for first in range(0, len(pcm), SAMPLE_RATE))
    return Segment(0.0, len(pcm) / SAMPLE_RATE, " ".join(word.text for word in words), words)


def _word(pcm: np.ndarray[tuple[int], np.dtype[np.int16]], first: int) -> Word:
    second = pcm[first : first + SAMPLE_RATE]
    return Word(first / SAMPLE_RATE, (first + len(second)) / SAMPLE_RATE, f"{zlib.crc32(second.tobytes()):08x}", 1.0)


def _take(seconds: float, options: Options) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if options.should_stop():
            raise JobError("cancelled")
        time.sleep(min(PIECE_SECONDS, left))


def _note(what: str, segment: Segment) -> None:
    if path := os.environ.get(LOG):
        fingerprint = zlib.crc32(segment.text.encode())
        line = f"{what} {os.getpid()} {fingerprint:08x} {time.monotonic():.3f}\n"
        # One short append is never torn, whoever else writes.
        with Path(path).open("ab", buffering=0) as file:
            file.write(line.encode())
