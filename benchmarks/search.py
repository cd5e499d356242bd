"""Figure 17: a page of the library for a query, with the places found, in 1,000 hours of words, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.figure import Line, Options, at_most, percentile, told
from benchmarks.server import python
from tests.postgres import cluster

TITLE = "Search"
JOBS, QUICK_JOBS = 1_000, 60
TIMES, QUICK_TIMES = 40, 10
LIMITS_MS = {"PostgreSQL": 150, "SQLite": 300}


def measure(options: Options) -> list[Line]:
    lines = _lines("SQLite", _ask(options, ""))
    with cluster() as url:
        return [*lines, *_lines("PostgreSQL", _ask(options, url))]


def _ask(options: Options, url: str) -> dict[str, Any]:
    data = options.folder / ("postgresql" if url else "sqlite")
    for inner in ("tmp", "static"):
        (data / inner).mkdir(parents=True)
    size = (QUICK_JOBS, QUICK_TIMES) if options.quick else (JOBS, TIMES)
    variables = {"TOOLS_DATA_DIR": str(data), "TOOLS_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}
    process = python("-m", "benchmarks.seeker", *map(str, size), **variables)
    said, _ = process.communicate(timeout=3600)
    if process.returncode:
        raise RuntimeError("the searching process failed")
    answer: dict[str, Any] = json.loads(said)
    return answer


def _lines(database: str, answer: dict[str, Any]) -> list[Line]:
    everything = [taken for times, _ in answer["times"].values() for taken in times]
    first = at_most(
        f"{database}: a page of what is found, p95",
        LIMITS_MS[database],
        [percentile(everything, 0.95)],
        spread=f"median {percentile(everything, 0.5):.0f} ms, {len(everything)} times",
        unit=" ms",
    )
    each = [
        told(f"{database}: {what}, p95", f"{percentile(times, 0.95):.0f} ms", f"{shown:.0f} on the page")
        for what, (times, shown) in answer["times"].items()
    ]
    size = f"{answer['passages']:,} passages", f"stored and indexed in {answer['seconds']:.0f} s"
    return [first, *each, told(f"{database}: size", *size)]
