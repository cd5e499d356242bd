"""The cache that limits are counted in: Redis, and this process while Redis is away. Nobody is kept out for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from redis import Redis

from accounts.models import User
from tests.broker import running_broker
from tests.conftest import PASSWORD


@pytest.fixture
def steady(settings: Any) -> None:
    """As the settings have it outside tests."""
    options = {"serializer": "config.cache.JsonSerializer", "socket_timeout": 1, "socket_connect_timeout": 1}
    socket = f"unix://{settings.TOOLS.socket_path}"
    steady = {"BACKEND": "config.cache.SteadyCache", "LOCATION": socket, "KEY_PREFIX": "cache", "OPTIONS": options}
    settings.CACHES = {"default": steady}


@pytest.fixture
def broker(steady: None) -> Iterator[None]:
    with running_broker():
        yield
        cache.close()


def test_values_lie_in_redis_as_json(broker: None, settings: Any) -> None:
    cache.set("history", [1.5, 2.5], 60)
    assert cache.get("history") == [1.5, 2.5]
    with Redis(unix_socket_path=str(settings.TOOLS.socket_path)) as client:
        (key,) = [name for name in client.scan_iter() if b"history" in name]
        assert client.get(key) == b"[1.5, 2.5]"


def test_numbers_are_counted_up_in_one_step(broker: None) -> None:
    assert cache.add("tries", 1, 60)
    assert not cache.add("tries", 5, 60)
    assert cache.incr("tries") == 2
    assert cache.get("tries") == 2


def test_limits_are_counted_in_redis(broker: None, alice: User) -> None:
    pages = [Client().post("/login", {"login": alice.email, "password": "wrong"}) for _try in range(6)]
    assert "Too many" in pages[-1].text


def test_without_redis_people_sign_in_at_once_and_guessing_still_ends(steady: None, alice: User) -> None:
    began = time.monotonic()
    assert Client().post("/login", {"login": alice.email, "password": PASSWORD}).headers["location"] == "/whisper"
    pages = [Client().post("/login", {"login": alice.email, "password": "wrong"}) for _try in range(6)]
    assert "Too many" in pages[-1].text
    body = {"email": alice.email, "password": "wrong"}
    assert Client().post("/api/account/login", body, content_type="application/json").status_code == 429
    assert time.monotonic() - began < 3
    cache.clear()
