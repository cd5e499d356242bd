"""Standard Webhooks: three headers beside the body, verified here by the official library and by hand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from accounts import tokens
from accounts.models import PersonalToken
from tests.callbacks.conftest import due_now, only, send
from tests.callbacks.receiver import Receiver, status
from whisper_jobs.models import Job

Make = Callable[..., Job]


def secret_of(token: PersonalToken) -> str:
    return tokens.signing_secrets(token)[0]


def by_hand(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def test_the_official_library_verifies_a_callback(completed: Make, receiver: Receiver, token: PersonalToken) -> None:
    completed(source_label="Räksmörgås")
    send()
    (call,) = receiver.calls
    told = Webhook(secret_of(token)).verify(call.body, call.headers)
    assert told["job"]["source"] == "Räksmörgås"
    assert abs(int(call.headers["webhook-timestamp"]) - time.time()) < 10
    assert call.id == only().webhook_id
    assert "." not in call.id


def test_the_signature_is_that_of_the_standard(completed: Make, receiver: Receiver, token: PersonalToken) -> None:
    completed()
    send()
    (call,) = receiver.calls
    wanted = by_hand(secret_of(token), call.id, call.headers["webhook-timestamp"], call.body)
    assert call.headers["webhook-signature"] == wanted


def test_another_body_or_secret_does_not_verify(completed: Make, receiver: Receiver, token: PersonalToken) -> None:
    completed()
    send()
    (call,) = receiver.calls
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_of(token)).verify(call.body + b" ", call.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + base64.b64encode(b"x" * 24).decode()).verify(call.body, call.headers)


def test_an_attempt_has_its_own_time(completed: Make, receiver: Receiver, token: PersonalToken) -> None:
    completed()
    receiver.answers = [status(500)]
    send()
    time.sleep(1.1)
    due_now()
    send()
    first, second = receiver.calls
    assert int(second.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
    Webhook(secret_of(token)).verify(second.body, second.headers)


def test_both_secrets_sign_while_a_rotation_overlaps(completed: Make, receiver: Receiver, token: PersonalToken) -> None:
    old = secret_of(token)
    new = tokens.rotate_secret(token)
    completed()
    send()
    (call,) = receiver.calls
    assert len(call.headers["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        Webhook(secret).verify(call.body, call.headers)


def test_the_old_secret_signs_no_more_when_the_overlap_is_over(
    completed: Make, receiver: Receiver, token: PersonalToken
) -> None:
    old = secret_of(token)
    tokens.rotate_secret(token)
    PersonalToken.objects.filter(pk=token.pk).update(previous_secret_until=timezone.now() - timedelta(seconds=1))
    completed()
    send()
    (call,) = receiver.calls
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(call.body, call.headers)


def test_a_revoked_token_signs_what_it_had_asked_for(completed: Make, receiver: Receiver, token: PersonalToken) -> None:
    completed()
    tokens.revoke(token)
    send()
    Webhook(secret_of(token)).verify(receiver.calls[0].body, receiver.calls[0].headers)


def test_without_its_token_a_callback_goes_unsigned(completed: Make, receiver: Receiver, token: PersonalToken) -> None:
    completed()
    token.delete()
    send()
    (call,) = receiver.calls
    assert "webhook-signature" not in call.headers
    assert call.id
