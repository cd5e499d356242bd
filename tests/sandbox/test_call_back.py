"""Attempts to call back that are sent, and then counted as failed, because that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.callbacks.conftest import LOOPBACK, due_now, send
from tests.callbacks.receiver import Receiver, receiving, status
from tests.sandbox.conftest import HandIn, Play
from whisper_jobs import callbacks, lifecycle
from whisper_jobs.models import Attempt, Delivery, Job
from whisper_jobs.sandbox import Script

pytestmark = pytest.mark.django_db(transaction=True)
FORCED = "The sandbox takes this attempt as failed."


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(Receiver()) as server:
        yield server


@pytest.fixture
def ended(hand_in: HandIn, play: Play, receiver: Receiver, settings: Any) -> Any:
    settings.TOOLS = replace(settings.TOOLS, outbound_allow=LOOPBACK)

    def made(failures: int) -> Job:
        return play(hand_in(Script(callback_failures=failures), callback_url=receiver.url))

    return made


def until_the_next() -> timedelta:
    due_at = Delivery.objects.get().due_at
    assert due_at is not None
    return due_at - timezone.now()


def test_the_same_letter_comes_until_the_last_attempt_counts(ended: Any, receiver: Receiver) -> None:
    ended(2)
    for expected in ("due", "due", "delivered"):
        due_now()
        send()
        assert Delivery.objects.get().state == expected
    assert len({call.id for call in receiver.calls}) == 1 and len(receiver.calls) == 3
    assert [(one.http_status, one.error) for one in Attempt.objects.order_by("pk")] == [
        (200, FORCED),
        (200, FORCED),
        (200, ""),
    ]


def test_the_next_attempt_follows_after_a_second(ended: Any) -> None:
    ended(1)
    send()
    left = until_the_next()
    assert timedelta(0) < left < timedelta(seconds=2)


def test_a_receiver_that_really_refuses_is_told_as_it_is_and_left_alone_longer(ended: Any, receiver: Receiver) -> None:
    ended(1)
    receiver.answers = [status(500), status(500)]
    send()
    assert Delivery.objects.get().error == "The receiver did not accept it."
    due_now()
    send()
    left = until_the_next()
    assert left > callbacks.PAUSES[1] * 0.8


def test_sent_once_more_it_is_taken(ended: Any) -> None:
    job = ended(9)
    for _ in range(9):
        due_now()
        send()
    assert Delivery.objects.get().state == "due"
    due_now()
    send()
    assert Delivery.objects.get().state == "delivered"
    callbacks.replay(job.pk)
    send()
    assert (Delivery.objects.get().state, Delivery.objects.get().attempts) == ("delivered", 11)


def test_one_that_is_cancelled_calls_back_as_any_other(hand_in: HandIn, receiver: Receiver, settings: Any) -> None:
    settings.TOOLS = replace(settings.TOOLS, outbound_allow=LOOPBACK)
    job = hand_in(Script(finish_in=None), callback_url=receiver.url)
    lifecycle.request_cancel(job.pk)
    send()
    assert receiver.calls[0].json["job"]["failure_code"] == "cancelled"
