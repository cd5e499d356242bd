"""The bare engine: the windows of a recording through it in a plain process, one after the other.

Run as `python -m benchmarks.bare FILE [PART PARTS [ENGINE]]`, with PART and PARTS for a share of the windows only; shares are as
long as each other, as far as whole windows allow. Prints the seconds that the engine took; reading, decoding and cutting are not
counted. With ENGINE, which is PocketSphinx otherwise, it says “ready” and waits for a line first.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.sound import Pcm
from whisper_jobs.media.decoding import decode
from whisper_jobs.speech.engines import registry
from whisper_jobs.speech.engines.base import SAMPLE_RATE, Options, Setup
from whisper_jobs.speech.windows import Window, WindowCutter


def windows_of(file: Path) -> list[Window]:
    """As the decode step finds them."""
    cutter = WindowCutter()
    with decode(file) as sound:
        found = [window for samples in sound for window in cutter.feed(samples)]
    return found + cutter.finish()


def floats(samples: Pcm) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return samples.astype(np.float32).reshape(-1) / np.float32(32768)


def shares(windows: list[Window], parts: int) -> list[list[Window]]:
    """The longest first, each to who has the least."""
    found: list[list[Window]] = [[] for _ in range(parts)]
    for window in sorted(windows, key=lambda each: each.end - each.start, reverse=True):
        min(found, key=lambda each: sum(one.end - one.start for one in each)).append(window)
    return found


def main() -> None:
    file, *told = sys.argv[1:]
    part, parts = (int(word) for word in told[:2] or ("0", "1"))
    name = told[2] if len(told) > 2 else "pocketsphinx"
    windows = shares(windows_of(Path(file)), parts)[part]
    engine = registry.engine_class(name)("", Setup())
    engine.transcribe([np.zeros(SAMPLE_RATE, np.float32)], Options())
    if len(told) > 2:
        print("ready", flush=True)
        sys.stdin.readline()
    began = time.monotonic()
    for window in windows:
        engine.transcribe([floats(window.samples)], Options())
    print(time.monotonic() - began)


if __name__ == "__main__":
    main()
