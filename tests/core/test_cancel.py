"""Cancelling is cooperative: at once when nothing runs, else as soon as the run lets go."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.core.play import Stage, fresh
from whisper_jobs import lifecycle, recovery
from whisper_jobs.models import Segment
from whisper_jobs.runs import NotAllowed


def test_a_queued_job_is_cancelled_at_once(stage: Stage, alice: User) -> None:
    job = stage.submit(alice)
    lifecycle.request_cancel(job.pk)
    assert (fresh(job).status, fresh(job).failure_code) == ("failed", "cancelled")
    assert lifecycle.claim("fetch", "w") is None


def test_a_running_job_ends_when_its_run_lets_go(stage: Stage, alice: User) -> None:
    job = stage.prepared(alice)
    run = stage.run("fetch")
    lifecycle.request_cancel(job.pk)
    assert fresh(job).status == "downloading"
    assert not lifecycle.heartbeat(run.run_id), "the run is told to stop"
    lifecycle.hand_back(run)
    assert fresh(job).failure_code == "cancelled"


def test_a_window_that_finishes_during_cancelling_is_kept(stage: Stage, alice: User) -> None:
    job = stage.decoded(alice, windows=3)
    run = stage.run("speech")
    lifecycle.request_cancel(job.pk)
    stage.hear(run)
    assert fresh(job).failure_code == "cancelled"
    assert Segment.objects.filter(job=job).count() == 1
    assert lifecycle.claim("speech", "w") is None


def test_a_cancelled_run_of_a_dead_worker_ends_too(stage: Stage, alice: User) -> None:
    job = stage.decoded(alice)
    run = stage.run("speech")
    lifecycle.request_cancel(job.pk)
    recovery.lose(run.step)
    assert fresh(job).failure_code == "cancelled"


def test_a_step_claimed_before_the_cancel_does_not_begin(stage: Stage, alice: User) -> None:
    job = stage.decoded(alice)
    step = lifecycle.claim("speech", "w")
    assert step is not None
    lifecycle.request_cancel(job.pk)
    assert lifecycle.begin(step) is None
    assert fresh(job).failure_code == "cancelled"


@pytest.mark.parametrize("end", ["completed", "cancelled"])
def test_a_job_that_has_ended_cannot_be_cancelled(stage: Stage, alice: User, end: str) -> None:
    job = stage.completed(alice) if end == "completed" else stage.submit(alice)
    if end == "cancelled":
        lifecycle.request_cancel(job.pk)
    with pytest.raises(NotAllowed):
        lifecycle.request_cancel(job.pk)
