"""A callback goes out when its job has ended, is tried again on a schedule, and every attempt is logged."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.models import User
from tests.callbacks.conftest import deliverer, due_now, only, send
from tests.callbacks.receiver import Receiver, flood, hang, nonsense, receiving, status
from tests.core.play import Stage, fresh
from whisper_jobs import callbacks, lifecycle, posting, tasks
from whisper_jobs.deliverer import HOST_SLOTS, Deliverer
from whisper_jobs.errors import JobError
from whisper_jobs.models import Attempt, Delivery, DeliveryState, Job, LogLine
from whisper_jobs.pipeline.heart import Heart

Make = Callable[..., Job]


def wait_of(delivery: Delivery) -> float:
    assert delivery.due_at is not None
    return (delivery.due_at - timezone.now()).total_seconds()


def test_a_completed_job_calls_back_once(completed: Make, receiver: Receiver) -> None:
    job = completed()
    send()
    send()
    (call,) = receiver.calls
    assert call.json["event"] == "whisper.job.completed"
    assert call.json["job"]["job_id"] == job.pk
    assert (call.path, call.headers["content-type"]) == ("/hook", "application/json")
    delivery = only()
    assert (delivery.state, delivery.http_status, delivery.error) == (DeliveryState.DELIVERED, 200, "")
    assert delivery.delivered_at is not None
    assert delivery.last_attempt_at is not None
    assert delivery.run_id is None


def test_nothing_is_sent_before_the_job_has_ended(stage: Stage, alice: User, asked: dict[str, object]) -> None:
    job = stage.decoded(alice, windows=1, **asked)
    assert callbacks.claim("w", slots=10, room=lambda host: 10) == []
    assert fresh(job).is_terminal is False
    assert only().state == DeliveryState.HELD


def test_a_failed_job_calls_back(stage: Stage, alice: User, asked: dict[str, object], receiver: Receiver) -> None:
    stage.prepared(alice, **asked)
    lifecycle.fail(stage.run("fetch"), JobError("source_not_found"))
    send()
    (call,) = receiver.calls
    assert call.json["event"] == "whisper.job.failed"
    assert call.json["job"]["failure_code"] == "source_not_found"


def test_an_attempt_is_logged_and_bumps_the_revision_of_the_job(completed: Make, receiver: Receiver) -> None:
    job = completed()
    receiver.answers = [status(503)]
    send()
    attempt = Attempt.objects.get()
    assert (attempt.number, attempt.http_status, attempt.error) == (1, 503, posting.FAILURES["answer"])
    assert attempt.at <= timezone.now()
    assert fresh(job).revision > job.revision
    assert LogLine.objects.filter(job=job, message__startswith="The callback failed").exists()


def test_a_failed_attempt_is_made_again_with_the_same_id(completed: Make, receiver: Receiver) -> None:
    completed()
    receiver.answers = [status(500)]
    send()
    assert 4 <= wait_of(only()) <= 6
    send()
    assert len(receiver.calls) == 1, "not before its time"
    due_now()
    send()
    first, second = receiver.calls
    assert first.id == second.id
    assert first.body == second.body
    assert only().state == DeliveryState.DELIVERED
    assert [one.http_status for one in Attempt.objects.order_by("id")] == [500, 200]


def test_the_schedule_takes_three_days_and_then_it_has_failed(completed: Make, receiver: Receiver) -> None:
    completed()
    receiver.answers = [status(500)] * 20
    waits = []
    for _ in range(len(callbacks.PAUSES)):
        send()
        waits.append(wait_of(only()))
        due_now()
    for waited, planned in zip(waits, (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400), strict=True):
        assert 0.88 * planned <= waited <= 1.1 * planned
    send()
    delivery = only()
    assert (delivery.state, delivery.due_at, delivery.attempts) == (DeliveryState.FAILED, None, 10)
    assert due_now() == 0


def test_pauses_are_spread() -> None:
    outcome = posting.Outcome(500, "answer")
    assert len({callbacks._pause(timedelta(hours=2), outcome) for _ in range(10)}) > 5


def test_410_ends_it_at_once(completed: Make, receiver: Receiver) -> None:
    completed()
    receiver.answers = [status(410)]
    send()
    assert (only().state, only().http_status) == (DeliveryState.FAILED, 410)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308, 304])
def test_a_redirect_is_a_failure_and_never_followed(completed: Make, receiver: Receiver, code: int) -> None:
    completed()
    with receiving(Receiver()) as elsewhere:
        receiver.answers = [status(code, Location=elsewhere.url)]
        send()
        assert elsewhere.connections == 0
    assert (only().state, only().error) == (DeliveryState.DUE, posting.FAILURES["redirect"])


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
def test_every_2xx_is_good(completed: Make, receiver: Receiver, code: int) -> None:
    completed()
    receiver.answers = [status(code, b"")]
    send()
    assert only().state == DeliveryState.DELIVERED


def test_retry_after_in_seconds_is_honoured(completed: Make, receiver: Receiver) -> None:
    completed()
    receiver.answers = [status(429, Retry_After="600")]
    send()
    assert 595 < wait_of(only()) <= 600


def test_retry_after_as_a_date_is_honoured(completed: Make, receiver: Receiver) -> None:
    completed()
    at = datetime.now(UTC) + timedelta(seconds=900)
    receiver.answers = [status(503, Retry_After=at.strftime("%a, %d %b %Y %H:%M:%S GMT"))]
    send()
    assert 890 < wait_of(only()) <= 900


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("99999999", 86_400.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Thu, 01 Jan 99999999999999999999 00:00:00 GMT", 0.0),
        ("9" * 5000, 0.0),
        ("-5", 0.0),
        ("1.5e3", 0.0),
        ("soon", 0.0),
        ("", 0.0),
    ],
)
def test_a_wish_for_a_pause_is_capped_and_nonsense_is_none(header: str, seconds: float) -> None:
    assert posting.retry_after_seconds(header) == seconds


def test_a_short_wish_does_not_use_up_the_attempts(completed: Make, receiver: Receiver) -> None:
    completed()
    receiver.answers = [status(503, Retry_After="0")]
    send()
    assert wait_of(only()) > 4


def test_a_receiver_that_says_nothing_is_given_up(
    completed: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "TIMEOUT_SECONDS", 0.5)
    completed()
    receiver.answers = [hang]
    began = time.monotonic()
    send()
    assert time.monotonic() - began < 3
    assert (only().error, only().http_status) == (posting.FAILURES["timeout"], None)


def test_it_waits_fifteen_seconds() -> None:
    assert posting.TIMEOUT_SECONDS == 15.0


def test_an_answer_without_an_end_is_not_read(completed: Make, receiver: Receiver) -> None:
    completed()
    receiver.answers = [flood]
    began = time.monotonic()
    send()
    assert time.monotonic() - began < 3
    assert only().state == DeliveryState.DELIVERED


def test_an_answer_that_is_no_http_is_a_failure(completed: Make, receiver: Receiver) -> None:
    completed()
    receiver.answers = [nonsense]
    send()
    assert (only().state, only().error) == (DeliveryState.DUE, posting.FAILURES["broken"])


def test_a_receiver_that_is_down_is_tried_again(completed: Make) -> None:
    with receiving(Receiver()) as gone:
        completed(callback_url=gone.url)
    send()
    assert (only().state, only().error) == (DeliveryState.DUE, posting.FAILURES["unreachable"])


def test_a_receiver_that_hangs_holds_up_no_other(
    completed: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More callbacks for it than there are exchanges at a time, and all of them due before the other's."""
    with receiving(Receiver("127.0.0.2")) as hanging:
        hanging.answers = [hang] * 50
        first = completed(callback_url=hanging.url)
        template = Delivery.objects.get(job=first)
        told = {"url": hanging.url, "host": "127.0.0.2", "event": template.event, "due_at": template.due_at}
        more = [Delivery(job=first, state=DeliveryState.DUE, **told) for _ in range(49)]
        Delivery.objects.bulk_create(more)
        other = completed()
        by = deliverer()
        deadline = time.monotonic() + 5
        while not receiver.calls and time.monotonic() < deadline:
            by.turn()
            time.sleep(0.01)
        by.turn()
        assert [call.json["job"]["job_id"] for call in receiver.calls] == [other.pk]
        time.sleep(0.2)
        by.turn()
        assert hanging.connections == HOST_SLOTS, "no more of one host at a time"


