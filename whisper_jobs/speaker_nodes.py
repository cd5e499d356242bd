"""Nodes: the workers that hold enrolled voices. Telling them of a change, what each of them then does, and what they say they hold.

The message only says whose voice to look at; what is to be done stands in the rows. Nobody depends on it: a worker also looks by
itself at every heartbeat, and before it uses a voice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from uuid import UUID

from celery import current_app
from django.db import IntegrityError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from whisper_jobs import voices
from whisper_jobs.models import Replica, ReplicaState, Speaker, Step, VoiceSample, Worker
from whisper_jobs.models.worker import FRESH
from whisper_jobs.states import Lane, StepState
from whisper_jobs.voices import shelf

log = logging.getLogger(__name__)
#: The queue of which every worker of the speech lane gets every message.
QUEUE = "voices"
#: A request waits so long for workers: one that is idle answers at once, one at work with its next heartbeat.
WAIT_SECONDS = 5.0
_POLL_SECONDS, _AGAIN_SECONDS = 0.1, 1.5
BUSY = "busy"
_GONE = "The worker is gone."
_SILENT = "The worker did not answer in time."
_UNSENT = "The message broker does not answer."
_NO_VOICE = "There is no voice to hold."


# --- on a node --------------------------------------------------------------------------------------


class Node:
    """This worker, and what it has told so far of what it holds. The worker and its heart both call it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = Lock()
        self._told: dict[UUID, int] = {}

    def follow(self, speaker_id: UUID) -> None:
        """Holds the voice as the rows have it, or lets it go, and says so."""
        with self._lock:
            if voices.recognisable().filter(pk=speaker_id).exists():
                held = shelf.warm(speaker_id)
                self._tell(speaker_id, ReplicaState.WARM if held else ReplicaState.FAILED, "" if held else _NO_VOICE)
            else:
                shelf.evict([speaker_id])
                self._let_go(speaker_id)

    def fail(self, speaker_id: UUID, reason: str) -> None:
        with self._lock:
            self._tell(speaker_id, ReplicaState.FAILED, reason)

    def keep(self) -> None:
        """Lets go of voices that are no longer to be held, and tells what has changed."""
        with self._lock:
            shelf.let_go()
            held = shelf.versions()
            for speaker_id in set(self._told) - set(held):
                self._let_go(speaker_id)
            for speaker_id, version in held.items():
                if self._told.get(speaker_id) != version:
                    self._tell(speaker_id, ReplicaState.WARM)

    def _tell(self, speaker_id: UUID, state: ReplicaState, error: str = "") -> None:
        version = shelf.versions().get(speaker_id, 0)
        told = {"state": state, "error": error[:300], "voice_version": version, "at": timezone.now()}
        try:
            with transaction.atomic():
                Replica.objects.update_or_create(speaker_id=speaker_id, node=self.name, defaults=told)
        except IntegrityError:
            log.info("speaker %s is gone", speaker_id)
        if state == ReplicaState.WARM:
            self._told[speaker_id] = version

    def _let_go(self, speaker_id: UUID) -> None:
        held = Replica.objects.filter(speaker_id=speaker_id, node=self.name).exclude(state=ReplicaState.EVICTED)
        held.update(state=ReplicaState.EVICTED, error="", voice_version=0, at=timezone.now())
        self._told.pop(speaker_id, None)


#: This process, once it is a node.
_here: list[Node] = []


def become(process: str) -> Node:
    """From now on this worker process keeps the voices that it opens. `process`: its name, as in presence."""
    shelf.keeps = True
    _here[:] = [Node(f"{process}/{Lane.SPEECH}")]
    return _here[0]


def here() -> Node | None:
    return _here[0] if _here else None


def keep() -> None:
    """At every heartbeat, in any worker."""
    for node in _here:
        node.keep()


# --- asking them ------------------------------------------------------------------------------------


def announce(speaker_id: UUID) -> bool:
    """Tells all nodes to look at a voice; False when nobody can be told now."""
    queue = current_app.amqp.queues[QUEUE]
    try:
        current_app.send_task(
            "whisper.voice", args=[str(speaker_id)], queue=QUEUE, declare=[queue.exchange], retry=False
        )
    except (OperationalError, OSError) as error:
        log.warning("could not tell the workers of a voice: %s", error)
        return False
    return True


