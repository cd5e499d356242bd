"""Claims are exclusive, also among processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from tests.core.play import Stage
from whisper_jobs import lifecycle
from whisper_jobs.models import Step
from whisper_jobs.states import Kind, StepState

pytestmark = pytest.mark.serve

CLAIMER = """
import json, sys, django
django.setup()
from django.db import connections
connections["default"].settings_dict["NAME"] = sys.argv[1]
from whisper_jobs import lifecycle
taken = []
while step := lifecycle.claim("fetch", sys.argv[2]):
    taken.append(step.pk)
print(json.dumps(taken))
"""


@pytest.mark.django_db(transaction=True)
def test_eight_processes_never_claim_the_same_step(stage: Stage, alice: User) -> None:
    job = stage.submit(alice)
    Step.objects.bulk_create(
        [
            Step(job=job, kind=Kind.FETCH, index=n, lane="fetch", owner=alice, state=StepState.READY, turn=n)
            for n in range(1, 400)
        ]
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    database = str(connection.settings_dict["NAME"])
    claimers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMER, database, f"w{n}"], env=environment, stdout=subprocess.PIPE, text=True
        )
        for n in range(8)
    ]
    taken = [pk for claimer in claimers for pk in json.loads(claimer.communicate(timeout=60)[0])]
    assert len(taken) == len(set(taken)) == 400


def test_a_claim_is_one_update(stage: Stage, alice: User, django_assert_num_queries: object) -> None:
    stage.submit(alice)
    with django_assert_num_queries(1):  # type: ignore[operator]
        step = lifecycle.claim("fetch", "w")
    assert step is not None and step.run_id
    assert step.get_deferred_fields() == set()
    stored = Step.objects.get(pk=step.pk)
    assert all(getattr(step, field.attname) == getattr(stored, field.attname) for field in Step._meta.concrete_fields)


def test_a_step_is_not_claimed_before_its_time(stage: Stage, alice: User) -> None:
    stage.submit(alice)
    Step.objects.update(not_before=timezone.now() + timedelta(seconds=30))
    assert lifecycle.claim("fetch", "w") is None


def test_an_empty_lane_gives_nothing(db: None) -> None:
    assert lifecycle.claim("speech", "w") is None
