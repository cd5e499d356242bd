"""Figure 4: a 1-minute job handed in while a 2-hour job runs ÷ the same job alone, with PocketSphinx and one speech worker.

Handed in at the long job's beginning and again when it has long been going on, by its owner and by somebody else.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from benchmarks.figure import Line, Options, at_most, told, wait_until
from benchmarks.server import Account, Server
from benchmarks.sound import speech, write_wav

TITLE = "Head of line"
LONG_SECONDS, QUICK_LONG_SECONDS = 7200, 1200
SHORT_SECONDS = 60
#: Windows of the long job that are done when the short one comes.
EARLY, LATER = 1, 22
ENGINE = {"model": "pocketsphinx", "language": "en"}
MOST_SECONDS = 1200.0


def measure(options: Options) -> list[Line]:
    folder, long_seconds = options.folder, QUICK_LONG_SECONDS if options.quick else LONG_SECONDS
    short = write_wav(folder / "short.wav", speech(options.audio, SHORT_SECONDS, skip=300))
    long = write_wav(folder / "long.wav", speech(options.audio, long_seconds))
    repeats = 1 if options.quick else 2
    with Server(folder / "data") as server:
        alice, bob = server.account("alice"), server.account("bob")
        _timed(server, alice, short)
        alone = [_timed(server, alice, short) for _ in range(repeats + 1)]
        base = statistics.median(alone)
        job = alice.submit_file(long, **ENGINE)
        lines = []
        for when, windows in (("at its beginning", EARLY), ("later", LATER)):
            _wait_for_windows(server, job, windows)
            for who, account in (("the same owner", alice), ("another owner", bob)):
                times = [_timed(server, account, short) / base for _ in range(repeats)]
                lines.append(at_most(f"{when}, {who}", 2.5, times))
        assert server.rows("SELECT decoded_at FROM whisper_job WHERE id = ?", job)[0][0]
        alice.post(f"/api/whisper/jobs/{job}/cancel", {})
    return [*lines, told("alone, seconds", f"{base:.1f}", ", ".join(f"{one:.1f}" for one in alone))]


def _timed(server: Server, account: Account, file: Path) -> float:
    began = time.monotonic()
    job = account.submit_file(file, **ENGINE)
    return server.wait(job, seconds=MOST_SECONDS) - began


def _wait_for_windows(server: Server, job: int, windows: int) -> None:
    def enough() -> bool:
        return bool(server.rows("SELECT windows_done FROM whisper_job WHERE id = ?", job)[0][0] >= windows)

    wait_until(enough, f"{windows} windows of the long job", seconds=MOST_SECONDS, every=0.2)
