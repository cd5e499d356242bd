"""Who is next: admins first, owners in turn, short before long, oldest first."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.core.play import Stage
from whisper_jobs import doorbell, lifecycle, schedule
from whisper_jobs.errors import JobError
from whisper_jobs.models import Job, Step
from whisper_jobs.states import Kind


def order_of(lane: str) -> list[Job]:
    jobs = []
    while step := lifecycle.claim(lane, "w"):
        jobs.append(step.job)
    return jobs


def test_admin_jobs_are_claimed_before_older_ones(stage: Stage, alice: User, admin: User) -> None:
    first, urgent = stage.submit(alice), stage.submit(admin)
    assert order_of("fetch") == [urgent, first]


def test_one_owner_is_served_oldest_first(stage: Stage, alice: User) -> None:
    jobs = [stage.submit(alice) for _ in range(4)]
    assert order_of("fetch") == jobs


def test_owners_take_turns_however_much_each_has_queued(stage: Stage, alice: User, bob: User) -> None:
    many = [stage.submit(alice) for _ in range(5)]
    late = stage.submit(bob)
    assert late in order_of("fetch")[:2], "bob does not wait for all of alice's"
    assert len(many) == 5


def test_an_owner_who_was_idle_gains_no_credit(stage: Stage, alice: User, bob: User) -> None:
    for _ in range(10):
        stage.submit(alice)
    for _ in range(5):
        lifecycle.claim("fetch", "w")
    for _ in range(4):
        stage.submit(bob)
    owners = [job.owner for job in order_of("fetch")]
    assert owners[:4].count(bob) <= 3


def test_an_owner_has_no_more_windows_ready_than_there_are_workers(stage: Stage, alice: User) -> None:
    stage.decoded(alice, windows=9)
    assert Step.objects.filter(kind=Kind.WINDOW, state="ready").count() == schedule.workers_of("speech") == 1


def fetch_and_decode(stage: Stage, jobs: int, *, seconds: float | None, windows: int) -> None:
    """Takes the next jobs as far as their windows; their containers tell this length."""
    for number in range(2 * jobs):
        run = stage.run("fetch")
        if run.step.kind == Kind.FETCH:
            lifecycle.finish_fetch(run, media=f"media/{number}/original")
        else:
            lifecycle.describe_media(run, duration_seconds=seconds, mime="audio/mpeg")
            stage.decode(run, windows)


def served(stage: Stage, windows: int) -> list[int]:
    """Transcribes so many windows; the jobs that they were of, in order."""
    jobs = []
    for _ in range(windows):
        run = stage.run("speech")
        jobs.append(run.job_id)
        stage.hear(run)
    return jobs


@pytest.mark.parametrize(("told", "begun"), [(7200.0, 1), (7200.0, 25), (None, 25)])
def test_a_short_job_passes_a_long_one_of_the_same_owner(
    stage: Stage, alice: User, told: float | None, begun: int
) -> None:
    long = stage.prepared(alice)
    fetch_and_decode(stage, 1, seconds=told, windows=60)
    served(stage, begun)
    running = stage.run("speech")
    assert running.job_id == long.pk
    short = stage.submit(alice)
    fetch_and_decode(stage, 1, seconds=60.0, windows=4)
    stage.prepare(stage.run("speech"))
    stage.hear(running)
    assert served(stage, 4) == [short.pk] * 4


def test_long_jobs_show_their_first_words_and_then_finish_one_after_the_other(stage: Stage, alice: User) -> None:
    one, other = stage.prepared(alice), stage.prepared(alice)
    fetch_and_decode(stage, 2, seconds=7200.0, windows=5)
    assert served(stage, 10) == [one.pk] * 2 + [other.pk] * 2 + [one.pk] * 3 + [other.pk] * 3


def test_choosing_the_engine_costs_no_turn(stage: Stage, alice: User, bob: User) -> None:
    stage.decoded(alice, windows=6)
    running = stage.run("speech")
    stage.submit(bob)
    lifecycle.finish_fetch(stage.run("fetch"), media="media/1/original")
    stage.decode(stage.run("fetch"), windows=3)
    stage.hear(running)
    stage.prepare(stage.run("speech"))
    assert stage.run("speech").job.owner == bob, "his first words come next, although he has just been served"


def test_windows_of_two_owners_alternate(stage: Stage, alice: User, bob: User) -> None:
    stage.decoded(alice, windows=6)
    running = stage.run("speech")
    stage.submit(bob)
    lifecycle.finish_fetch(stage.run("fetch"), media="media/1/original")
    stage.prepare(stage.run("speech"))
    stage.decode(stage.run("fetch"), windows=3)
    stage.hear(running)
    served = []
    for _ in range(6):
        run = stage.run("speech")
        served.append(run.job.owner_id)
        stage.hear(run)
    assert served[:4].count(bob.pk) == 2


def test_a_failure_gives_its_place_to_the_next_job_at_once(stage: Stage, alice: User) -> None:
    stage.decoded(alice, windows=3)
    running = stage.run("speech")
    after = stage.submit(alice)
    fetch_and_decode(stage, 1, seconds=60.0, windows=1)
    stage.prepare(stage.run("speech"))
    lifecycle.fail(running, JobError("out_of_memory"))
    assert stage.run("speech").job_id == after.pk


@pytest.mark.django_db(transaction=True)
def test_bells_ring_for_idle_workers_only(stage: Stage, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[tuple[str, int]] = []
    monkeypatch.setattr(doorbell, "ring", lambda lane, times=1: rung.append((lane, times)))
    stage.submit(alice)
    assert ("fetch", 1) in rung
    stage.run("fetch")
    rung.clear()
    stage.submit(alice)
    assert ("fetch", 1) not in rung, "the one worker is busy and will look again by itself"


def test_a_short_job_of_the_same_owner_is_next_whatever_was_ready_before(stage: Stage, alice: User) -> None:
    long = stage.prepared(alice)
    fetch_and_decode(stage, 1, seconds=7200.0, windows=30)
    served(stage, 5)
    running = stage.run("speech")
    short = stage.submit(alice)
    fetch_and_decode(stage, 1, seconds=60.0, windows=3)
    stage.hear(running)
    stage.prepare(stage.run("speech"))
    assert served(stage, 4) == [short.pk] * 3 + [long.pk]


def test_a_share_is_measured_in_seconds_of_sound(stage: Stage, alice: User, bob: User) -> None:
    stage.prepared(alice)
    lifecycle.finish_fetch(stage.run("fetch"), media="media/1/original")
    decode = stage.run("fetch")
    lifecycle.add_windows(decode, [lifecycle.NewWindow(n * 30.0, n * 30.0 + 30.0, (), "a.wav") for n in range(8)])
    running = stage.run("speech")
    stage.submit(bob)
    lifecycle.finish_fetch(stage.run("fetch"), media="media/2/original")
    stage.decode(stage.run("fetch"), windows=6)
    stage.hear(running)
    stage.prepare(stage.run("speech"))
    owners = []
    for _ in range(8):
        run = stage.run("speech")
        owners.append(run.job.owner_id)
        stage.hear(run)
    assert owners.count(bob.pk) == 6, "six windows of 10 s weigh as much as two of 30 s"


def test_a_window_in_its_pause_after_a_failure_holds_up_no_other(stage: Stage, alice: User) -> None:
    stage.decoded(alice, windows=3)
    lifecycle.fail(stage.run("speech"), JobError("internal_error", retry=True))
    assert stage.run("speech").step.index == 1
