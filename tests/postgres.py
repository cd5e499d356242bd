"""A throw-away PostgreSQL for one command: `python -m tests.postgres pytest …`. The command finds it in TOOLS_DATABASE_URL.

As a plug-in (`pytest -p tests.postgres`) it leaves only the tests that touch the database, whose processes begin with copies of
the tables that were made once.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from django.db import connection

DEBIAN = Path("/usr/lib/postgresql")
START_SECONDS = 30.0
STOP_SECONDS = 20.0
#: initdb and createdb on a busy machine.
MAKE_SECONDS = 120.0
OWNER = DATABASE = "tools"
#: What a command has among its words that wants tables.
PLUG_IN = "tests.postgres"
#: The variable by which the command knows that the database has its tables.
TEMPLATE = "TESTS_TEMPLATE_DATABASE"
#: Nothing of it is to survive, so nothing needs to reach the disk.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=", "max_connections=200")


def folder_of_programs() -> Path:
    """Where initdb and postgres are: in Debian's folder of the newest version, or on the PATH."""
    versions = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if versions:
        return versions[-1].parent
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    sys.exit("PostgreSQL is not installed. On Debian: apt install postgresql")


def _account() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres").pw_name
    sys.exit("As root the tests run PostgreSQL as the user postgres, which does not exist here.")


@contextlib.contextmanager
def cluster(wanted: Iterable[str] = FAST) -> Iterator[str]:
    """The URL of an empty database on a private socket, with these settings."""
    programs, account = folder_of_programs(), _account()
    with tempfile.TemporaryDirectory(prefix="tools-pg-", dir="/tmp") as folder:
        data = Path(folder) / "data"
        if account:
            shutil.chown(folder, account)
        initdb: list[str | Path] = [
            programs / "initdb",
            "-D",
            data,
            "-U",
            OWNER,
            "-A",
            "trust",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]
        subprocess.run(initdb, check=True, user=account, stdout=subprocess.DEVNULL, cwd="/", timeout=MAKE_SECONDS)
        settings = [word for setting in wanted for word in ("-c", setting)]
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", folder, *settings],
            user=account,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(Path(folder) / "log").open("wb"),
            cwd="/",
        )
        try:
            _wait(programs, folder, server)
            createdb: list[str | Path] = [programs / "createdb", "-h", folder, "-U", OWNER, DATABASE]
            subprocess.run(createdb, check=True, timeout=MAKE_SECONDS)
            yield f"postgresql:///{folder}/{DATABASE}?user={OWNER}"
        finally:
            _stop(server)


def _stop(server: subprocess.Popen[bytes]) -> None:
    # Fast shutdown, which ends connections that a test left open; then without a checkpoint; then by force.
    for signal_number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        server.send_signal(signal_number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(STOP_SECONDS)
            return


def _wait(programs: Path, folder: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    ready: list[str | Path] = [programs / "pg_isready", "-q", "-h", folder, "-U", OWNER]
    while subprocess.run(ready, check=False, timeout=START_SECONDS).returncode:
        if server.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"PostgreSQL did not start:\n{(Path(folder) / 'log').read_text()}")
        time.sleep(0.1)


@pytest.hookimpl(trylast=True)  # when Django is set up
def pytest_configure() -> None:
    if TEMPLATE in os.environ:
        connection.settings_dict["TEST"]["TEMPLATE"] = os.environ[TEMPLATE]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    touching = [item for item in items if _touches_database(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in touching])
    items[:] = touching


def _touches_database(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    return bool({"db", "transactional_db"}.intersection(fixtures)) or item.get_closest_marker("django_db") is not None


def _make_tables(environment: dict[str, str]) -> None:
    migrate = [sys.executable, "manage.py", "migrate", "-v0"]
    with tempfile.TemporaryDirectory() as data:
        subprocess.run(migrate, env={**environment, "TOOLS_DATA_DIR": data}, check=True, timeout=MAKE_SECONDS)


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with cluster() as url:
        environment = {**os.environ, "TOOLS_DATABASE_URL": url}
        if PLUG_IN in sys.argv:
            _make_tables(environment)
            environment[TEMPLATE] = DATABASE
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
