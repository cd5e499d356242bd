"""A supervisor over tiny processes: `python -m tests.serve.supervised FOLDER NAME…`, NAME being a function here."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from config.children import Child
from config.output import Output
from config.supervisor import Supervisor


def sleeper() -> None:
    print("asleep")
    time.sleep(600)


def stubborn() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("deaf")
    while True:
        time.sleep(1)


def parent() -> None:
    child = subprocess.Popen(["sleep", "600"])
    print("grandchild", child.pid)
    child.wait()


def crasher() -> None:
    raise RuntimeError("no use")


def chatty() -> None:
    print("x" * 100_000)
    print("after the long line")
    while True:
        print("y" * 1000)


def main() -> None:
    folder = Path(sys.argv[1])
    children = [Child(name, globals()[name]) for name in sys.argv[2:]]
    for name in ("run", "log"):
        (folder / name).mkdir(exist_ok=True)
    Supervisor(folder / "run", Output(folder / "log"), children, stop_seconds=2.0).run()
    print("stopped", flush=True)


if __name__ == "__main__":
    main()
