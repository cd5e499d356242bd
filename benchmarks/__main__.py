"""`python -m benchmarks [NAME …] [--quick] [--audio FOLDER]`: measures, prints, and notes full runs in docs/benchmarks.md."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.figure import Options

NAMES = (
    "overhead",
    "first_words",
    "memory",
    "head_of_line",
    "crash",
    "claims",
    "million",
    "sockets",
    "callbacks",
    "uploads",
    "submit",
    "detail",
    "pages",
    "editor",
    "speakers",
    "recognition",
    "search",
    "speech",
    "draft",
    "spots",
    "live",
    "formats",
    "openai",
)


def main() -> int:
    asked = _arguments()
    met = [_run(name, asked) for name in asked.names or NAMES]
    return 0 if all(met) else 1


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="script/bench", description="Measures the figures of docs/benchmarks.md.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; all when none is given")
    parser.add_argument("--quick", action="store_true", help="shorter forms that only show that all is well; not noted")
    parser.add_argument("--audio", type=Path, metavar="FOLDER", help="recordings of speech with a MANIFEST.tsv")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(NAMES):
        parser.error(f"no figure is called {', '.join(sorted(unknown))}")
    return asked


def _run(name: str, asked: Any) -> bool:
    figure = import_module(f"benchmarks.{name}")
    where, began = report.machine(), time.monotonic()
    print(f"── {figure.TITLE}", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        lines = figure.measure(Options(Path(folder), quick=asked.quick, audio=asked.audio and asked.audio.resolve()))
    seconds = time.monotonic() - began
    print(f"{report.table(lines)}\n{seconds:.0f} s · {where}\n", flush=True)
    if not asked.quick:
        audio = " --audio FOLDER" if asked.audio else ""
        report.write(name, lines, where=where, command=f"script/bench {name}{audio}", seconds=seconds)
    return all(line.met is not False for line in lines)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # Asked to stop, it still stops what it started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
