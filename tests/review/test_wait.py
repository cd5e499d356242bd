"""A job that needs an approval stops before its end, and nothing but a person moves it on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from sharing.models import Share
from tests.core.play import Stage, fresh
from tests.native.test_export import body
from whisper_jobs import lifecycle, limits, overview, pace, payloads, recovery, review
from whisper_jobs.models import Channel, Delivery, DeliveryState, Job, LogLine, Review, Step
from whisper_jobs.moves import advance
from whisper_jobs.pen import editing
from whisper_jobs.runs import NotAllowed

Make = Callable[..., Job]


def test_with_its_words_it_waits_and_says_so(waiting: Make, alice: User) -> None:
    job = waiting(alice)
    assert (job.stage, job.status, job.completed_at) == ("reviewing", "finalizing", None)
    assert Review.objects.get(job=job).state == "waiting"
    assert LogLine.objects.filter(job=job).last().message == "The transcript waits for a person's approval."  # type: ignore[union-attr]


def test_another_job_completes_as_ever_and_has_no_review(stage: Stage, alice: User) -> None:
    job = stage.completed(alice)
    assert job.stage == "completed"
    assert payloads.review(job) is None
    assert not Review.objects.exists()


def test_approving_completes_it_with_callback_and_link(waiting: Make, alice: User) -> None:
    job = waiting(alice, channel=Channel.API, callback_url="https://example.com/hook")
    assert Delivery.objects.get(job=job).state != DeliveryState.DUE
    assert not Share.objects.exists()
    review.approve(job.pk, by=alice)
    assert fresh(job).stage == "completed"
    assert fresh(job).progress == 100.0
    assert Delivery.objects.get(job=job).state == DeliveryState.DUE
    assert Share.objects.filter(job=job).count() == 1


def test_nobody_takes_it_for_stuck_however_long_it_waits(waiting: Make, alice: User, charlie: User) -> None:
    job = waiting(alice)
    Job.objects.filter(pk=job.pk).update(changed_at=timezone.now() - timedelta(days=30))
    steps = list(Step.objects.filter(job=job).values_list("kind", "state", "attempts"))
    recovery.sweep(timedelta(minutes=1))
    assert list(Step.objects.filter(job=job).values_list("kind", "state", "attempts")) == steps
    assert fresh(job).stage == "reviewing"
    assert overview.stuck(charlie) == []


def test_it_takes_no_place_in_the_queue_and_no_minutes(waiting: Make, alice: User) -> None:
    waiting(alice)
    now = limits.standing(alice)
    assert (now.queued, now.reserved_seconds) == (0, 0.0)


def test_its_progress_is_short_of_the_end_and_nobody_says_when_that_comes(waiting: Make, alice: User) -> None:
    job = waiting(alice)
    told = payloads.job_full(job)
    assert 90 < told["progress"] < 100
    assert told["eta_seconds"] is None
    assert pace.outlook([job]) == ({}, {})


def test_it_can_be_read_and_downloaded_while_it_waits(waiting: Make, alice: User, api: Any) -> None:
    job = waiting(alice)
    told = api(alice).get(f"/api/whisper/jobs/{job.pk}").json()["job"]
    assert told["transcript_text"] == "done"
    answer = api(alice).get(told["exports"]["txt"])
    assert b"window0" in body(answer)


def test_cancelling_ends_it_at_once(waiting: Make, alice: User) -> None:
    job = lifecycle.request_cancel(waiting(alice).pk)
    assert (job.stage, job.failure_code) == ("failed", "cancelled")
    with pytest.raises(NotAllowed):
        review.approve(job.pk, by=alice)


def test_deleting_takes_the_review_along(waiting: Make, alice: User) -> None:
    job = waiting(alice)
    with pytest.raises(NotAllowed):
        lifecycle.delete(job.pk)
    lifecycle.request_cancel(job.pk)
    lifecycle.delete(job.pk)
    assert not Review.objects.exists()


def test_restarted_it_waits_again_for_the_same_editor(waiting: Make, stage: Stage, alice: User, charlie: User) -> None:
    job = waiting(alice)
    review.take(job.pk, by=charlie)
    lifecycle.request_cancel(job.pk)
    lifecycle.restart(job.pk)
    stage.assemble(stage.run("deliver"))
    assert fresh(job).stage == "reviewing"
    row = Review.objects.get(job=job)
    assert (row.state, row.assignee) == ("assigned", charlie)


def test_what_is_asked_for_beside_the_words_comes_first(stage: Stage, admin: User) -> None:
    job = stage.completed(admin, needs_approval=True, analysis_language="en")
    assert job.stage == "enriching"
    assert not Review.objects.exists()


def test_advancing_once_too_often_changes_nothing(waiting: Make, alice: User) -> None:
    job = waiting(alice)
    before = (fresh(job).revision, Review.objects.get(job=job).changed_at)
    with editing(job.pk) as edit:
        advance(edit)
    assert (fresh(job).revision, Review.objects.get(job=job).changed_at) == before
