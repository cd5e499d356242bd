"""Callbacks that the Python client takes for genuine, and those that it doesn't."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook
from tools_whisper import webhooks
from tools_whisper.webhooks import NotGenuine

SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 24).decode()
BODY = '{"event": "whisper.job.completed", "job": {"job_id": 7, "source": "Räksmörgås"}}'.encode()


def signed(*secrets: str, at: float | None = None, body: bytes = BODY) -> dict[str, str]:
    moment = datetime.fromtimestamp(int(at or time.time()), UTC)
    signatures = " ".join(Webhook(secret).sign("msg_1", moment, body.decode()) for secret in secrets)
    return {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(int(moment.timestamp())),
        "Webhook-Signature": signatures,
    }


def test_a_genuine_callback_is_read() -> None:
    assert webhooks.verify(signed(SECRET), BODY, SECRET)["job"]["job_id"] == 7


def test_either_secret_of_a_change_will_do() -> None:
    assert webhooks.verify(signed(OTHER, SECRET), BODY, SECRET)["event"] == "whisper.job.completed"


@pytest.mark.parametrize(
    ("secret", "at", "changes"),
    [
        (OTHER, None, {}),
        (SECRET, 1_000_000, {}),
        (SECRET, 9_000_000_000, {}),
        (SECRET, None, {"Webhook-Signature": "räv1"}),
        (SECRET, None, {"Webhook-Timestamp": "soon"}),
        (SECRET, None, {"Webhook-Id": ""}),
    ],
)
def test_others_are_refused(secret: str, at: float | None, changes: dict[str, str]) -> None:
    with pytest.raises(NotGenuine):
        webhooks.verify({**signed(secret, at=at), **changes}, BODY, SECRET)


def test_another_body_or_what_is_no_secret_is_refused() -> None:
    for headers, body, secret in ((signed(SECRET), BODY + b" ", SECRET), (signed(SECRET), BODY, "whsec_no base64")):
        with pytest.raises(NotGenuine):
            webhooks.verify(headers, body, secret)
