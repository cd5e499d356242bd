"""Figure: callbacks that are all due at once, to a local receiver that fails one in five; then the same under kill -9.

The whole server runs; its deliverer is the worker of the deliver lane. Attempts that have failed are made due again at once by the
bench, since the product's own pauses are minutes and hours. The receiver knows callbacks by their id, as the contract asks.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil

from benchmarks.figure import Line, Options, exactly, told, wait_until
from benchmarks.server import ADMIN, Server, python

TITLE = "Callbacks"
CALLBACKS, QUICK_CALLBACKS = 10_000, 600
KILLS, QUICK_KILLS = 10, 3
FAILURES = 0.2
SEED = 3
MOST_SECONDS = 900.0
LOOK_SECONDS = 0.05
#: How often those that wait for their next attempt are made due.
HURRY_SECONDS = 0.5
_HURRY = """
UPDATE whisper_delivery SET due_at = '2000-01-01 00:00:00' WHERE state = 'due' AND run_id IS NULL AND attempts > 0
"""


class Receiver(ThreadingHTTPServer):
    """Fails one request in five at random; `taken` counts the others by their id."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.taken: Counter[str] = Counter()
        self.refused = 0
        self.turn = threading.Lock()
        self.random = random.Random(SEED)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"

    def judge(self, message_id: str) -> int:
        with self.turn:
            if self.random.random() < FAILURES:
                self.refused += 1
                return 500
            self.taken[message_id] += 1
            return 200

    def handle_error(self, request: object, client_address: object) -> None:
        """A deliverer that was killed in the middle."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Receiver

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.judge(self.headers["webhook-id"])
        self.wfile.write(f"HTTP/1.1 {status} .\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        self.close_connection = True


@dataclass
class Outcome:
    """`stored` counts rows by state; `stalls` are the seconds from each kill until something was taken again."""

    seconds: float
    attempts: int
    taken: Counter[str]
    stored: dict[str, int]
    stalls: list[float] = field(default_factory=list)


def measure(options: Options) -> list[Line]:
    wanted = QUICK_CALLBACKS if options.quick else CALLBACKS
    kills = QUICK_KILLS if options.quick else KILLS
    calm = _deliver(options.folder / "calm", wanted, kills=0)
    rough = _deliver(options.folder / "rough", wanted, kills=kills)
    return [
        told("delivered per second, one deliverer", f"{wanted / calm.seconds:.0f}", f"{calm.attempts} attempts"),
        exactly("delivered, by id", wanted, len(calm.taken)),
        exactly("taken by the receiver more than once", 0, _doubles(calm)),
        exactly("kill -9 of the deliverer while it sends", kills, len(rough.stalls)),
        exactly("delivered over the kills, by id", wanted, len(rough.taken)),
        exactly("of them stored as delivered", {"delivered": wanted}, rough.stored),
        told("taken more than once over the kills", str(_doubles(rough)), "the kill came between answer and record"),
        told("longest pause after a kill, seconds", f"{max(rough.stalls):.1f}"),
    ]


def _doubles(outcome: Outcome) -> int:
    return sum(outcome.taken.values()) - len(outcome.taken)


def _deliver(folder: Path, wanted: int, *, kills: int) -> Outcome:
    with Server(folder) as server, _receiving() as receiver:
        filler = python("-m", "benchmarks.outbox", ADMIN, str(wanted), receiver.url, **_variables(server))
        if filler.wait(300):
            raise RuntimeError("the callbacks could not be made")
        began = time.monotonic()
        with _hurrying(folder / "db.sqlite3"):
            stalls = [_kill(server, receiver, (place + 1) * wanted // (kills + 2)) for place in range(kills)]
            wait_until(lambda: len(receiver.taken) == wanted, "all are taken", seconds=MOST_SECONDS, every=LOOK_SECONDS)
            seconds = time.monotonic() - began
            wait_until(lambda: _stored(server) == {"delivered": wanted}, "all are stored", seconds=60, every=0.2)
        attempts = sum(receiver.taken.values()) + receiver.refused
        return Outcome(seconds, attempts, receiver.taken, _stored(server), stalls)


def _variables(server: Server) -> dict[str, str]:
    return {**server.variables, "DJANGO_SETTINGS_MODULE": "config.settings"}


def _stored(server: Server) -> dict[str, int]:
    return dict(server.rows("SELECT state, count(*) FROM whisper_delivery GROUP BY state"))


def _kill(server: Server, receiver: Receiver, at: int) -> float:
    """Kills the deliverer when so many have been taken; the seconds until the next one is."""
    wait_until(lambda: len(receiver.taken) >= at, f"{at} are taken", seconds=MOST_SECONDS, every=LOOK_SECONDS)
    process = psutil.Process(server.pids()["worker-deliver"])
    # Nothing but a child of this very server is ever killed.
    assert process.ppid() == server.process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    dead, before = time.monotonic(), sum(receiver.taken.values())
    wait_until(lambda: sum(receiver.taken.values()) > before, "it goes on", seconds=60, every=LOOK_SECONDS)
    return time.monotonic() - dead


@contextlib.contextmanager
def _receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        receiver.server_close()
        thread.join()


@contextlib.contextmanager
def _hurrying(database: Path) -> Iterator[None]:
    """Makes those that have failed due again, every now and then, while the block lasts."""
    over = threading.Event()

    def hurry() -> None:
        with contextlib.closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
            while not over.wait(HURRY_SECONDS):
                connection.execute(_HURRY)

    thread = threading.Thread(target=hurry, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
