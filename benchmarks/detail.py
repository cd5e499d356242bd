"""Figure 12: a job with 10,000 segments, and a list of 100 jobs of which 20 wait, through the API on the embedded default."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from pathlib import Path

from benchmarks.figure import Line, Options, at_most, exactly, percentile, told
from benchmarks.server import Account, Server, python

TITLE = "Detail and list"
SEGMENTS, FEW_SEGMENTS = 10_000, 10
LISTED = 100
TIMES, QUICK_TIMES = 300, 40
LIMIT_MS = 150
MOST_QUERIES = 6


def measure(options: Options) -> list[Line]:
    times = QUICK_TIMES if options.quick else TIMES
    with Server(options.folder / "data") as server:
        account = server.account("alice")
        filled = _fill(options.folder / "data", account.email)
        taken = {what: _timed(account, path, times) for what, path in filled["paths"].items()}
    queries = filled["queries"]
    return [
        at_most(
            f"a job with {SEGMENTS:,} segments: p95",
            LIMIT_MS,
            [taken["detail"][0]],
            spread=taken["detail"][1],
            unit=" ms",
        ),
        exactly("its queries, as those of a job with 10", queries["few"], queries["detail"]),
        told("500 of its segments: p95", f"{taken['segments'][0]:.0f} ms", taken["segments"][1]),
        told(f"list of {LISTED}: p95", f"{taken['list'][0]:.0f} ms", taken["list"][1]),
        at_most(f"list of {LISTED}: queries", MOST_QUERIES, [float(str(queries["list"]))], spread="1 run"),
    ]


def _fill(data: Path, email: str) -> dict[str, dict[str, object]]:
    """Stores the jobs, from a process of its own, which also counts the queries of each answer."""
    sizes = [str(size) for size in (SEGMENTS, FEW_SEGMENTS, LISTED)]
    variables = {"TOOLS_DATA_DIR": str(data), "DJANGO_SETTINGS_MODULE": "config.settings"}
    process = python("-m", "benchmarks.filler", email, *sizes, **variables)
    said, _ = process.communicate(timeout=300)
    if process.returncode:
        raise RuntimeError("the jobs could not be stored")
    filled: dict[str, dict[str, object]] = json.loads(said)
    return filled


def _timed(account: Account, path: object, times: int) -> tuple[float, str]:
    """p95 in milliseconds over one kept connection, and the rest in words."""
    headers, taken = {"Authorization": f"Bearer {account.token()}"}, []
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", account.port, timeout=60)) as connection:
        for _ in range(times + 5):
            began = time.perf_counter()
            connection.request("GET", str(path), headers=headers)
            answer = connection.getresponse()
            size = len(answer.read())
            taken.append(1000 * (time.perf_counter() - began))
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status}")
    taken = taken[5:]
    return percentile(taken, 0.95), f"median {percentile(taken, 0.5):.0f} ms, {size / 1000:.0f} kB, {times} times"
