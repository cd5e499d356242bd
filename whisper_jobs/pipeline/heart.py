"""The heartbeat of a worker process: one thread that says "alive" for the process and for the run it is at.

It also keeps time: a run that takes too long is asked to stop, and if it can't hear, the process ends itself, because
nothing else can free a lane from an engine that hangs.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from whisper_jobs import lifecycle, presence, schedule, speaker_nodes
from whisper_jobs.errors import JobError
from whisper_jobs.moves import Fenced
from whisper_jobs.pipeline import models
from whisper_jobs.runs import Run
from whisper_jobs.states import Kind

log = logging.getLogger(__name__)
#: A run over its time has this long to notice before the process ends itself.
GRACE_SECONDS = 60.0
#: The sweeper rings for work that waits every few seconds; a worker that hears nothing while work waits so long is deaf. What
#: it did not hear before that means nothing: another worker of its lane may have taken every bell.
DEAF_SECONDS = 60.0


@dataclass
class Watch:
    """What a step asks while it works: `stopping()` says that it should end soon, without a result."""

    run: Run
    process_stops: Callable[[], bool]
    deadline: float
    released: bool = False
    began: float = field(default_factory=time.monotonic)
    #: Runs of further windows that the same engine call works on.
    companions: list[UUID] = field(default_factory=list)

    def stopping(self) -> bool:
        return self.released or self.timed_out or self.process_stops()

    @property
    def timed_out(self) -> bool:
        return time.monotonic() > self.deadline

    def check(self) -> None:
        """Raises when the step should end; the error is not what the job is told."""
        if self.stopping():
            raise JobError("cancelled")


class Heart:
    """One per worker process. Beats are `beat_seconds` apart; `limits` are the seconds a run may take, by kind of step."""

    def __init__(self, lanes: Sequence[str], *, beat_seconds: float, limits: Mapping[str, float]) -> None:
        self.process = presence.me()
        self.stopped = threading.Event()
        self._lanes = tuple(lanes)
        self._beat_seconds, self._limits = beat_seconds, limits
        self._watch: Watch | None = None
        self._heard_at = time.monotonic()

    def hear(self) -> None:
        """A bell was heard."""
        self._heard_at = time.monotonic()

    def start(self) -> None:
        presence.seen(self.process, self._lanes)
        threading.Thread(target=self._loop, name="heart", daemon=True).start()

    def stop(self) -> None:
        """Asks the run in progress to hand its step back; the process is about to end."""
        self.stopped.set()

    @contextmanager
    def watching(self, run: Run) -> Iterator[Watch]:
        watch = Watch(run, self.stopped.is_set, time.monotonic() + self._seconds_for(run))
        self._watch = watch
        try:
            yield watch
        finally:
            self._watch = None

    def _seconds_for(self, run: Run) -> float:
        """The step that listens to the whole recording may take the recording's length more."""
        whole = run.job.source_duration_seconds if run.step.kind == Kind.DIARIZE else None
        return self._limits[run.step.kind] + (whole or 0.0)

    def beat(self) -> None:
        """One sign of life; the thread calls it again and again."""
        presence.seen(self.process, self._lanes)
        # Also while a run is at work, which may need one model and not the other.
        models.release_idle()
        speaker_nodes.keep()
        watch = self._watch
        if watch is None:
            self._listen()
        elif not watch.released:
            self._keep(watch)

    def _listen(self) -> None:
        """An idle worker that hears no bell while its lanes have work has lost the broker; a new process finds it again."""
        if not any(schedule.has_work(lane) for lane in self._lanes):
            self.hear()
        elif time.monotonic() - self._heard_at > DEAF_SECONDS:
            log.error("no bell was heard although there is work; this worker ends itself")
            os._exit(75)

    def _keep(self, watch: Watch) -> None:
        watch.released = not lifecycle.heartbeat(watch.run.run_id)
        if watch.companions:
            lifecycle.keep(watch.companions)
        if time.monotonic() > watch.deadline + GRACE_SECONDS and self._watch is watch:
            _give_up(watch.run)

    def _loop(self) -> None:
        while True:
            try:
                close_old_connections()
                self.beat()
            except DatabaseError:
                log.exception("could not store a sign of life")
                connection.close()
            time.sleep(self._beat_seconds)


def _give_up(run: Run) -> None:
    log.error("%s hangs; this worker ends itself", run.step)
    try:
        lifecycle.fail(run, JobError("timeout"))
    except Fenced:
        log.info("%s had been taken over", run.step)
    os._exit(70)
