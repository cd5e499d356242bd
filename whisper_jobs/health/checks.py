"""What a server needs to be ready, each looked at with a short time-out."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection

from whisper_jobs import queries

log = logging.getLogger(__name__)
BROKER_TIMEOUT_SECONDS = 1.0


@dataclass(frozen=True)
class Health:
    """Whether each part is up; `workers` counts them per lane."""

    database: bool
    broker: bool
    workers: dict[str, int]

    @property
    def missing(self) -> list[str]:
        parts = [name for name, up in (("database", self.database), ("broker", self.broker)) if not up]
        return parts + [f"worker {lane}" for lane, count in self.workers.items() if not count]

    def as_json(self) -> dict[str, Any]:
        checks = {"web": True, "database": self.database, "broker": self.broker, "workers": self.workers}
        waiting = self.missing
        return {"status": "starting" if waiting else "ready", "checks": checks, "missing": waiting}


def look() -> Health:
    try:
        connection.ensure_connection()
        workers, database = queries.live_workers(), True
    except DatabaseError as error:
        log.warning("the database is not ready: %s", error)
        workers, database = {}, False
    return Health(database=database, broker=broker_answers(), workers=workers)


def broker_answers() -> bool:
    """Whether the broker answers a ping. One that is no Redis is taken to be up: its workers say so by their rows."""
    url = settings.TOOLS.redis_url or f"unix://{settings.TOOLS.socket_path}"
    if not url.startswith(("redis://", "rediss://", "unix://")):
        return True
    client = redis.Redis.from_url(
        url, socket_timeout=BROKER_TIMEOUT_SECONDS, socket_connect_timeout=BROKER_TIMEOUT_SECONDS
    )
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()
