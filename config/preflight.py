"""What must hold before a server starts: the folder can be written, nobody else serves it, the port is free.

Runs on the bare system Python too (`python -m config.preflight`), so that a mistake is told before anything is installed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from config.env import BadEnvironment, Env, read

OLDEST_PYTHON = (3, 11)
FOLDERS = ("run", "tmp", "media", "log")
HIGHEST_PORT = 65_535
WAITING_CONNECTIONS = 1024


class Refusal(Exception):
    """The server can't start; the message is one line that says why and what to do."""


def make_folders(env: Env) -> None:
    """The data folder and what is in it, for the owner alone."""
    try:
        for folder in (env.data_dir, *(env.data_dir / name for name in FOLDERS), env.socket_path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=env.data_dir):
            pass
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise Refusal(
            f"The data folder {env.data_dir} can't be written ({reason}). Set TOOLS_DATA_DIR to another."
        ) from error
    if env.socket_path.parent.stat().st_uid != os.getuid():
        raise Refusal(f"The folder {env.socket_path.parent} belongs to another user. Choose a shorter TOOLS_DATA_DIR.")


def empty(folder: Path) -> None:
    """Removes what a killed process left behind. For the holder of the lock: nobody else uses the folder then."""
    for left in folder.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def lock(env: Env) -> int:
    """A descriptor that holds the folder for this process until it is closed."""
    handle = os.open(env.data_dir / "run" / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise Refusal(f"A server is already running on the data folder {env.data_dir}.") from error
    return handle


def is_locked(env: Env) -> bool:
    try:
        os.close(lock(env))
    except Refusal:
        return True
    return False


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there."""
    if port > HIGHEST_PORT:
        raise Refusal(f"There is no port {port}. Set TOOLS_PORT to a number up to {HIGHEST_PORT}.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(WAITING_CONNECTIONS)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise Refusal(f"Can't listen on {host}, port {port} ({reason}). Set TOOLS_PORT or TOOLS_BIND.") from error
    return listener


def process_environment(env: Env) -> Mapping[str, str]:
    """What every process of the server needs in its environment before it imports a numerical library."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    return {
        **dict.fromkeys(names, str(env.speech_threads)),
        # Two libraries that would report their use to their makers.
        "PYANNOTE_METRICS_ENABLED": "0",
        "ORT_DISABLE_TELEMETRY": "1",
        "TMPDIR": str(env.data_dir / "tmp"),
    }


def main() -> None:
    """Says in one line what is in the way of a server, or nothing."""
    if sys.version_info < OLDEST_PYTHON:
        raise Refusal("Python 3.11 or newer is needed.")
    env = read()
    make_folders(env)
    os.close(lock(env))
    listen(env.bind, env.port).close()


if __name__ == "__main__":
    try:
        main()
    except (BadEnvironment, Refusal) as error:
        sys.exit(str(error))
