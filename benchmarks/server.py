"""A real server on a data folder and a port of its own: started as script/server does, asked through its API."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.figure import wait_until

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "Correct-horse-9-battery"
ADMIN = "bench@example.test"
CLOCKWORK = "clockwork=tests.clockwork:Clockwork"
LOOPBACK = "127.0.0.1/32"
TOKEN_SECONDS = 600.0
POLL_SECONDS = 0.1
Json = dict[str, Any]


def environment(**variables: str) -> dict[str, str]:
    """That of this process without its TOOLS_ settings, and with these variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOOLS_")}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT), **variables}


def python(*words: str, **variables: str) -> subprocess.Popen[str]:
    """Another Python in the project's root, with pipes to and from it."""
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment(**variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


class Account:
    """Somebody who uses the API. Signs in again before the token ends."""

    def __init__(self, port: int, email: str = ADMIN) -> None:
        self.port, self.email = port, email
        self._token, self._until = "", 0.0

    def token(self) -> str:
        if time.monotonic() > self._until:
            told = self._ask("POST", "/api/account/login", {"email": self.email, "password": PASSWORD}, token="")
            self._token, self._until = told["access"], time.monotonic() + TOKEN_SECONDS
        return self._token

    def get(self, path: str) -> Json:
        return self._ask("GET", path, None, token=self.token())

    def post(self, path: str, body: Json) -> Json:
        return self._ask("POST", path, body, token=self.token())

    def submit_url(self, url: str, **fields: str) -> int:
        return int(self.post("/api/whisper/jobs", {"source_url": url, **fields})["job"]["id"])

    def submit_file(self, file: Path, **fields: str) -> int:
        edge = uuid4().hex
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        named = f'name="media_file"; filename="{file.name}"'
        parts.append(f"--{edge}\r\nContent-Disposition: form-data; {named}\r\nContent-Type: audio/wav\r\n\r\n")
        body = "".join(parts).encode() + file.read_bytes() + f"\r\n--{edge}--\r\n".encode()
        kind = f"multipart/form-data; boundary={edge}"
        return int(self._send("POST", "/api/whisper/jobs", body, kind=kind, token=self.token())["job"]["id"])

    def _ask(self, method: str, path: str, body: Json | None, *, token: str) -> Json:
        data = b"" if body is None else json.dumps(body).encode()
        return self._send(method, path, data, kind="application/json", token=token)

    def _send(self, method: str, path: str, body: bytes, *, kind: str, token: str) -> Json:
        headers = {"Content-Type": kind, **({"Authorization": f"Bearer {token}"} if token else {})}
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:500]!r}")
        told: Json = json.loads(text)
        return told


class Server:
    """`manage.py serve` while the block lasts. `variables` are TOOLS_ settings and what the engine reads."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder, self.port = folder, _free_port()
        self.variables = {
            "TOOLS_DATA_DIR": str(folder),
            "TOOLS_PORT": str(self.port),
            "TOOLS_ADMIN_EMAIL": ADMIN,
            "TOOLS_ADMIN_PASSWORD": PASSWORD,
            "TOOLS_OUTBOUND_ALLOW": LOOPBACK,
            "TOOLS_EXTRA_ENGINES": CLOCKWORK,
            "TOOLS_API_PER_MINUTE": "1000000",
            **variables,
        }
        self.admin = Account(self.port)

    def __enter__(self) -> Server:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "server.out").open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve"],
                cwd=ROOT,
                env=environment(**self.variables),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        wait_until(self._is_ready, "the server is ready", seconds=60)
        return self

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def account(self, name: str) -> Account:
        """A new user who may use the queue and is no admin."""
        email = f"{name}@example.test"
        words = ["manage.py", "create_user", email, "--password", PASSWORD, "--perm", "whisper.use"]
        maker = python(*words, **self.variables)
        told, _ = maker.communicate(timeout=60)
        if maker.returncode:
            raise RuntimeError(told)
        return Account(self.port, email)

    def is_up(self, path: str = "/healthz") -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            connection.request("GET", path)
            return connection.getresponse().status == 200
        return False

    def pids(self) -> dict[str, int]:
        """The server's processes by name, as its supervisor noted them."""
        found = {}
        for file in (self.folder / "run").glob("*.pid"):
            with contextlib.suppress(OSError, ValueError):
                found[file.stem] = int(file.read_text())
        return found

    @contextlib.contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """A connection that can only read."""
        address = f"file:{self.folder / 'db.sqlite3'}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=30)) as connection:
            yield connection

    def rows(self, query: str, *values: object) -> list[Any]:
        with self.database() as connection:
            return connection.execute(query, values).fetchall()

    def wait(self, job_id: int, *, seconds: float) -> float:
        """Until the job has completed; the monotonic time at which it was seen. Raises RuntimeError when it failed."""
        with self.database() as database:

            def is_over() -> bool:
                stage, error = database.execute(
                    "SELECT stage, failure_error FROM whisper_job WHERE id = ?", [job_id]
                ).fetchone()
                if stage == "failed":
                    raise RuntimeError(error)
                return bool(stage == "completed")

            wait_until(is_over, f"job {job_id} is completed", seconds=seconds, every=POLL_SECONDS)
        return time.monotonic()

    def _is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError((self.folder / "server.out").read_text())
        return self.is_up("/readyz")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
