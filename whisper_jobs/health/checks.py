"""What a server needs to be ready, each looked at with a short time-out."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection

from whisper_jobs import queries
from whisper_jobs.doctor import broker
from whisper_jobs.health import condition
from whisper_jobs.hearing import client

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Health:
    """Whether each part is up; `workers` counts them per lane, `ears` those who read live sessions: None without such."""

    database: bool
    broker: bool
    workers: dict[str, int]
    ears: int | None = None

    @property
    def missing(self) -> list[str]:
        parts = [name for name, up in (("database", self.database), ("broker", self.broker)) if not up]
        parts += [f"worker {lane}" for lane, count in self.workers.items() if not count]
        return parts + (["live"] if self.ears == 0 else [])

    def as_json(self) -> dict[str, Any]:
        checks = {"web": True, "database": self.database, "broker": self.broker, "workers": self.workers}
        checks["live"] = self.ears
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
    return Health(database=database, broker=broker.answers(), workers=workers, ears=_ears())


def _ears() -> int | None:
    """Those of a live process elsewhere are not this server's to have ready."""
    if not settings.TOOLS.live_workers:
        return None
    told = client.status()
    return int(told["ears"]) if told else 0
