"""Celery's side: a bell in a lane, the sweep, the hourly clean-up. Each only calls the core."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from django.conf import settings

from whisper_jobs import (
    callbacks,
    doorbell,
    indexing,
    intake,
    notices,
    presence,
    recovery,
    rehearsing,
    resumable,
    retention,
    speaker_erasure,
    speaker_following,
    speaker_nodes,
    trash,
    uploads,
)
from whisper_jobs.deliverer import Deliverer
from whisper_jobs.notifier import Notifier
from whisper_jobs.outbound import Guard
from whisper_jobs.pipeline.fetch import clear_after
from whisper_jobs.pipeline.heart import Heart
from whisper_jobs.pipeline.run import work_once
from whisper_jobs.sending import Sender
from whisper_jobs.states import Kind, Lane

log = logging.getLogger(__name__)
_hearts: list[Heart] = []
_deliverers: list[Sender] = []
#: A worker that ends waits so long for callbacks on their way; the supervisor kills it some seconds later.
LAST_CALLBACKS_SECONDS = 4.0
#: Set when this process has seen that the search knows every recording: none that is older than the search comes later.
_all_known = threading.Event()


def bury_the_dead() -> None:
    """Forgets workers of this host that are no more, so that none of them counts as up, and frees what they held."""
    for process in presence.dead_here():
        recovery.lose_all(process)
        callbacks.free(process)
        clear_after(process)
        presence.gone(process)


@shared_task(name="whisper.work")
def work(lane: str) -> None:
    """Does one step and rings again, so that a lane with work stays awake and others get their turn between."""
    heart = _hearts[0]
    heart.hear()
    if lane == Lane.DELIVER:
        for deliverer in _deliverers:
            deliverer.ring()
    if not heart.stopped.is_set() and work_once(lane, heart):
        doorbell.ring(lane)


@shared_task(name="whisper.sweep")
def sweep() -> None:
    bury_the_dead()
    recovery.sweep(timedelta(seconds=settings.TOOLS.lease_seconds))
    callbacks.free_silent()
    notices.free_silent()


@shared_task(name="whisper.reap")
def reap() -> None:
    """One of them that fails keeps none of the others from theirs."""
    trash_age = timedelta(days=settings.TOOLS.trash_days)
    works: tuple[Callable[[], object], ...] = (
        *(presence.forget_silent, callbacks.forget_tests, intake.reap_keys, resumable.reap),
        *(partial(trash.reap, trash_age), retention.reap, speaker_erasure.reap, speaker_following.make_up_for_pending),
        *(rehearsing.reap, uploads.reap_orphans),
    )
    for work in works:
        try:
            work()
        except Exception:
            log.exception("a part of the hourly clean-up failed")


@shared_task(name="whisper.voice")
def voice(speaker_id: str) -> None:
    """Every worker of the speech lane gets it: somebody was enrolled or erased, or is to be held ready."""
    speaker_following.follow(UUID(speaker_id))


@shared_task(name="whisper.index")
def index() -> None:
    if not _all_known.is_set() and not indexing.catch_up():
        _all_known.set()


@worker_ready.connect
def _ready(sender: Any, **kwargs: Any) -> None:
    """Celery would go on without what failed here, and with it every bell: better to end and be started again."""
    try:
        _begin(sender)
    except Exception:
        log.exception("this worker could not begin")
        os._exit(70)


def _begin(sender: Any) -> None:
    """A worker that starts shows itself, takes over what a dead one on this host held, and looks for work."""
    lanes = sorted(lane for lane in sender.app.amqp.queues.consume_from if lane in Lane.values)
    heart = Heart(
        lanes,
        beat_seconds=settings.TOOLS.heartbeat_seconds,
        limits=_limits(),
    )
    _hearts[:] = [heart]
    heart.start()
    sweep()
    if Lane.SPEECH in lanes:
        speaker_nodes.become(heart.process.name)
        speaker_following.make_up_for_pending()
    if Lane.DELIVER in lanes:
        _begin_delivering(heart)
    for lane in lanes:
        doorbell.ring(lane)


def _begin_delivering(heart: Heart) -> None:
    guard = Guard(settings.TOOLS.outbound_allow)
    deliverer = Deliverer(heart.process.name, guard, poll_seconds=settings.TOOLS.sweep_seconds)
    _deliverers[:] = [deliverer, Notifier(guard, poll_seconds=settings.TOOLS.sweep_seconds)]
    for one in _deliverers:
        one.start()


def _limits() -> dict[str, float]:
    """Seconds that a step of each kind may take."""
    downloads, others = settings.TOOLS.download_timeout_hours * 3600, settings.TOOLS.step_timeout_minutes * 60
    return {kind: downloads if kind in (Kind.PREPARE, Kind.FETCH) else others for kind in Kind}


@worker_shutting_down.connect
def _stop(**kwargs: Any) -> None:
    for heart in _hearts:
        heart.stop()
    for deliverer in _deliverers:
        deliverer.stop()


@worker_shutdown.connect
def _end(**kwargs: Any) -> None:
    deadline = time.monotonic() + LAST_CALLBACKS_SECONDS
    for deliverer in _deliverers:
        deliverer.end(max(0.0, deadline - time.monotonic()))
    for heart in _hearts:
        presence.gone(heart.process.name)