def present() -> list[str]:
    """The nodes that are up."""
    fresh = Worker.objects.filter(lane=Lane.SPEECH, seen_at__gt=timezone.now() - FRESH)
    return list(fresh.order_by("name").values_list("name", flat=True))


def busy() -> set[str]:
    """Those of them that are at a step now."""
    running = Step.objects.filter(lane=Lane.SPEECH, state=StepState.RUNNING).values_list("worker", flat=True)
    return {f"{process}/{Lane.SPEECH}" for process in running.distinct()}


@dataclass(frozen=True, slots=True)
class Standing:
    """`state`: warm, evicted, failed or busy, which will follow; empty where nothing was heard of it yet."""

    node: str
    state: str = ""
    error: str = ""
    at: datetime | None = None


def standings(speaker: Speaker) -> list[Standing]:
    """What each node that is up says of a speaker."""
    rows = {row.node: row for row in Replica.objects.filter(speaker=speaker)}
    return [_standing(node, rows.get(node)) for node in present()]


def _standing(node: str, row: Replica | None) -> Standing:
    return Standing(node, row.state, row.error, row.at) if row else Standing(node)


def warm(speaker: Speaker, nodes: Sequence[str]) -> list[Standing]:
    """Has the nodes hold a voice, and waits for what they say; one at work follows when it can."""
    before = _answers(speaker.pk)
    if not announce(speaker.pk):
        return [Standing(node, ReplicaState.FAILED, _UNSENT) for node in nodes]

    def silent() -> set[str]:
        now = _answers(speaker.pk)
        return {node for node in nodes if now.get(node) == before.get(node)}

    _wait(lambda: not (silent() - busy()), speaker.pk)
    late = silent()
    rows = {row.node: row for row in Replica.objects.filter(speaker=speaker)}
    at_work, there = busy(), set(present())
    return [
        _standing(node, rows.get(node)) if node not in late else _late(node, node in at_work, node in there)
        for node in nodes
    ]


def _late(node: str, is_busy: bool, is_there: bool) -> Standing:
    if not is_there:
        return Standing(node, ReplicaState.FAILED, _GONE)
    return Standing(node, BUSY) if is_busy else Standing(node, ReplicaState.FAILED, _SILENT)


def _answers(speaker_id: UUID) -> dict[str, datetime]:
    return dict(Replica.objects.filter(speaker=speaker_id).values_list("node", "at"))


def evict(speaker_id: UUID) -> list[str]:
    """Has all nodes let a voice go. Returns those that say they still hold it: they let go with their next heartbeat."""
    announce(speaker_id)
    _wait(lambda: not holding(speaker_id), speaker_id)
    return holding(speaker_id)


def holding(speaker_id: UUID) -> list[str]:
    """The nodes that are up and say that they hold it."""
    held = Replica.objects.filter(speaker=speaker_id, state=ReplicaState.WARM, node__in=present())
    return list(held.order_by("node").values_list("node", flat=True))


def _wait(is_done: Callable[[], bool], speaker_id: UUID) -> None:
    """Tells them once more now and then: one that has just started shows itself before it listens."""
    until = time.monotonic() + WAIT_SECONDS
    again_at = time.monotonic() + _AGAIN_SECONDS
    while not is_done() and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
        if time.monotonic() > again_at:
            announce(speaker_id)
            again_at = time.monotonic() + _AGAIN_SECONDS


def forget_gone() -> int:
    """Removes what workers that are no more have said."""
    return Replica.objects.exclude(node__in=Worker.objects.values("name")).delete()[0]


def enrolled_on(speakers: Collection[UUID]) -> dict[UUID, list[Replica]]:
    """For a list: what nodes that are up say of each, by two queries however many there are."""
    found: dict[UUID, list[Replica]] = {}
    rows = Replica.objects.filter(speaker__in=speakers, node__in=present()).order_by("node")
    for row in rows.exclude(state=ReplicaState.EVICTED):
        found.setdefault(row.speaker_id, []).append(row)
    return found


def has_voice(speaker_id: UUID) -> bool:
    return VoiceSample.objects.filter(speaker=speaker_id, encoder=voices.ENCODER).exists()
