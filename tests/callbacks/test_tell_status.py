"""Callbacks in the status form: a form with number and status, taken when the receiver says OK, and tried for two days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from standardwebhooks import Webhook

from accounts import tokens
from accounts.models import PersonalToken, User
from tests.callbacks.conftest import due_now, only, send
from tests.callbacks.receiver import Answer, Call, Handler, Receiver, flood, status
from tests.core.play import Stage, fresh
from whisper_jobs import callbacks, lifecycle, payloads, posting
from whisper_jobs.errors import JobError
from whisper_jobs.models import Attempt, Delivery, DeliveryForm, DeliveryState, Job, Order

Make = Callable[..., Job]


@pytest.fixture
def asked(asked: dict[str, Any]) -> dict[str, Any]:
    return {**asked, "callback_form": DeliveryForm.STATUS}


def ordered(job: Job, **fields: Any) -> Order:
    return Order.objects.create(owner=job.owner, job=job, profile_name="automatic", **fields)


def told(call: Call) -> dict[str, list[str]]:
    return parse_qs(call.body.decode(), keep_blank_values=True, strict_parsing=True)


def test_a_completed_order_is_told_by_its_own_number(completed: Make, receiver: Receiver, token: PersonalToken) -> None:
    order = ordered(completed(), pk=4711, external_id="a&b=ö 1")
    send()
    (call,) = receiver.calls
    assert call.headers["content-type"] == "application/x-www-form-urlencoded"
    assert told(call) == {"job_id": [str(order.pk)], "external_id": ["a&b=ö 1"], "status": ["Completed"]}
    assert list(told(call)) == ["job_id", "external_id", "status"]
    assert only().state == DeliveryState.DELIVERED
    Webhook(tokens.signing_secrets(token)[0]).verify(call.body, call.headers, json_parse=False)


@pytest.mark.parametrize("code", ["no_speech", "cancelled"])
def test_a_job_without_a_transcript_is_a_failure(
    stage: Stage, alice: User, asked: dict[str, Any], receiver: Receiver, code: str
) -> None:
    ordered(stage.prepared(alice, **asked))
    lifecycle.fail(stage.run("fetch"), JobError(code))
    send()
    assert told(receiver.calls[0])["status"] == ["Failure"]


@pytest.mark.parametrize("answer", [status(200, b"OK"), status(201, b" ok\r\n"), status(200, b"Ok\n")])
def test_ok_alone_says_that_it_was_taken(completed: Make, receiver: Receiver, answer: Answer) -> None:
    completed()
    receiver.answers = [answer]
    send()
    assert only().state == DeliveryState.DELIVERED


def slowly(handler: Handler, call: Call) -> None:
    """OK in two pieces."""
    handler.send_response(200)
    handler.send_header("Content-Length", "2")
    handler.end_headers()
    handler.wfile.write(b"O")
    handler.wfile.flush()
    handler.wfile.write(b"K")


def test_ok_may_come_in_pieces(completed: Make, receiver: Receiver) -> None:
    completed()
    receiver.answers = [slowly]
    send()
    assert only().state == DeliveryState.DELIVERED


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (status(200, b""), "not_ok"),
        (status(200, b"OK, thanks"), "not_ok"),
        (status(200, b'"OK"'), "not_ok"),
        (status(200, b"<html>OK</html>"), "not_ok"),
        (status(200, b"OK" + b" " * 4000 + b"x" * 4000), "not_ok"),
        (flood, "not_ok"),
        (status(500, b"OK"), "answer"),
        (status(302, b"OK", Location="/else"), "redirect"),
    ],
)
def test_anything_else_is_a_failure_and_is_sent_again(
    completed: Make, receiver: Receiver, answer: Answer, why: str
) -> None:
    completed()
    receiver.answers = [answer]
    send()
    delivery = only()
    assert (delivery.state, delivery.error) == (DeliveryState.DUE, posting.FAILURES[why])
    assert Attempt.objects.get().error == posting.FAILURES[why]
    due_now()
    send()
    assert only().state == DeliveryState.DELIVERED
    assert receiver.calls[0].id == receiver.calls[1].id


def test_the_last_attempt_comes_within_48_hours(completed: Make, receiver: Receiver) -> None:
    completed()
    pauses = callbacks.STATUS_PAUSES
    receiver.answers = [status(200, b"no")] * (len(pauses) + 1)
    for _ in range(len(pauses) + 1):
        send()
        due_now()
    assert only().state == DeliveryState.FAILED
    assert len(receiver.calls) == len(pauses) + 1
    assert list(pauses) == sorted(pauses)
    assert sum(pauses, timedelta()) * (1 + callbacks.JITTER) < timedelta(hours=48) < sum(callbacks.PAUSES, timedelta())


def test_a_restarted_job_calls_back_in_the_same_form(
    stage: Stage, alice: User, asked: dict[str, Any], receiver: Receiver
) -> None:
    job = stage.prepared(alice, **asked)
    ordered(job)
    lifecycle.fail(stage.run("fetch"), JobError("source_not_found"))
    send()
    lifecycle.restart(job.pk)
    lifecycle.fail(stage.run("fetch"), JobError("source_not_found"))
    send()
    assert [told(call)["status"] for call in receiver.calls] == [["Failure"], ["Failure"]]
    assert receiver.calls[0].id != receiver.calls[1].id
    assert {one.form for one in Delivery.objects.all()} == {"status"}


def test_the_page_and_the_log_of_attempts_tell_the_form(completed: Make, visit: Any, alice: User) -> None:
    job = completed()
    assert payloads.delivery(only())["form"] == "status"
    assert "The receiver has to answer" in visit(alice).get(f"/whisper/jobs/{job.pk}").content.decode()


def test_a_replay_keeps_the_form(completed: Make, receiver: Receiver) -> None:
    job = completed()
    send()
    callbacks.replay(job.pk)
    send()
    assert [told(call)["status"] for call in receiver.calls] == [["Completed"]] * 2
    assert fresh(job).is_terminal
