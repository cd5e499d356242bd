"""Who is next. Gives steps their turn in a lane, so that a claim is one look at an index.

Start-time fair queueing: a step that becomes ready gets its owner's last turn plus what that one cost (a window: its
seconds), but never a turn before that of the step served last. Owners therefore get equal shares however much each has
queued, and nobody saves up turns while idle. (Goyal, Vin, Cheng: "Start-time Fair Queueing", SIGCOMM 1996.)

An owner has only as many windows ready as there are workers to take them. They are dealt anew when one ends or comes: the
first words of every recording, then short recordings before long ones, then oldest job first. A short job hence never
waits behind a long one, and a hundred long ones finish one after the other rather than all at the end.
"""

from __future__ import annotations

from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet
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
#: By hand, as a claim is: every submission asks it twice. The states are those of the index, word for word.
_TURNS = """
SELECT served.turn, own.turn, own.start_seconds, own.end_seconds
FROM (
    SELECT MAX(turn) AS turn FROM whisper_step WHERE lane = %s AND priority = %s AND state IN ('running', 'done')
) AS served LEFT JOIN (
    SELECT turn, start_seconds, end_seconds FROM whisper_step WHERE lane = %s AND owner_id = %s AND kind = %s
    ORDER BY turn DESC LIMIT 1
) AS own ON 1 = 1
"""
_IDLE = """
SELECT (SELECT COUNT(*) FROM whisper_worker WHERE lane = %s AND seen_at > %s),
    (SELECT COUNT(DISTINCT worker) FROM whisper_step WHERE lane = %s AND state = 'running')
"""


def level_of(window: int, duration_seconds: float | None) -> int:
    """0 for first words and short recordings; the rest of a longer one comes after those of all shorter ones."""
    length = duration_seconds or window * WINDOW_SECONDS
    return 0 if window < FIRST_WINDOWS else sum(length > size for size in SIZES_SECONDS)


def next_turn(lane: str, owner_id: int, priority: int, *, kind: str) -> int:
    """The turn of a step of this owner that becomes ready now. One is due when the owner's last of this kind is paid for.

    Kinds are counted apart, so that to choose an engine, which takes no time, costs a job no turn of its first words.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TURNS, [lane, priority, lane, owner_id, kind])
        served, turn, start, end = cursor.fetchone()
    now: int = served or 0
    if turn is None:
        return now
    due: int = max(now, turn + max(1, round(end - start)))
    return due


def workers_of(lane: str) -> int:
    """How many workers can take steps of this lane now; at least one, since one will come."""
    seen = Worker.objects.filter(lane=lane, seen_at__gt=timezone.now() - FRESH).count()
    return max(1, seen)


def idle_workers(lane: str) -> int:
    """How many workers of a lane have nothing to do; never below zero."""
    fresh = connection.ops.adapt_datetimefield_value(timezone.now() - FRESH)
    with connection.cursor() as cursor:
        cursor.execute(_IDLE, [lane, fresh, lane])
        seen, running = cursor.fetchone()
    idle: int = max(1, seen) - running
    return max(0, idle)


def share(job_id: int) -> int:
    """How many of a job's windows one worker may take at once, so that those who are idle get as many."""
    left = Step.objects.filter(job_id=job_id, kind=Kind.WINDOW, state__in=[StepState.READY, StepState.WAITING]).count()
    return -(-left // (idle_workers(Lane.SPEECH) + 1))


def has_work(lane: str) -> bool:
    """Whether a step of this lane could be claimed now."""
    return Step.objects.filter(due(), lane=lane, state=StepState.READY).exists()


def due() -> Q:
    """Steps that need not wait for the pause after a failure to end."""
    return Q(not_before=None) | Q(not_before__lte=timezone.now())


def release(owner_id: int) -> int:
    """Deals this owner's windows anew: the best are ready, as many as workers can take. Returns how many became so."""
    windows = Step.objects.filter(owner_id=owner_id, kind=Kind.WINDOW)
    # Where none waits, none could be better than those that are ready.
    return _deal(windows) if windows.filter(state=StepState.WAITING).exists() else 0


@transaction.atomic
def _deal(windows: QuerySet[Step]) -> int:
    # They may be another job's, whose lock is not held here: what its holder has in hand is left alone.
    free = windows.select_for_update(skip_locked=True)
    ready = list(free.filter(due(), lane=Lane.SPEECH, state=StepState.READY))
    running = windows.filter(lane=Lane.SPEECH, state=StepState.RUNNING)
    # A worker may hold several windows at once.
    places = max(0, workers_of(Lane.SPEECH) - running.values("worker").distinct().count())
    waiting = list(free.filter(state=StepState.WAITING).order_by("level", "job", "index")[:places])
    best = sorted([*ready, *waiting], key=lambda step: (step.level, step.job_id, step.index))[:places]
    _put_back([step for step in ready if step not in best])
    return sum(_make_ready(step) for step in best if step in waiting)


def _put_back(steps: list[Step]) -> None:
    behind = Step.objects.filter(pk__in=[step.pk for step in steps], state=StepState.READY)
    behind.update(state=StepState.WAITING, turn=0)


def _make_ready(step: Step) -> int:
    turn = next_turn(step.lane, step.owner_id, step.priority, kind=step.kind)
    return Step.objects.filter(pk=step.pk, state=StepState.WAITING).update(state=StepState.READY, turn=turn)


def owners_waiting() -> list[int]:
    """Owners who have windows that wait to be released."""
    found = Step.objects.filter(kind=Kind.WINDOW, state=StepState.WAITING).values("owner").annotate(n=Count("pk"))
    return [row["owner"] for row in found]
