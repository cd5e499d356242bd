"""Whatever dies, a job of the sandbox ends at its time; one that is never to end is left alone until it is old."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from accounts.models import User
from tests.core.play import Stage, fresh
from tests.sandbox.conftest import HandIn, Play
from whisper_jobs import doorbell, overview, recovery, rehearsing, tasks
from whisper_jobs.models import Job, Step
from whisper_jobs.sandbox import Script

DAY = timedelta(days=1)


def later(days: float = 1.0) -> None:
    """As if all that is stored had been stored so long ago."""
    ago = timezone.now() - days * DAY
    Job.objects.update(changed_at=ago, created_at=ago)


@pytest.mark.parametrize("finish_in", [None, 900])
def test_a_job_that_waits_is_not_taken_for_forgotten(hand_in: HandIn, finish_in: int | None) -> None:
    job = hand_in(Script(finish_in=finish_in))
    later()
    recovery.sweep(timedelta(seconds=30))
    assert (fresh(job).stage, fresh(job).revision) == ("transcribing", job.revision)
    assert recovery._resting_jobs() == []


def test_a_hundred_that_never_end_do_not_hide_one_that_was_forgotten(hand_in: HandIn, stage: Stage, robin: Any) -> None:
    for _ in range(100):
        hand_in(Script(finish_in=None))
    forgotten = stage.submit(robin)
    Step.objects.filter(job=forgotten).update(state="held")
    later()
    assert recovery._resting_jobs() == [forgotten.pk]


def test_a_worker_that_died_on_it_is_followed_by_another(hand_in: HandIn, play: Play, stage: Stage) -> None:
    job = hand_in()
    stage.run("deliver")
    Step.objects.filter(job=job).update(heartbeat_at=timezone.now() - DAY)
    assert recovery.sweep(timedelta(seconds=30)) == 1
    assert play(job).status == "completed"


def test_managers_are_shown_neither_its_waiting_nor_its_errors(hand_in: HandIn, play: Play, charlie: User) -> None:
    play(hand_in(Script(error="timeout")))
    play(hand_in())
    hand_in(Script(finish_in=None))
    hand_in(Script(finish_in=900))
    later(days=0.5)
    assert not overview.stuck(charlie) and not overview.failures(charlie)
    assert overview.days(charlie)[0].completed == 0
    assert {lane.ready for lane in overview.lanes(charlie)} == {0}


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float | None]]:
    """The lanes that were rung, and after how many seconds."""
    bells: list[tuple[str, float | None]] = []

    def send_task(name: str, *, queue: str, countdown: float | None = None, **kwargs: Any) -> None:
        bells.append((queue, countdown))

    monkeypatch.setattr(current_app._get_current_object(), "send_task", send_task)
    return bells


@pytest.mark.django_db(transaction=True)
def test_its_bell_rings_when_its_time_comes(hand_in: HandIn, rung: list[tuple[str, float | None]]) -> None:
    hand_in(Script(finish_in=7))
    assert ("deliver", 7) in rung
    rung.clear()
    hand_in()
    assert rung == [("deliver", None)]
    rung.clear()
    hand_in(Script(finish_in=None))
    assert rung == []


def test_a_broker_that_is_away_delays_it_only(hand_in: HandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OSError

    monkeypatch.setattr(current_app._get_current_object(), "send_task", refuse)
    doorbell.ring("deliver", after_seconds=3)


def test_after_seven_days_it_is_deleted_also_if_it_never_ends(hand_in: HandIn, play: Play, stage: Stage) -> None:
    ended, endless = play(hand_in()), hand_in(Script(finish_in=None))
    real = stage.submit(ended.owner)
    later(days=6.9)
    assert rehearsing.reap() == 0
    later(days=7.1)
    young = hand_in()
    tasks.reap()
    assert set(Job.objects.values_list("pk", flat=True)) == {real.pk, young.pk}
    assert endless.pk != ended.pk


def test_one_whose_end_is_being_made_is_left_to_the_next_round(hand_in: HandIn, stage: Stage) -> None:
    job = hand_in()
    run = stage.run("deliver")
    later(days=8)
    assert rehearsing.reap() == 0
    rehearsing.finish(run)
    assert fresh(job).status == "completed"
    assert rehearsing.reap() == 1
