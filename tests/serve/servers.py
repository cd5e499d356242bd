"""A whole server on a data folder and a port of its own, started as script/server starts it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from tests.serve.ports import free_port, wait_until
from tests.serve.prepared import ROOT, prepare
from tests.serve.seeding import Seeder

__all__ = ["ADMIN", "NAMES", "ROOT", "RunningServer", "environment", "running_server"]
ADMIN = ("root@example.test", "Correct-horse-9-battery")
WORKERS = ("fetch-1", "fetch-2", "speech-1", "enrich-1", "enrich-2", "deliver")
NAMES = {"redis", "web", "beat", "live", "live-ear-1", *(f"worker-{name}" for name in WORKERS)}


def environment(folder: Path, port: int, **variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOOLS_")}
    given = {
        "TOOLS_DATA_DIR": str(folder),
        "TOOLS_PORT": str(port),
        "TOOLS_ADMIN_EMAIL": ADMIN[0],
        "TOOLS_ADMIN_PASSWORD": ADMIN[1],
        # A test that waits for the end of a job asks more often than a polite client.
        "TOOLS_API_PER_MINUTE": "1000000",
    }
    return {**kept, **given, **variables}


@contextlib.contextmanager
def running_server(folder: Path, **variables: Any) -> Iterator[RunningServer]:
    """A server that is ready, and ended afterwards."""
    running = RunningServer(folder, **variables)
    try:
        running.wait_ready()
        yield running
    finally:
        running.end()


class RunningServer:
    """`manage.py serve`, and every process that was ever seen below it. A `bare` one makes its tables and static files itself."""

    def __init__(self, folder: Path, *, bare: bool = False, **variables: str) -> None:
        self.folder, self.port = folder if bare else prepare(folder), free_port()
        self.seen: set[psutil.Process] = set()
        self.out = folder.parent / f"{folder.name}-{self.port}.out"
        self.seeder = Seeder(environment(folder, self.port, **variables))
        #: The admin's browser, once somebody has signed in for all modules that use this server.
        self.cookies: Any = None
        with self.out.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve"],
                cwd=ROOT,
                env=environment(folder, self.port, **variables),
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def get(self, path: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def is_ready(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.get("/readyz")[0] == 200
        return False

    def wait_ready(self) -> None:
        wait_until(self.is_ready, "ready", seconds=60, process=self.process)
        self.seen.update(psutil.Process(self.process.pid).children(recursive=True))

    def seed(self, function: str, *given: Any) -> Any:
        """What a function, named as `module:name`, answers in a process with the server's settings and data."""
        return self.seeder.call(function, *given)

    def manage(self, *words: str) -> str:
        """What a command of `manage.py` prints."""
        return str(self.seeder.call("tests.serve.seeding:manage", *words))

    def pid_of(self, name: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            return int((self.folder / "run" / f"{name}.pid").read_text())
        return 0

    def left(self) -> list[psutil.Process]:
        return [one for one in self.seen if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]

    def printed(self) -> str:
        return self.out.read_text()

    def end(self) -> None:
        self.seeder.end()
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(15)
        self.process.kill()
        self.process.wait(15)
