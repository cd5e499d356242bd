"""A job that is restarted calls back once more when it ends again, and what it had not yet said is stale."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from tests.callbacks.conftest import deliverer, due_now, send
from tests.callbacks.receiver import Receiver, status
from tests.core.play import Stage
from whisper_jobs import callbacks, lifecycle, posting
from whisper_jobs.errors import JobError
from whisper_jobs.models import Delivery, DeliveryState, Job


@pytest.fixture
def failed(stage: Stage, alice: User, asked: dict[str, Any]) -> Callable[[], Job]:
    def make() -> Job:
        job = stage.prepared(alice, **asked)
        lifecycle.fail(stage.run("fetch"), JobError("source_not_found"))
        return job

    return make


def states(job: Job) -> list[str]:
    return list(Delivery.objects.filter(job=job).order_by("id").values_list("state", flat=True))


def finish(stage: Stage) -> None:
    """Plays the restarted job to its end."""
    stage.prepare(stage.run("speech"))
    lifecycle.finish_fetch(stage.run("fetch"), media="media/0/original")
    stage.decode(stage.run("fetch"), 1)
    stage.hear(stage.run("speech"))
    stage.assemble(stage.run("deliver"), text="done")


def test_news_that_was_not_sent_yet_is_dropped(failed: Callable[[], Job], stage: Stage, receiver: Receiver) -> None:
    job = failed()
    lifecycle.restart(job.pk)
    assert states(job) == ["dropped", "held"]
    send()
    assert receiver.calls == []
    finish(stage)
    send()
    assert [call.json["event"] for call in receiver.calls] == ["whisper.job.completed"]


def test_a_job_that_had_called_back_calls_back_again_under_another_id(
    failed: Callable[[], Job], stage: Stage, receiver: Receiver
) -> None:
    job = failed()
    send()
    lifecycle.restart(job.pk)
    finish(stage)
    send()
    assert [call.json["event"] for call in receiver.calls] == ["whisper.job.failed", "whisper.job.completed"]
    assert len({call.id for call in receiver.calls}) == 2
    assert states(job) == ["delivered", "delivered"]


def test_news_that_waits_for_its_next_attempt_is_dropped(failed: Callable[[], Job], receiver: Receiver) -> None:
    job = failed()
    receiver.answers = [status(500)]
    send()
    lifecycle.restart(job.pk)
    due_now()
    send()
    assert len(receiver.calls) == 1
    assert states(job) == ["dropped", "held"]


def claimed() -> Delivery:
    (delivery,) = callbacks.claim("w", slots=1, room=lambda host: 1)
    return delivery


def test_news_on_its_way_when_the_job_is_restarted_is_not_tried_again(failed: Callable[[], Job]) -> None:
    job = failed()
    delivery = claimed()
    lifecycle.restart(job.pk)
    assert states(job) == ["due", "held"]
    assert callbacks.record(delivery, posting.Outcome(500, "answer"))
    assert states(job) == ["dropped", "held"]


def test_news_on_its_way_that_arrives_is_delivered(failed: Callable[[], Job]) -> None:
    job = failed()
    delivery = claimed()
    lifecycle.restart(job.pk)
    assert callbacks.record(delivery, posting.Outcome(200))
    assert states(job) == ["delivered", "held"]


@pytest.mark.parametrize("how", ["free", "hand_back"])
def test_news_whose_deliverer_dies_after_the_restart_is_dropped(failed: Callable[[], Job], how: str) -> None:
    job = failed()
    delivery = claimed()
    lifecycle.restart(job.pk)
    if how == "free":
        callbacks.free("w")
    else:
        callbacks.hand_back([delivery])
    assert states(job) == ["dropped", "held"]
    assert Delivery.objects.filter(run_id__isnull=False).count() == 0


def test_a_job_that_is_restarted_between_claim_and_sending_is_not_told_as_failed(failed: Callable[[], Job]) -> None:
    job = failed()
    callbacks.claim("w", slots=1, room=lambda host: 1)
    lifecycle.restart(job.pk)
    taken = Delivery.objects.get(run_id__isnull=False)
    assert callbacks.letter_of(taken) is None
    callbacks.drop(taken)
    assert states(job) == ["dropped", "held"]


def test_a_job_that_is_deleted_takes_its_callback_along(failed: Callable[[], Job], receiver: Receiver) -> None:
    job = failed()
    by = deliverer()
    by.turn()
    lifecycle.delete(job.pk)
    send(by)
    assert not Delivery.objects.exists()
    assert len(receiver.calls) <= 1


def test_a_restart_of_a_queued_job_changes_nothing(stage: Stage, alice: User, asked: dict[str, Any]) -> None:
    job = stage.submit(alice, **asked)
    lifecycle.restart(job.pk)
    assert states(job) == [DeliveryState.HELD]
