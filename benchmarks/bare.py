"""The bare engine: the windows of a recording through PocketSphinx in a plain process, one after the other.

Run as `python -m benchmarks.bare FILE [PART PARTS]`, with the latter for every so-manieth window only. Prints the seconds that the
engine took; reading, decoding and cutting are not counted.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.sound import Pcm
from whisper_jobs.media.decoding import decode
from whisper_jobs.speech.engines.base import SAMPLE_RATE, Options
from whisper_jobs.speech.engines.pocketsphinx import PocketSphinx
from whisper_jobs.speech.windows import Window, WindowCutter


def windows_of(file: Path) -> list[Window]:
    """As the decode step finds them."""
    cutter = WindowCutter()
    with decode(file) as sound:
        found = [window for samples in sound for window in cutter.feed(samples)]
    return found + cutter.finish()


def floats(samples: Pcm) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return samples.astype(np.float32).reshape(-1) / np.float32(32768)


def main() -> None:
    part, parts = (int(word) for word in sys.argv[2:4] or ("0", "1"))
    windows = windows_of(Path(sys.argv[1]))[part::parts]
    engine = PocketSphinx()
    engine.transcribe([np.zeros(SAMPLE_RATE, np.float32)], Options())
    began = time.monotonic()
    for window in windows:
        engine.transcribe([floats(window.samples)], Options())
    print(time.monotonic() - began)


if __name__ == "__main__":
    main()
