"""How long a job that waits will take, from what was measured here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from tests.core.play import Stage, fresh
from whisper_jobs import lifecycle, pace
from whisper_jobs.models import Job, Pace, Step, Worker
from whisper_jobs.states import Kind

JOBS = "/api/whisper/jobs"


def measured(engine: str = "fake", model: str = "fake", speed: float = 2.0) -> None:
    Pace.objects.create(
        engine=engine, model=model, sound_seconds=speed * 100, work_seconds=100, measured_at=timezone.now()
    )


def eta(job: Job) -> int | None:
    return pace.outlook([fresh(job)])[1].get(job.pk)


def test_nothing_is_promised_before_anything_was_measured(stage: Stage, alice: User) -> None:
    assert eta(stage.decoded(alice, 6)) is None


def test_windows_measure_the_pace_of_their_engine_and_model(stage: Stage, alice: User) -> None:
    stage.decoded(alice, 9)
    for number in range(9):
        run = stage.run("speech")
        seconds = 5 if number < 5 else 1000
        run.step.started_at = timezone.now() - timedelta(seconds=seconds)
        stage.hear(run)
    row = Pace.objects.get()
    assert (row.engine, row.model) == ("fake", "fake")
    # Windows 0 and 4 took 5 s each for 10 s of sound; window 8, the last of nine, much longer.
    faded = 10 * 0.95**2 + 10 * 0.95 + 10
    assert row.sound_seconds == pytest.approx(faded)
    assert row.work_seconds == pytest.approx(5 * 0.95**2 + 5 * 0.95 + 1000, rel=0.01)


def test_a_job_that_waits_takes_its_length_over_the_pace(stage: Stage, alice: User) -> None:
    measured(speed=2.0)
    assert eta(stage.decoded(alice, 6)) == 30


def test_two_workers_take_half_as_long(stage: Stage, alice: User) -> None:
    measured(speed=2.0)
    job = stage.decoded(alice, 6)
    for number in range(2):
        Worker.objects.create(
            name=f"h:{number}:1/speech", lane="speech", host="h", pid=number, born=1, seen_at=timezone.now()
        )
    assert eta(job) == 15


def test_older_jobs_of_the_owner_come_first(stage: Stage, alice: User) -> None:
    measured(speed=1.0)
    first, second = stage.decoded(alice, 6), stage.decoded(alice, 3)
    assert (eta(first), eta(second)) == (60, 90)


def test_a_short_job_does_not_wait_for_a_long_one_of_the_same_owner(stage: Stage, alice: User) -> None:
    measured(speed=1.0)
    long, short = stage.decoded(alice, 100), stage.decoded(alice, 6)
    assert (eta(long), eta(short)) == (1060, 60)


def test_others_get_an_equal_share_and_no_more(stage: Stage, alice: User, bob: User) -> None:
    measured(speed=1.0)
    many, one = stage.decoded(alice, 100), stage.decoded(bob, 6)
    assert (eta(many), eta(one)) == (1060, 120)


def test_admins_are_served_first(stage: Stage, alice: User, admin: User) -> None:
    measured(speed=1.0)
    job, urgent = stage.decoded(alice, 6), stage.decoded(admin, 100)
    assert (eta(job), eta(urgent)) == (1060, 1000)


def test_before_the_engine_is_chosen_the_asked_model_tells_the_pace(stage: Stage, alice: User) -> None:
    measured("one", "large", speed=1.0)
    measured("other", "tiny", speed=10.0)
    job = stage.submit(alice, model="large")
    Job.objects.filter(pk=job.pk).update(source_duration_seconds=60)
    assert eta(job) == 60
    Job.objects.filter(pk=job.pk).update(requested_model="auto")
    assert eta(job) == 6, "the one that was measured last"


def test_of_a_length_that_nobody_knows_nothing_is_said(stage: Stage, alice: User) -> None:
    measured()
    assert eta(stage.submit(alice)) is None


def test_a_job_under_way_tells_its_own_pace(stage: Stage, alice: User) -> None:
    measured(speed=100.0)
    job = stage.decoded(alice, 4)
    stage.hear(stage.run("speech"))
    Job.objects.filter(pk=job.pk).update(speech_started_at=timezone.now() - timedelta(seconds=10))
    assert eta(job) == 30


def test_lists_and_jobs_tell_it_in_as_many_queries_for_many(api: Any, stage: Stage, alice: User) -> None:
    measured(speed=1.0)
    first = stage.decoded(alice, 6)
    few = queries_of(api, alice)
    more = [stage.decoded(alice, 6) for _ in range(5)]
    assert queries_of(api, alice) == few <= 6
    told = {job["id"]: job["eta_seconds"] for job in api(alice).get(JOBS).json()["jobs"]}
    assert told[first.pk] == 60
    assert told[more[-1].pk] == 360
    assert api(alice).get(f"{JOBS}/{first.pk}").json()["job"]["eta_seconds"] == 60


def queries_of(api: Any, user: User) -> int:
    client = api(user)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(JOBS).status_code == 200
    return len(seen)


def test_the_measured_speed_comes_near_what_happens(stage: Stage, alice: User, bob: User) -> None:
    """Plays the whole queue with one worker and compares: the estimate is the schedule's own arithmetic."""
    measured(speed=1.0)
    jobs = [stage.decoded(owner, windows) for owner, windows in ((alice, 3), (bob, 5), (alice, 4), (bob, 2))]
    promised = {job.pk: eta(job) for job in jobs}
    clock, ended = 0.0, {}
    while step := lifecycle.claim("speech", "w"):
        run = lifecycle.begin(step)
        assert run is not None
        assert run.step.kind == Kind.WINDOW
        clock += 10
        stage.hear(run)
        job = fresh(run.job)
        if job.windows_done == job.windows_total:
            ended[job.pk] = clock
    assert not Step.objects.filter(kind=Kind.WINDOW).exclude(state="done").exists()
    assert ended == pytest.approx(promised, abs=30)
