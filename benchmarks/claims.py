"""Figure 6: 8 processes claim 5,000 ready steps, on SQLite and on PostgreSQL, beside 8 that do a bare guarded UPDATE.

Both work on the same table with the same indexes, filled anew; the bare one is one statement through the driver alone.
PostgreSQL runs with its usual durability (fsync on), SQLite as the product sets it. Processes connect first, then start together.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Line, Options, at_least, exactly, told
from benchmarks.server import python
from tests.postgres import cluster

TITLE = "Claims"
PROCESSES = 8
STEPS, QUICK_STEPS = 5000, 1000
ROUNDS = 5
DURABLE = ("listen_addresses=", "max_connections=50")


def measure(options: Options) -> list[Line]:
    with cluster(DURABLE) as url:
        databases = {"SQLite": "", "PostgreSQL": url}
        return [line for name, where in databases.items() for line in _compare(name, where, options)]


def _compare(name: str, url: str, options: Options) -> Iterator[Line]:
    steps = QUICK_STEPS if options.quick else STEPS
    folder = options.folder / name
    folder.mkdir()
    rates: dict[str, list[float]] = {"claim": [], "bare": []}
    double = 0
    for _ in range(1 if options.quick else ROUNDS):
        for how, seen in rates.items():
            _call(folder, url, "fill", str(steps))
            taken, seconds = _race(folder, url, how)
            seen.append(steps / seconds)
            double += len(taken) - len(set(taken))
            assert len(set(taken)) == steps, f"{len(set(taken))} of {steps} steps were taken"
    yield exactly(f"{name}: steps claimed twice", 0, double)
    ratios = [claim / bare for claim, bare in zip(rates["claim"], rates["bare"], strict=True)]
    yield at_least(f"{name}: claims ÷ bare updates", 0.5, ratios)
    for how, seen in rates.items():
        yield told(
            f"{name}: {how}, per second", f"{sorted(seen)[len(seen) // 2]:.0f}", f"{min(seen):.0f}–{max(seen):.0f}"
        )


def _variables(folder: Path, url: str) -> dict[str, str]:
    return {"TOOLS_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings"} | (
        {"TOOLS_DATABASE_URL": url} if url else {}
    )


def _call(folder: Path, url: str, *words: str) -> None:
    process = python("-m", "benchmarks.claimer", *words, **_variables(folder, url))
    process.communicate(timeout=300)
    if process.returncode:
        raise RuntimeError(f"benchmarks.claimer {' '.join(words)} failed")


def _race(folder: Path, url: str, how: str) -> tuple[list[int], float]:
    """What all processes took, and the seconds from the first one's begin to the last one's end."""
    with contextlib.ExitStack() as stack:
        racers = [
            stack.enter_context(python("-m", "benchmarks.claimer", how, **_variables(folder, url)))
            for _ in range(PROCESSES)
        ]
        for racer in racers:
            _line_of(racer)
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()
        told = [json.loads(_line_of(racer)) for racer in racers]
    begin, end = min(one["began"] for one in told), max(one["ended"] for one in told)
    return [pk for one in told for pk in one["taken"]], end - begin


def _line_of(racer: subprocess.Popen[str]) -> str:
    assert racer.stdout is not None
    line = racer.stdout.readline()
    if not line:
        raise RuntimeError("a racer ended early")
    return line
