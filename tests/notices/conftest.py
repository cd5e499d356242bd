"""A push service on loopback with a browser behind it that unseals what arrives, and a notifier that a test turns by hand."""

from __future__ import annotations

import base64
import ipaddress
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils import timezone

from accounts.models import User
from tests.callbacks.receiver import Receiver, receiving
from whisper_jobs import notices
from whisper_jobs.models import Notice, NoticeState, PushSubscription
from whisper_jobs.notifier import Notifier
from whisper_jobs.outbound import Guard

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
PATIENCE_SECONDS = 20.0


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Browser:
    """What a browser keeps of its subscription."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    secret: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def told(self) -> dict[str, str]:
        """As PushSubscription.toJSON() has it."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"endpoint": self.endpoint, "p256dh": encoded(point), "auth": encoded(self.secret)}

    def read(self, body: bytes) -> Any:
        return json.loads(http_ece.decrypt(body, private_key=self.key, auth_secret=self.secret, version="aes128gcm"))


@pytest.fixture(autouse=True)
def _loopback_allowed(settings: Any) -> None:
    settings.TOOLS = replace(settings.TOOLS, outbound_allow=LOOPBACK)


@pytest.fixture
def service() -> Iterator[Receiver]:
    """A push service."""
    with receiving(Receiver()) as server:
        yield server


@pytest.fixture
def subscribed(service: Receiver) -> Callable[[User], Browser]:
    """Makes a browser of somebody's that is subscribed."""

    def make(user: User, name: str = "1") -> Browser:
        browser = Browser(f"{service.url}/{user.pk}/{name}")
        notices.subscribe(user, **browser.told)
        return browser

    return make


@pytest.fixture
def mailed(alice: User) -> User:
    """Alice, who wants a mail."""
    User.objects.filter(pk=alice.pk).update(mails_when_done=True)
    alice.refresh_from_db()
    return alice


def notifier() -> Notifier:
    return Notifier(Guard(LOOPBACK), poll_seconds=1.0)


def send(by: Notifier | None = None) -> None:
    """Sends what is due, once, and records how it ended."""
    by = by or notifier()
    by.turn()
    by.stop()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while by.is_busy:
        assert time.monotonic() < deadline, "an exchange did not end"
        time.sleep(0.005)
        by.turn()


def due_now() -> int:
    """Makes those that wait for their next attempt due."""
    waiting = Notice.objects.filter(state=NoticeState.DUE, run_id=None)
    return waiting.update(due_at=timezone.now() - timedelta(seconds=1))


def states() -> list[str]:
    return list(Notice.objects.order_by("created_at").values_list("state", flat=True))


def browsers_of(user: User) -> int:
    return PushSubscription.objects.filter(user=user).count()
