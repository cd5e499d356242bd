"""Figure 7: the list of jobs (API and page) and the claim in a table of 1,000,000 jobs ÷ in one of 1,000, on PostgreSQL.

Two databases of one cluster, each with three steps per job and the same number of jobs waiting; a process for each, asked in turns.
Those who look: an owner of a tenth of the jobs, and a manager who sees all. Also told: the large table with 10,000 jobs waiting.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figure import Line, Options, at_most, exactly, percentile, told
from benchmarks.server import python
from tests.postgres import cluster, folder_of_programs

TITLE = "A million jobs"
SMALL, LARGE, QUICK_LARGE = 1_000, 1_000_000, 50_000
WAITING, MANY_WAITING = 100, 10_000
ROUNDS, QUICK_ROUNDS = 60, 15
PER_ROUND = 5
LIMIT = 1.5


def measure(options: Options) -> list[Line]:
    large = QUICK_LARGE if options.quick else LARGE
    with cluster() as url, contextlib.ExitStack() as stack:
        few = stack.enter_context(_Reader(options.folder, url, "small", (SMALL, WAITING)))
        many = stack.enter_context(_Reader(options.folder, url, "large", (large, WAITING)))
        many_waiting = stack.enter_context(_Reader(options.folder, url, "crowd", (large, MANY_WAITING)))
        readers = (few, many, many_waiting)
        for _ in range(QUICK_ROUNDS if options.quick else ROUNDS):
            for reader in readers:
                reader.round()
        lines = [line for what in few.times for line in _compare(what, few, many)]
        lines += [_crowded(what, few, many_waiting) for what in few.times]
        return [*lines, told("rows", f"{large:,} jobs, {3 * large:,} steps ÷ {SMALL:,} and {3 * SMALL:,}")]


class _Reader:
    """A process on a database of its own (see reader.py), and what it measured: seconds and query counts by name."""

    def __init__(self, folder: Path, url: str, name: str, size: tuple[int, int]) -> None:
        self.times: dict[str, list[float]] = {}
        self.queries: dict[str, set[int]] = {}
        socket = url.removeprefix("postgresql:///").rpartition("/tools")[0]
        subprocess.run([folder_of_programs() / "createdb", "-h", socket, "-U", "tools", name], check=True)
        data = folder / name
        for inner in ("tmp", "static"):
            (data / inner).mkdir(parents=True)
        self._process = python(
            "-m",
            "benchmarks.reader",
            *map(str, size),
            TOOLS_DATA_DIR=str(data),
            TOOLS_DATABASE_URL=url.replace("/tools?", f"/{name}?"),
            TOOLS_MAX_QUEUED_JOBS="1000000",
            TOOLS_API_PER_MINUTE="1000000",
            DJANGO_SETTINGS_MODULE="config.settings",
        )

    def __enter__(self) -> _Reader:
        self._line()
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)

    def round(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{PER_ROUND}\n")
        self._process.stdin.flush()
        for what, seconds, queries in json.loads(self._line()):
            self.times.setdefault(what, []).append(seconds)
            self.queries.setdefault(what, set()).add(queries)

    def p95(self, what: str) -> float:
        return 1000 * percentile(self.times[what], 0.95)

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the reading process ended early")
        return line


def _compare(what: str, few: _Reader, many: _Reader) -> Iterator[Line]:
    yield at_most(f"{what}: p95 ÷ p95", LIMIT, [many.p95(what) / few.p95(what)], spread=_ms(what, few, many))
    yield exactly(f"{what}: queries", _count(few, what), _count(many, what))


def _crowded(what: str, few: _Reader, crowd: _Reader) -> Line:
    value = f"{crowd.p95(what) / few.p95(what):.3g}"
    return told(f"{what}: p95 ÷ p95 with {MANY_WAITING:,} waiting", value, _ms(what, few, crowd))


def _ms(what: str, few: _Reader, many: _Reader) -> str:
    return f"{few.p95(what):.1f} ms → {many.p95(what):.1f} ms, {len(few.times[what])} times"


def _count(reader: _Reader, what: str) -> Any:
    return "/".join(map(str, sorted(reader.queries[what])))
