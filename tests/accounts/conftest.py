"""Signed-in browsers without scripts, two-step codes, and operators' settings as a test needs them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.test import Client

from accounts.models import User
from tests.conftest import PASSWORD
from tests.pages.conftest import swedish as swedish

Code = Callable[[], str]


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """A client whose user has just typed the password, unlike one of `force_login`."""

    def client_of(user: User) -> Client:
        client = Client()
        answer = client.post("/login", {"login": user.email, "password": PASSWORD})
        assert answer.headers["location"] == "/whisper", answer.text
        return client

    return client_of


def code_of(secret: str) -> str:
    """What an authenticator app shows now."""
    *_, now, _next = yield_hotp_counters_from_time()
    return str(format_hotp_value(hotp_value(secret, now)))


@pytest.fixture
def second_step() -> Callable[[User], str]:
    """Turns on an authenticator app; answers its secret."""

    def turn_on(user: User) -> str:
        secret = str(generate_totp_secret())
        TOTP.activate(user, secret)
        return secret

    return turn_on


@pytest.fixture
def operator(settings: Any) -> Callable[..., None]:
    """Sets what an operator can set."""

    def choose(**values: Any) -> None:
        settings.TOOLS = dataclasses.replace(settings.TOOLS, **values)

    return choose
