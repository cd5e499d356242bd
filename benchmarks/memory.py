"""Figure 3: a worker's peak memory for a 10-hour recording ÷ that for 10 minutes.

Peak resident memory (VmHWM) of each worker process and of the children that fetch and decode, each time on a fresh server. The
recording comes from a link, so that fetching is measured too; the clockwork engine says one word a second.
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import psutil

from benchmarks.figure import Line, Options, at_most, told
from benchmarks.server import Server
from benchmarks.sound import site, write_flac

TITLE = "Memory of a worker"
SHORT_SECONDS, LONG_SECONDS, QUICK_SECONDS = 600, 36_000, 3_600
MOST_SECONDS = 3000.0
LOOK_SECONDS = 0.05
PARTS = ("worker-fetch-1", "worker-speech-1", "worker-deliver")


def measure(options: Options) -> list[Line]:
    long_seconds = QUICK_SECONDS if options.quick else LONG_SECONDS
    files = options.folder / "site"
    files.mkdir()
    write_flac(files / "short.flac", options.audio, SHORT_SECONDS)
    write_flac(files / "long.flac", options.audio, long_seconds)
    with site(files) as address:
        short = _peaks(options.folder / "short", f"{address}/short.flac")
        long = _peaks(options.folder / "long", f"{address}/long.flac")
    lines = [_line(name, short[name], long[name]) for name in sorted(short.keys() & long.keys())]
    return [*lines, told("length of the long recording, hours", f"{long_seconds / 3600:g}")]


def _line(name: str, short: float, long: float) -> Line:
    return at_most(name, 1.15, [long / short], spread=f"{short:.0f} MB → {long:.0f} MB")


def _peaks(folder: Path, url: str) -> dict[str, float]:
    with Server(folder, TOOLS_FETCH_WORKERS="1", CLOCKWORK_FACTOR="0.001") as server, _Looking(server) as looking:
        job = server.admin.submit_url(url, model="clockwork")
        server.wait(job, seconds=MOST_SECONDS)
    return looking.peaks


class _Looking:
    """Reads the kernel's own high-water marks again and again; the last look at each process is its peak, in MB."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self.peaks: dict[str, float] = {}

    def __enter__(self) -> _Looking:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _look_on(self) -> None:
        workers = {name: pid for name, pid in self._server.pids().items() if name in PARTS}
        while not self._over.wait(LOOK_SECONDS):
            for name, pid in workers.items():
                self._note(name, pid)
                for child in psutil.Process(pid).children(recursive=True):
                    self._note(_name_of(child), child.pid)

    def _note(self, name: str, pid: int) -> None:
        # A child that is being made is still a copy of its parent.
        if name:
            with contextlib.suppress(OSError, StopIteration):
                self.peaks[name] = max(self.peaks.get(name, 0.0), _peak_mb(pid))


def _name_of(child: psutil.Process) -> str:
    """Decoding children have the name of the template that they are forked from."""
    with contextlib.suppress(psutil.Error):
        words = child.cmdline()
        return next((word.rpartition(".")[2] for word in words if word.endswith(("_child", "_template"))), "")
    return ""


def _peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
