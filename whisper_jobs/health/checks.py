"""What a server needs to be ready, each looked at with a short time-out."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection

from whisper_jobs import queries
from whisper_jobs.doctor import broker
from whisper_jobs.health import condition

log = logging.getLogger(__name__)


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
        told = {"status": "starting" if waiting else "ready", "checks": checks, "missing": waiting}
        return {**told, "doctor": condition.known()}


def look() -> Health:
    try:
        connection.ensure_connection()
        workers, database = queries.live_workers(), True
    except DatabaseError as error:
        log.warning("the database is not ready: %s", error)
        workers, database = {}, False
    return Health(database=database, broker=broker.answers(), workers=workers)
