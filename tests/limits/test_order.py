"""The lanes behind the words keep the queue's order too: admins first, owners in turn, oldest first."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.permissions import grant
from tests.core.play import Stage
from whisper_jobs import lifecycle, pace, queries
from whisper_jobs.models import Job, Pace


def order_of(lane: str) -> list[int]:
    owners = []
    while step := lifecycle.claim(lane, "w"):
        owners.append(step.job_id)
    return owners


def heard(stage: Stage, owner: User) -> Job:
    """A job all of whose words are there, not yet put together."""
    job = stage.decoded(owner, 1, translation_target_languages=("sv",))
    stage.hear(stage.run("speech"))
    return job


@pytest.fixture
def _may_enrich(alice: User, bob: User) -> None:
    for user in (alice, bob):
        grant(user, "provider_openai")


def test_what_is_put_together_first(stage: Stage, alice: User, bob: User, admin: User) -> None:
    many = [heard(stage, alice) for _ in range(4)]
    late = heard(stage, bob)
    urgent = heard(stage, admin)
    order = order_of("deliver")
    assert order[0] == urgent.pk
    assert late.pk in order[1:3]
    assert [pk for pk in order if pk in {job.pk for job in many}] == [job.pk for job in many]


@pytest.mark.usefixtures("_may_enrich")
def test_what_is_translated_first(stage: Stage, alice: User, bob: User, admin: User) -> None:
    many = [_worded(stage, alice) for _ in range(4)]
    late = _worded(stage, bob)
    urgent = _worded(stage, admin)
    order = order_of("enrich")
    assert order[0] == urgent.pk
    assert late.pk in order[1:3]
    assert [pk for pk in order if pk in {job.pk for job in many}] == [job.pk for job in many]


def _worded(stage: Stage, owner: User) -> Job:
    job = heard(stage, owner)
    stage.assemble(stage.run("deliver"), text="done")
    return job


def test_the_place_of_one_job_is_that_in_the_whole_line(stage: Stage, alice: User, bob: User, admin: User) -> None:
    owners = (alice, bob, bob, admin, alice, bob, alice, admin, bob, bob)
    jobs = [stage.submit(owner) for owner in owners]
    together = queries.positions(jobs)
    assert sorted(together.values()) == list(range(1, len(jobs) + 1))
    assert {pk: place for job in jobs for pk, place in queries.positions([job]).items()} == together
    Pace.objects.create(engine="e", model="m", sound_seconds=1, work_seconds=1, measured_at=timezone.now())
    Job.objects.update(source_duration_seconds=60)
    assert pace.outlook(Job.objects.all())[0] == together
