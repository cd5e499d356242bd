"""Celery's side: a bell in a lane, the sweep, the daily clean-up. Each only calls the core."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from django.conf import settings

from whisper_jobs import doorbell, presence, recovery, uploads
from whisper_jobs.pipeline.heart import Heart
from whisper_jobs.pipeline.run import work_once

_hearts: list[Heart] = []


@shared_task(name="whisper.work")
def work(lane: str) -> None:
    """Does one step and rings again, so that a lane with work stays awake and others get their turn between."""
    heart = _hearts[0]
    if not heart.stopped.is_set() and work_once(lane, heart):
        doorbell.ring(lane)


@shared_task(name="whisper.sweep")
def sweep() -> None:
    for process in presence.dead_here():
        recovery.lose_all(process)
        presence.gone(process)
    recovery.sweep(timedelta(seconds=settings.TOOLS.lease_seconds))


@shared_task(name="whisper.reap")
def reap() -> None:
    uploads.reap_orphans()


@worker_ready.connect
def _begin(sender: Any, **kwargs: Any) -> None:
    """A worker that starts shows itself, takes over what a dead one on this host held, and looks for work."""
    lanes = sorted(sender.app.amqp.queues.consume_from)
    heart = Heart(
        lanes,
        beat_seconds=settings.TOOLS.heartbeat_seconds,
        limit_seconds=settings.TOOLS.step_timeout_minutes * 60,
    )
    _hearts[:] = [heart]
    heart.start()
    sweep()
    for lane in lanes:
        doorbell.ring(lane)


@worker_shutting_down.connect
def _stop(**kwargs: Any) -> None:
    for heart in _hearts:
        heart.stop()


@worker_shutdown.connect
def _end(**kwargs: Any) -> None:
    for heart in _hearts:
        presence.gone(heart.process.name)
