"""Who is next. Gives steps their turn in a lane, so that a claim is one look at an index.

Start-time fair queueing: a step that becomes ready gets the number after its owner's last one, but never one before the
step that was served last. Owners therefore take turns however much each has queued, and nobody saves up turns while
idle. (Goyal, Vin, Cheng: "Start-time Fair Queueing", SIGCOMM 1996.)

An owner has only as many windows ready as there are workers to take them; the next ones are chosen when one ends: the
first words of every recording, then short recordings before long ones, then oldest job first. A short job hence never
waits behind a long one, and a hundred long ones finish one after the other rather than all at the end.
"""

from __future__ import annotations

from django.db.models import Count, Max
from django.utils import timezone

from whisper_jobs.models import Step, Worker
from whisper_jobs.models.worker import FRESH
from whisper_jobs.states import Kind, Lane, StepState

#: Windows of a job that count as its first words.
FIRST_WINDOWS = 2
#: Recordings up to ten minutes go before those up to an hour, and these before longer ones.
SIZES_SECONDS = (600.0, 3600.0)
#: What a window comes to, about, where the recording does not say how long it is.
WINDOW_SECONDS = 25.0
_ACTIVE = (StepState.READY, StepState.RUNNING)
_SERVED = (StepState.RUNNING, StepState.DONE)


def level_of(window: int, duration_seconds: float | None) -> int:
    """0 for first words and short recordings; the rest of a longer one comes after those of all shorter ones."""
    length = duration_seconds or window * WINDOW_SECONDS
    return 0 if window < FIRST_WINDOWS else sum(length > size for size in SIZES_SECONDS)


def next_turn(lane: str, owner_id: int, priority: int, *, kind: str) -> int:
    """The turn of a step of this owner that becomes ready now."""
    served = Step.objects.filter(lane=lane, priority=priority, state__in=_SERVED)
    now = served.aggregate(turn=Max("turn"))["turn"] or 0
    before = Step.objects.filter(lane=lane, owner_id=owner_id)
    if kind == Kind.WINDOW:
        # To choose an engine takes no time, and must not cost a job the turn of its first words.
        before = before.filter(kind=Kind.WINDOW)
    own = before.aggregate(turn=Max("turn"))["turn"]
    return now if own is None else max(now, own + 1)


def workers_of(lane: str) -> int:
    """How many workers can take steps of this lane now; at least one, since one will come."""
    seen = Worker.objects.filter(lane=lane, seen_at__gt=timezone.now() - FRESH).count()
    return max(1, seen)


def release(owner_id: int) -> int:
    """Makes this owner's next windows ready, as many as workers can take. Returns how many."""
    windows = Step.objects.filter(owner_id=owner_id, kind=Kind.WINDOW)
    room = workers_of(Lane.SPEECH) - windows.filter(lane=Lane.SPEECH, state__in=_ACTIVE).count()
    if room <= 0:
        return 0
    waiting = windows.filter(state=StepState.WAITING).order_by("level", "job", "index")[:room]
    return sum(_make_ready(step) for step in waiting)


def _make_ready(step: Step) -> int:
    turn = next_turn(step.lane, step.owner_id, step.priority, kind=step.kind)
    return Step.objects.filter(pk=step.pk, state=StepState.WAITING).update(state=StepState.READY, turn=turn)


def owners_waiting() -> list[int]:
    """Owners who have windows that wait to be released."""
    found = Step.objects.filter(kind=Kind.WINDOW, state=StepState.WAITING).values("owner").annotate(n=Count("pk"))
    return [row["owner"] for row in found]