def test_a_host_that_did_not_answer_gets_one_at_a_time_until_it_does(
    completed: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        completed()
    by = deliverer()
    with monkeypatch.context() as patch, receiving(Receiver()) as hanging:
        patch.setattr(posting, "TIMEOUT_SECONDS", 0.3)
        Delivery.objects.update(url=hanging.url)
        hanging.answers = [hang] * 3
        assert sent_in_a_turn(by) == 3
    Delivery.objects.update(url=receiver.url)
    due_now()
    assert sent_in_a_turn(by) == 1
    due_now()
    assert sent_in_a_turn(by) == 2, "it has answered"


def sent_in_a_turn(by: Deliverer) -> int:
    """How many it sends at once; on return all of them have ended."""
    by.turn()
    sent = len(by._in_hand)
    while len(by._ended) < sent:
        time.sleep(0.01)
    by._record()
    return sent


def test_an_answer_that_could_not_be_stored_is_stored_when_the_database_is_back(
    completed: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    completed()
    by = deliverer()
    by.turn()
    while not by._ended:
        time.sleep(0.01)
    with monkeypatch.context() as patch:
        patch.setattr(callbacks, "record", away)
        with pytest.raises(OperationalError):
            by.turn()
    by.turn()
    assert len(receiver.calls) == 1
    assert only().state == DeliveryState.DELIVERED


def away(*args: object, **named: object) -> None:
    raise OperationalError("the database is away")


def test_a_bell_of_the_lane_wakes_the_deliverer(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    by = deliverer()
    heart = Heart(["deliver"], beat_seconds=1.0, limits={})
    monkeypatch.setattr(tasks, "_hearts", [heart])
    monkeypatch.setattr(tasks, "_deliverers", [by])
    tasks.work("fetch")
    assert not by._bell.is_set()
    tasks.work("deliver")
    assert by._bell.is_set()
