"""One whole server for many modules of tests. Each begins with the database that was there before the first."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from tests.serve.ports import wait_until
from tests.serve.prepared import DATABASE
from tests.serve.servers import RunningServer

BUSY_SECONDS = 60.0
LIVE, KEPT = DATABASE, "kept.sqlite3"
#: Small enough that a test sends a file that is too large, or one in pieces.
VARIABLES: dict[str, Any] = {"TOOLS_OUTBOUND_ALLOW": "127.0.0.1/32", "TOOLS_UPLOAD_MAX_MB": "8"}


class LastingServer(RunningServer):
    def keep(self) -> None:
        """Takes the rows of now for those that `renew` brings back."""
        self._copy(LIVE, KEPT)

    def renew(self) -> None:
        """Ids are never given twice, so that nothing that is late, a worker or a message, meets a row of the same name."""
        if not (self.folder / KEPT).exists():
            self.keep()
            return
        wait_until(self.is_ready, "the server is ready again", seconds=BUSY_SECONDS, process=self.process)
        given = self._sequences()
        self._copy(KEPT, LIVE)
        with self._opened(LIVE) as database, database:
            database.execute("DELETE FROM sqlite_sequence")
            database.executemany("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", given)

    def _sequences(self) -> list[tuple[str, int]]:
        with self._opened(LIVE) as database:
            return list(database.execute("SELECT name, seq FROM sqlite_sequence"))

    def _copy(self, source: str, target: str) -> None:
        with self._opened(source) as one, self._opened(target) as other:
            one.backup(other)

    def _opened(self, name: str) -> contextlib.closing[sqlite3.Connection]:
        return contextlib.closing(sqlite3.connect(self.folder / name, timeout=BUSY_SECONDS))


@pytest.fixture(scope="session")
def lasting_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LastingServer]:
    server = LastingServer(tmp_path_factory.mktemp("lasting") / "data", **VARIABLES)
    try:
        server.wait_ready()
        yield server
    finally:
        server.end()


@pytest.fixture(scope="module")
def renewed_server(lasting_server: LastingServer) -> LastingServer:
    """The server that lasts, with nothing of the modules before."""
    lasting_server.renew()
    return lasting_server
