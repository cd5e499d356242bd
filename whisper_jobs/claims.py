"""The one statement by which a worker takes a step. Called by lifecycle.claim; what a claim means stands there.

By hand, because through the ORM it is four statements and several times the work, for something every window needs.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import uuid4

from django.db import connection
from django.db.models import F
from django.utils import timezone

from whisper_jobs import schedule
from whisper_jobs.models import Step
from whisper_jobs.states import Kind, StepState

_FIELDS = Step._meta.concrete_fields
_NAMES = [field.attname for field in _FIELDS]
_TAKE = """
UPDATE whisper_step
SET state = 'running', run_id = %s, worker = %s, heartbeat_at = %s, started_at = %s, attempts = attempts + 1
WHERE state = 'ready' AND id = (
    SELECT id FROM whisper_step
    WHERE lane = %s AND state = 'ready' AND (not_before IS NULL OR not_before <= %s)
    ORDER BY priority DESC, turn, id LIMIT 1 {lock}
)
RETURNING {columns}
"""


def take(lane: str, worker: str) -> Step | None:
    """The best ready step of the lane, which now is this worker's, or None."""
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(_statement(connection.vendor), [uuid4().hex, worker, now, now, lane, now])
        rows = cursor.fetchall()
    return _step(list(rows[0])) if rows else None


def take_assembly(job_id: int, worker: str) -> Step | None:
    """The assembly of this job, which now is this worker's; None where it is not ready, or somebody else's."""
    ready = Step.objects.filter(job_id=job_id, kind=Kind.ASSEMBLE, state=StepState.READY)
    step = ready.filter(schedule.due()).first()
    if step is None:
        return None
    now = timezone.now()
    taken = {"state": StepState.RUNNING, "run_id": uuid4(), "worker": worker, "heartbeat_at": now, "started_at": now}
    if not ready.filter(pk=step.pk).update(**taken, attempts=F("attempts") + 1):
        return None
    for name, value in {**taken, "attempts": step.attempts + 1}.items():
        setattr(step, name, value)
    return step


def take_companions(first: Step, most: int) -> list[Step]:
    """Up to `most` untried windows of the same job, which now belong to the worker of `first`, each with a run of its own.

    They are paid for as if they had been claimed one by one. Called in a transaction that holds the job.
    """
    open_states = [StepState.READY, StepState.WAITING]
    windows = Step.objects.select_for_update(skip_locked=True).filter(job_id=first.job_id, kind=Kind.WINDOW)
    found = windows.filter(state__in=open_states, attempts=0, losses=0, not_before=None).order_by("index")[:most]
    return [step for step in found if _take_companion(step, first.worker)]


def _take_companion(step: Step, worker: str) -> bool:
    waits = step.state == StepState.WAITING
    turn = schedule.next_turn(step.lane, step.owner_id, step.priority, kind=step.kind) if waits else step.turn
    now = timezone.now()
    taken = {"run_id": uuid4(), "worker": worker, "heartbeat_at": now, "started_at": now, "attempts": 1, "turn": turn}
    found = Step.objects.filter(pk=step.pk, state=step.state).update(state=StepState.RUNNING, **taken)
    for name, value in taken.items():
        setattr(step, name, value)
    return bool(found)


@cache
def _statement(vendor: str) -> str:
    lock = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in _FIELDS)
    return _TAKE.format(lock=lock, columns=columns)


def _step(row: list[Any]) -> Step:
    for place, column, convert in _converters(connection.vendor):
        row[place] = convert(row[place], column, connection)
    return Step.from_db(connection.alias, _NAMES, row)


@cache
def _converters(vendor: str) -> list[tuple[int, Any, Any]]:
    """What makes of a value of this database one of the field: place in the row, the column, the function."""
    columns = [field.get_col(Step._meta.db_table) for field in _FIELDS]
    return [
        (place, column, convert)
        for place, column in enumerate(columns)
        for convert in (*connection.ops.get_db_converters(column), *column.get_db_converters(connection))
    ]
