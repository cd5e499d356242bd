"""One process of the claims figure. `fill N` makes N ready steps; `claim` and `bare` take steps until none is left.

A racer prints a line when it is connected, waits for one, and prints as JSON which steps it took and when it began and ended.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import chain, repeat
from typing import Any
from uuid import uuid4

import django

django.setup()

from django.core.management import call_command
from django.db import connection

from accounts.models import User
from whisper_jobs import lifecycle
from whisper_jobs.models import Job, Step
from whisper_jobs.states import Kind, StepState

LANE = "fetch"
OWNERS = 20
#: The claim's guard, order and columns in one statement; SKIP LOCKED where the database has it.
BARE = """
UPDATE whisper_step
SET state = 'running', run_id = {mark}, worker = {mark}, heartbeat_at = {mark}, started_at = {mark}, attempts = attempts + 1
WHERE id = (SELECT id FROM whisper_step WHERE lane = 'fetch' AND state = 'ready'
            ORDER BY priority DESC, turn, id LIMIT 1 {lock})
  AND state = 'ready' RETURNING id
"""
Take = Callable[[], int | None]


def fill(steps: int) -> None:
    call_command("migrate", verbosity=0, interactive=False)
    Job.objects.all().delete()
    owners = [User.objects.get_or_create(email=f"owner{n}@example.test")[0] for n in range(OWNERS)]
    jobs = [
        Job.objects.create(owner=owner, channel="web", source_type="url", requested_model="auto") for owner in owners
    ]
    Step.objects.bulk_create(
        Step(
            job=job,
            kind=Kind.FETCH,
            index=n // OWNERS,
            lane=LANE,
            owner=job.owner,
            state=StepState.READY,
            turn=n // OWNERS,
        )
        for n, job in zip(range(steps), chain.from_iterable(repeat(jobs)), strict=False)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def product() -> Take:
    name = f"bench:{os.getpid()}:1"

    def take() -> int | None:
        step = lifecycle.claim(LANE, name)
        return None if step is None else step.pk

    return take


def bare() -> Take:
    connection.ensure_connection()
    driver: Any = connection.connection
    sqlite = connection.vendor == "sqlite"
    query = BARE.format(mark="?" if sqlite else "%s", lock="" if sqlite else "FOR UPDATE SKIP LOCKED")
    cursor = driver.cursor()

    def take() -> int | None:
        now = datetime.now(UTC)
        at = now.isoformat(" ") if sqlite else now
        rows = cursor.execute(query, [uuid4().hex, "bench:1:1", at, at]).fetchall()
        return int(rows[0][0]) if rows else None

    return take


def race(take: Take) -> None:
    Step.objects.exists()
    print("ready", flush=True)
    sys.stdin.readline()
    taken, began = [], time.monotonic()
    while (pk := take()) is not None:
        taken.append(pk)
    told = {"taken": taken, "began": began, "ended": time.monotonic()}
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "fill":
        fill(int(sys.argv[2]))
    else:
        race({"claim": product, "bare": bare}[sys.argv[1]]())
