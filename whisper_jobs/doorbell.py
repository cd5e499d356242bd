"""Rings a lane: "there may be work". A lost ring costs time, never work; the sweeper rings again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from whisper_jobs import schedule

log = logging.getLogger(__name__)
#: More rings than workers wake nobody.
MOST_RINGS = 8


def ring(lane: str, times: int = 1, *, after_seconds: float = 0.0) -> None:
    """Rings now, or later. A broker that is away is logged, never raised."""
    try:
        for _ in range(min(times, MOST_RINGS)):
            current_app.send_task("whisper.work", args=[lane], queue=lane, retry=False, countdown=after_seconds or None)
    except (OperationalError, OSError) as error:
        log.warning("could not ring lane %s: %s", lane, error)


def ring_later_on_commit(lane: str, seconds: float) -> None:
    """Rings once, so many seconds after the transaction is in the database. A worker keeps the time."""
    transaction.on_commit(partial(ring, lane, after_seconds=seconds), robust=True)


def ring_on_commit(lanes: Iterable[str]) -> None:
    """Rings once per lane named, but no more than its workers are idle, when the transaction is in the database.

    A worker that is busy then looks for the next step by itself; bells for it would only pile up in the broker.
    """
    rings: dict[str, int] = {}
    for lane in lanes:
        rings[lane] = rings.get(lane, 0) + 1
    for lane, times in rings.items():
        transaction.on_commit(_waking(lane, times), robust=True)


def _waking(lane: str, times: int) -> Callable[[], None]:
    def wake() -> None:
        ring(lane, min(times, schedule.idle_workers(lane)))

    return wake
