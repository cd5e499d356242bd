"""A real Redis-protocol server for the tests that push or ring, on the socket that the settings name."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from config.children import redis_program, run_redis


@contextmanager
def running_broker() -> Iterator[int]:
    """The server's pid, once it answers; it is killed at the end."""
    socket = settings.TOOLS.socket_path
    socket.parent.mkdir(parents=True, exist_ok=True)
    os.makedirs(settings.DATA_DIR / "run", exist_ok=True)
    server = get_context("spawn").Process(target=run_redis, args=(redis_program(), settings.TOOLS))
    server.start()
    try:
        _wait(str(socket))
        assert server.pid is not None
        yield server.pid
    finally:
        server.kill()
        server.join(15)
        socket.unlink(missing_ok=True)


def _wait(socket: str) -> None:
    with Redis(unix_socket_path=socket) as client:
        for _ in range(500):
            try:
                client.ping()
                return
            except RedisError:
                time.sleep(0.02)
    raise RuntimeError("the broker did not start")
