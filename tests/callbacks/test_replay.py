"""Sending a callback once more, reading its log, and the test event of a token: from the core and over the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import PersonalToken, User
from tests.callbacks.conftest import due_now, only, send
from tests.callbacks.receiver import Receiver, status
from tests.core.play import Stage
from whisper_jobs import callbacks, lifecycle, posting, tasks
from whisper_jobs.errors import JobError
from whisper_jobs.models import Delivery, DeliveryState, Job, Transcript
from whisper_jobs.runs import NotAllowed

pytestmark = pytest.mark.usefixtures("loopback_allowed")
Make = Callable[..., Job]
Api = Callable[[User | None], APIClient]


def path(job: Job, what: str) -> str:
    return f"/api/whisper/jobs/{job.pk}/callback/{what}"


def test_a_delivered_callback_is_sent_again_with_its_id_and_the_texts_of_today(
    completed: Make, receiver: Receiver
) -> None:
    job = completed()
    send()
    Transcript.objects.filter(job=job).update(text="corrected")
    callbacks.replay(job.pk)
    assert (only().state, only().delivered_at) == (DeliveryState.DUE, None)
    send()
    first, second = receiver.calls
    assert first.id == second.id
    assert second.json["job"]["transcript_text"] == "corrected"
    assert (only().state, only().attempts) == (DeliveryState.DELIVERED, 2)


def test_one_that_has_failed_for_good_gets_its_whole_schedule_again(completed: Make, receiver: Receiver) -> None:
    job = completed()
    receiver.answers = [status(410), status(500)]
    send()
    assert only().state == DeliveryState.FAILED
    callbacks.replay(job.pk)
    send()
    assert (only().state, only().tries, only().attempts) == (DeliveryState.DUE, 1, 2)
    due_now()
    send()
    assert only().state == DeliveryState.DELIVERED


def test_one_that_waits_for_its_next_attempt_is_sent_at_once(completed: Make, receiver: Receiver) -> None:
    job = completed()
    receiver.answers = [status(500)]
    send()
    callbacks.replay(job.pk)
    send()
    assert only().state == DeliveryState.DELIVERED


def test_a_failed_job_is_told_again(stage: Stage, alice: User, asked: dict[str, Any], receiver: Receiver) -> None:
    job = stage.prepared(alice, **asked)
    lifecycle.fail(stage.run("fetch"), JobError("source_not_found"))
    send()
    callbacks.replay(job.pk)
    send()
    assert [call.json["event"] for call in receiver.calls] == ["whisper.job.failed"] * 2


def test_one_on_its_way_is_not_sent_besides(completed: Make) -> None:
    job = completed()
    callbacks.claim("w", slots=1, room=lambda host: 1)
    with pytest.raises(NotAllowed):
        callbacks.replay(job.pk)


def test_the_api_sends_it_again(completed: Make, receiver: Receiver, api: Api, alice: User) -> None:
    job = completed()
    receiver.answers = [status(410)]
    send()
    answer = api(alice).post(path(job, "replay"))
    assert answer.status_code == 202
    assert answer.json()["job"]["callback"]["status"] == "pending"
    send()
    assert len(receiver.calls) == 2


def test_the_log_tells_every_attempt(completed: Make, receiver: Receiver, api: Api, alice: User) -> None:
    job = completed()
    receiver.answers = [status(503)]
    send()
    due_now()
    send()
    told = api(alice).get(path(job, "attempts")).json()
    assert told["ok"] is True
    assert [(one["number"], one["http_status"], one["error"]) for one in told["attempts"]] == [
        (2, 200, None),
        (1, 503, posting.FAILURES["answer"]),
    ]
    assert {one["webhook_id"] for one in told["attempts"]} == {receiver.calls[0].id}
    assert told["callback"]["status"] == "delivered"
    assert told["callback"]["event"] == "whisper.job.completed"
    assert told["callback"]["next_attempt_at"] is None


def test_the_next_attempt_is_told(completed: Make, receiver: Receiver, api: Api, alice: User) -> None:
    job = completed()
    receiver.answers = [status(503)]
    send()
    told = api(alice).get(path(job, "attempts")).json()
    assert told["callback"]["next_attempt_at"] > timezone.now().isoformat()


def test_a_job_without_a_callback_has_nothing_to_send(stage: Stage, api: Api, alice: User) -> None:
    job = stage.completed(alice, windows=1)
    answer = api(alice).post(path(job, "replay"))
    assert (answer.status_code, answer.json()["code"]) == (422, "not_allowed")
    assert api(alice).get(path(job, "attempts")).json() == {"ok": True, "callback": None, "attempts": []}


def test_a_job_that_has_not_ended_has_nothing_to_send(
    stage: Stage, api: Api, alice: User, asked: dict[str, Any]
) -> None:
    job = stage.submit(alice, **asked)
    assert api(alice).post(path(job, "replay")).status_code == 422
    assert only().state == DeliveryState.HELD


@pytest.mark.parametrize("what", ["replay", "attempts"])
def test_others_find_no_such_job(completed: Make, api: Api, bob: User, nobody: User, what: str) -> None:
    job = completed()

    def ask(user: User | None) -> int:
        client = api(user)
        return (client.post if what == "replay" else client.get)(path(job, what)).status_code

    assert (ask(bob), ask(nobody), ask(None)) == (404, 403, 401)
    assert only().state == DeliveryState.DUE


def test_a_test_event_is_sent_once_and_signed(token: PersonalToken, receiver: Receiver) -> None:
    made = callbacks.send_test(token, receiver.url)
    send()
    (call,) = receiver.calls
    assert call.json == {
        "ok": True,
        "event": "whisper.test",
        "job": None,
        "message": "This is a test. No recording belongs to it.",
    }
    assert call.headers["webhook-signature"].startswith("v1,")
    last = callbacks.last_test(token)
    assert last == made
    assert last is not None
    assert (last.state, last.http_status) == (DeliveryState.DELIVERED, 200)


def test_a_test_event_that_fails_is_not_tried_again(token: PersonalToken, receiver: Receiver) -> None:
    receiver.answers = [status(500)]
    callbacks.send_test(token, receiver.url)
    send()
    assert (only().state, only().error) == (DeliveryState.FAILED, posting.FAILURES["answer"])


def test_old_test_events_are_forgotten(token: PersonalToken, receiver: Receiver) -> None:
    callbacks.send_test(token, receiver.url)
    send()
    tasks.reap()
    assert Delivery.objects.count() == 1
    Delivery.objects.update(created_at=timezone.now() - callbacks.TESTS_KEPT - timedelta(hours=1))
    tasks.reap()
    assert Delivery.objects.count() == 0
