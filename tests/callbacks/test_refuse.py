"""Addresses that are not public are never connected to, whatever they are written as and whenever they become so."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from accounts.models import PersonalToken
from tests.callbacks.conftest import deliverer, due_now, only, send
from tests.callbacks.receiver import Receiver, receiving, status
from tests.outbound.site import Resolver
from whisper_jobs import callbacks, posting
from whisper_jobs.models import Delivery, DeliveryState, Job
from whisper_jobs.outbound import Guard, OutboundRefused

Make = Callable[..., Job]
PUBLIC = "93.184.215.14"


@pytest.fixture
def private(receiver: Receiver) -> Iterator[Callable[[str], str]]:
    """The receiver's URL with its host written otherwise; at the end nobody may have connected to it."""
    yield lambda host: f"http://{host}:{receiver.server_port}/hook"
    assert receiver.connections == 0


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "2130706433",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::1]",
        "localhost",
        "0.0.0.0",
    ],
)
def test_a_private_address_is_refused_at_delivery(completed: Make, private: Callable[[str], str], host: str) -> None:
    """It was let through when the job came in, say because the operator allowed it then."""
    completed(callback_url=private(host))
    send(deliverer(Guard()))
    delivery = only()
    assert (delivery.state, delivery.error) == (DeliveryState.DUE, posting.FAILURES["refused"])
    assert delivery.http_status is None


def test_a_name_that_stands_for_a_private_address_is_refused(completed: Make, private: Callable[[str], str]) -> None:
    completed(callback_url=private("hook.example.test"))
    resolver = Resolver({"hook.example.test": [["127.0.0.1"]]})
    send(deliverer(Guard(resolve=resolver)))
    assert resolver.asked == ["hook.example.test"]
    assert only().error == posting.FAILURES["refused"]


def test_a_name_that_becomes_private_after_submission_is_refused(
    completed: Make, private: Callable[[str], str]
) -> None:
    """DNS rebinding: public when it is looked at, private when it is called; and public besides private."""
    guard = Guard(resolve=Resolver({"hook.example.test": [[PUBLIC], ["127.0.0.1"], [PUBLIC, "127.0.0.1"]]}))
    url = private("hook.example.test")
    assert guard.checked_addresses("hook.example.test", 80) == [PUBLIC]
    completed(callback_url=url)
    for _ in range(2):
        send(deliverer(guard))
        assert only().error == posting.FAILURES["refused"]
        due_now()


def test_the_address_that_was_checked_is_the_one_that_is_called(completed: Make, receiver: Receiver) -> None:
    """A second answer of the name server is never asked for."""
    answers = Resolver({"hook.example.test": [["127.0.0.1"], ["10.0.0.1"]]})
    completed(callback_url=f"http://hook.example.test:{receiver.server_port}/hook")
    send(deliverer(Guard(deliverer()._guard.allow, resolve=answers)))
    assert answers.asked == ["hook.example.test"]
    assert only().state == DeliveryState.DELIVERED
    assert receiver.calls[0].headers["host"] == f"hook.example.test:{receiver.server_port}"


def test_a_redirect_into_the_private_net_is_not_followed(completed: Make, receiver: Receiver) -> None:
    completed()
    with receiving(Receiver("127.0.0.3")) as inside:
        receiver.answers = [status(307, Location=inside.url)]
        send()
        assert inside.connections == 0
    assert only().error == posting.FAILURES["redirect"]


def test_a_name_that_does_not_exist_is_a_failure(completed: Make) -> None:
    def nowhere(*asked: object, **how: object) -> list[object]:
        raise OSError("no such name")

    completed(callback_url="http://hook.example.test/")
    send(deliverer(Guard(resolve=nowhere)))  # type: ignore[arg-type]
    assert only().error == posting.FAILURES["not_found"]


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://[::ffff:10.0.0.1]/", "gopher://example.com/", "nonsense"])
def test_a_test_event_is_not_even_queued_for_a_private_address(token: PersonalToken, url: str) -> None:
    with pytest.raises(OutboundRefused):
        callbacks.send_test(token, url)
    assert not Delivery.objects.exists()
