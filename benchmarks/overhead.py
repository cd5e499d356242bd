"""Figure 1: from submit to completed through the whole stack ÷ the bare engine on the same recording with the same threads.

The bare engine is a plain process that gets the same windows, ready cut (see bare.py). Engine and server have done a short
recording before, so that neither figure holds the loading of the model. Also told: two bare engines side by side, each with half of
the windows, which is the best that two workers could do on this machine.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.figure import Line, Options, at_most, told
from benchmarks.server import Server, python
from benchmarks.sound import speech, write_wav

TITLE = "Overhead of the whole stack"
SECONDS, QUICK_SECONDS = 600, 60
ROUNDS = 1
ENGINE = {"model": "pocketsphinx", "language": "en"}
MOST_SECONDS = 1800.0


def measure(options: Options) -> list[Line]:
    seconds = QUICK_SECONDS if options.quick else SECONDS
    file = write_wav(options.folder / "recording.wav", speech(options.audio, seconds))
    warm = write_wav(options.folder / "warm.wav", speech(options.audio, 12))
    bare: list[float] = []
    stack: dict[int, list[float]] = {1: [], 2: []}
    halves: list[float] = []
    for turn in range(ROUNDS):
        # The bare engine before and after, so that a machine that slows down shows.
        bare.append(_bare(file))
        for workers, taken in stack.items():
            taken.append(_stack(options.folder / f"data-{workers}-{turn}", file, warm, workers=workers))
        bare.append(_bare(file))
        halves.append(_bare_halves(file))
    base = sum(bare) / len(bare)
    return [
        at_most("one speech worker", 1.10, [taken / base for taken in stack[1]]),
        at_most("two speech workers", 0.60, [taken / base for taken in stack[2]]),
        told("two bare engines side by side ÷ one", f"{sum(halves) / len(halves) / base:.3g}"),
        told("bare engine, seconds", f"{base:.1f}", ", ".join(f"{one:.1f}" for one in bare)),
    ]


def _bare(file: Path, *part: str) -> float:
    process = python("-m", "benchmarks.bare", str(file), *part, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    said, _ = process.communicate(timeout=MOST_SECONDS)
    return float(said)


def _bare_halves(file: Path) -> float:
    """The slower of two processes at once."""
    with ThreadPoolExecutor(2) as both:
        return max(both.map(lambda part: _bare(file, part, "2"), ("0", "1")))


def _stack(folder: Path, file: Path, warm: Path, *, workers: int) -> float:
    with Server(folder, TOOLS_SPEECH_WORKERS=str(workers)) as server:
        # Every worker loads the engine: with so many short jobs at once each gets at least one.
        for job in [server.admin.submit_file(warm, **ENGINE) for _ in range(2 * workers)]:
            server.wait(job, seconds=120)
        began = time.monotonic()
        job = server.admin.submit_file(file, **ENGINE)
        return server.wait(job, seconds=MOST_SECONDS) - began
