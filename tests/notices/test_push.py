"""Web push: what a browser unseals, how the server signs, and what is done with each answer."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils.translation import gettext, override

from accounts import push_key
from accounts.models import User
from tests.callbacks.receiver import Receiver, status
from tests.core.play import Stage
from tests.notices.conftest import browsers_of, due_now, send, states
from tests.pages.conftest import swedish
from whisper_jobs import lifecycle, notices, pushing
from whisper_jobs.errors import FAILURES, JobError
from whisper_jobs.models import Job, Notice, PushSubscription
from whisper_jobs.outbound import OutboundRefused

__all__ = ["swedish"]


def test_a_browser_reads_what_is_ready_and_where(stage: Stage, alice: User, service: Receiver, subscribed: Any) -> None:
    browser = subscribed(alice)
    job = stage.completed(alice, source_label="Board <b>meeting</b>")
    send()
    told = browser.read(service.calls[0].body)
    assert told == {
        "title": "The transcript is ready",
        "body": "Board <b>meeting</b>\ndone",
        "path": f"/whisper/jobs/{job.pk}",
        "tag": f"job-{job.pk}",
    }
    assert states() == ["sent"]


@pytest.mark.usefixtures("swedish")
def test_it_is_in_the_owners_language(stage: Stage, alice: User, service: Receiver, subscribed: Any) -> None:
    User.objects.filter(pk=alice.pk).update(language="sv")
    browser = subscribed(alice)
    stage.prepared(alice)
    lifecycle.fail(stage.run("fetch"), JobError("source_not_found"))
    send()
    with override("sv"):
        wanted = gettext(FAILURES["source_not_found"])
    assert wanted != FAILURES["source_not_found"]
    assert wanted in browser.read(service.calls[0].body)["body"]


def test_the_headers_are_those_of_the_standard(stage: Stage, alice: User, service: Receiver, subscribed: Any) -> None:
    subscribed(alice)
    job = stage.completed(alice)
    send()
    (call,) = service.calls
    assert call.headers["content-encoding"] == "aes128gcm"
    assert (call.headers["ttl"], call.headers["topic"]) == ("86400", f"job-{job.pk}")
    scheme, token, key = call.headers["authorization"].replace(",", "").split(" ")
    assert (scheme, key) == ("vapid", f"k={push_key.public_key()}")
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), pushing.decoded(key[2:]))
    origin = service.url.removesuffix("/hook")
    claims = jwt.decode(token[2:], point, algorithms=["ES256"], audience=origin)
    assert claims["sub"] == "mailto:whisper@localhost"


def test_a_failure_says_why(stage: Stage, alice: User, service: Receiver, subscribed: Any) -> None:
    browser = subscribed(alice)
    stage.prepared(alice)
    lifecycle.fail(stage.run("fetch"), JobError("source_not_found"))
    send()
    told = browser.read(service.calls[0].body)
    assert told["title"] == "The recording could not be transcribed"
    assert Job.objects.get().failure_error in told["body"]


@pytest.mark.parametrize("code", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(
    stage: Stage, alice: User, service: Receiver, subscribed: Any, code: int
) -> None:
    subscribed(alice)
    stage.completed(alice)
    service.answers = [status(code)]
    send()
    assert (browsers_of(alice), states()) == (0, [])


def test_a_service_that_is_down_is_tried_three_times_more(
    stage: Stage, alice: User, service: Receiver, subscribed: Any
) -> None:
    subscribed(alice)
    stage.completed(alice)
    service.answers = [status(503)] * 9
    pauses = []
    for _attempt in range(6):
        send()
        notice = Notice.objects.get()
        if notice.due_at is not None and notice.claimed_at is None:
            pauses.append(notice.attempts)
        due_now()
    assert pauses == [1, 2, 3]
    assert len(service.calls) == 4
    assert (states(), Notice.objects.get().error) == (["failed"], "The receiver did not accept it.")


def test_one_broken_browser_does_not_hold_up_the_other(
    stage: Stage, alice: User, service: Receiver, subscribed: Any
) -> None:
    subscribed(alice, "a"), subscribed(alice, "b")
    PushSubscription.objects.filter(endpoint__endswith="/a").update(p256dh="nonsense")
    stage.completed(alice)
    send()
    assert [call.path[-1] for call in service.calls] == ["b"]
    assert sorted(states()) == ["due", "sent"]


def test_long_titles_and_texts_fit_into_a_push(stage: Stage, alice: User, service: Receiver, subscribed: Any) -> None:
    browser = subscribed(alice)
    stage.decoded(alice, 1, source_label="👩‍👩‍👧‍👦" * 20)
    stage.hear(stage.run("speech"))
    stage.assemble(stage.run("deliver"), text="😀 שלום " * 2000)
    send()
    assert len(service.calls[0].body) <= 4096
    assert browser.read(service.calls[0].body)["body"].endswith("…")


@pytest.mark.parametrize("address", ["http://10.0.0.1/push", "http://169.254.169.254/", "ftp://example.com/"])
def test_nothing_is_sent_where_the_guard_lets_nobody(alice: User, address: str) -> None:
    with pytest.raises(OutboundRefused):
        notices.subscribe(alice, endpoint=address, p256dh="", auth="")


def test_the_key_of_the_server_stays_the_same_and_follows_its_secret(settings: Any) -> None:
    first = push_key.public_key()
    assert push_key.public_key() == first
    assert len(pushing.decoded(first)) == 65
    settings.SECRET_KEY = "another"
    assert push_key.public_key() != first


def test_what_is_sealed_is_not_in_the_clear(stage: Stage, alice: User, service: Receiver, subscribed: Any) -> None:
    subscribed(alice)
    stage.completed(alice, source_label="Secret plan")
    send()
    assert b"Secret" not in service.calls[0].body
    with pytest.raises(ValueError):
        json.loads(service.calls[0].body)
