"""A receiver, a token that signs, and a deliverer that a test turns by hand."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import tokens
from accounts.models import PersonalToken, User
from tests.callbacks.receiver import Receiver, receiving
from tests.core.play import Stage
from whisper_jobs.deliverer import Deliverer
from whisper_jobs.models import Channel, Delivery, DeliveryState, Job
from whisper_jobs.outbound import Guard

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
WORKER = "host:1:1"
#: Turns of a deliverer that a test waits for.
PATIENCE_SECONDS = 20.0
Submit = Callable[..., Job]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(Receiver()) as server:
        yield server


@pytest.fixture
def token(alice: User) -> PersonalToken:
    tokens.create(alice, tokens.API, name="integration")
    return PersonalToken.objects.get(user=alice)


@pytest.fixture
def asked(receiver: Receiver, token: PersonalToken) -> dict[str, Any]:
    """Fields of a submission that asks to be called back."""
    return {"channel": Channel.API, "callback_url": receiver.url, "token": token}


@pytest.fixture
def completed(stage: Stage, alice: User, asked: dict[str, Any]) -> Callable[..., Job]:
    """Makes a completed job whose callback is due."""
    return lambda **fields: stage.completed(alice, windows=1, **{**asked, **fields})


@pytest.fixture
def loopback_allowed(settings: Any) -> None:
    """As an operator would who has receivers in the own network."""
    settings.TOOLS = replace(settings.TOOLS, outbound_allow=LOOPBACK)


def deliverer(guard: Guard | None = None, worker: str = WORKER) -> Deliverer:
    return Deliverer(worker, guard or Guard(LOOPBACK), poll_seconds=1.0)


def send(by: Deliverer | None = None) -> None:
    """Sends what is due, once, and records how it ended."""
    by = by or deliverer()
    by.turn()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while by.is_busy:
        assert time.monotonic() < deadline, "an exchange did not end"
        time.sleep(0.005)
        by.stop()
        by.turn()


def due_now() -> int:
    """Makes those that wait for their next attempt due."""
    waiting = Delivery.objects.filter(state=DeliveryState.DUE, run_id=None)
    return waiting.update(due_at=timezone.now() - timedelta(seconds=1))


def only() -> Delivery:
    return Delivery.objects.get()
