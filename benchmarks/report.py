"""The table on the terminal, and the same in docs/benchmarks.md between the marks of its figure."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks.figure import Line

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
_MARKS = {None: "", True: "yes", False: "**no**"}


def table(lines: Sequence[Line]) -> str:
    rows = [("figure", "target", "measured", "spread", "met"), ("---",) * 5]
    rows += [(one.what, one.target, one.measured, one.spread, _MARKS[one.met]) for one in lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def machine() -> str:
    """The machine, and how busy it was when asked."""
    memory = psutil.virtual_memory().total / (1 << 30)
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    load = os.getloadavg()[0]
    return f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GB, {system}; load {load:.1f} at the start"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found.group(1) if found else platform.machine()


def write(name: str, lines: Sequence[Line], *, where: str, command: str, seconds: float) -> None:
    """Puts a run's table in the place of the last one."""
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    text = f"{table(lines)}\n\n`{command}` · {day}, {seconds:.0f} s · {where}"
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, _, rest = DOCUMENT.read_text().partition(begin)
    if not rest:
        raise RuntimeError(f"{DOCUMENT} has no place {begin}")
    after = rest.partition(end)[2]
    DOCUMENT.write_text(f"{before}{begin}\n{text}\n{end}{after}")
