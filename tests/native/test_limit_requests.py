"""120 requests a minute and caller: what is answered then, who shares a count, and that a lost counter refuses nobody."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from accounts.models import User
from tests.broker import running_broker
from whisper_jobs.budget import spend

STATUS = "/api/whisper/status"


@pytest.fixture
def _three(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TOOLS = replace(settings.TOOLS, api_per_minute=3)
    monkeypatch.setattr(time, "time", lambda: 1_000_000_020.0)


@pytest.mark.usefixtures("_three")
def test_what_is_left_is_told_and_then_it_is_429(api: Any, alice: User) -> None:
    client = api(alice)
    assert [client.get(STATUS)["X-RateLimit-Remaining"] for _ in range(3)] == ["2", "1", "0"]
    answer = client.get(STATUS)
    assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
    assert answer["X-RateLimit-Limit"] == "3"
    assert 1 <= int(answer["Retry-After"]) <= 120


@pytest.mark.usefixtures("_three")
def test_callers_have_a_count_each(api: Any, program: Any, robin: User, alice: User) -> None:
    clients = [api(robin), program(robin), api(alice)]
    assert [client.get(path).status_code for client, path in zip(clients, _paths(), strict=True) for _ in range(3)] == [
        200
    ] * 9
    # Another token of the same person adds nothing.
    assert program(robin).get(_paths()[1]).status_code == 429


def _paths() -> list[str]:
    return [STATUS, "/api/whisper/transcribe/status", STATUS]


@pytest.mark.usefixtures("_three")
def test_refusals_count_too(api: Any, nobody: User, db: None) -> None:
    def codes(client: APIClient, **headers: Any) -> list[int]:
        return [client.get(STATUS, **headers).status_code for _ in range(4)]

    assert codes(api(nobody)) == [403, 403, 403, 429]
    assert codes(APIClient(REMOTE_ADDR="198.51.100.7")) == [401, 401, 401, 429]
    wrong = {"HTTP_AUTHORIZATION": "Bearer wrong"}
    assert codes(APIClient(REMOTE_ADDR="198.51.100.8"), **wrong) == [401, 401, 401, 429]


@pytest.mark.usefixtures("_three", "db")
def test_strangers_behind_our_proxy_are_told_apart(settings: Any) -> None:
    def codes(told: str) -> list[int]:
        return [APIClient().get(STATUS, HTTP_X_FORWARDED_FOR=told).status_code for _ in range(4)]

    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert codes("203.0.113.9") == [401, 401, 401, 429]
    assert codes("203.0.113.10") == [401, 401, 401, 429]


def test_a_counter_that_is_away_refuses_nobody(api: Any, alice: User, settings: Any) -> None:
    """There is no Redis behind this socket, and the cache says so."""
    settings.TOOLS = replace(settings.TOOLS, api_per_minute=1)
    redis = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "unix:///nowhere.sock"}
    settings.CACHES = {"default": redis}
    assert [api(alice).get(STATUS).status_code for _ in range(3)] == [200] * 3


def test_in_the_long_run_it_is_the_limit_and_a_wait_is_enough() -> None:
    """A caller that asks at random and waits as told is let in after the wait, and gets no more than the limit a minute."""
    dice, now, allowed = random.Random(7), 5_000_000.0, []
    for _ in range(2000):
        budget = spend("x", 20, now=now)
        if budget.wait_seconds:
            now += budget.wait_seconds + 0.01
            assert not spend("x", 20, now=now).wait_seconds
        allowed.append(now)
        now += dice.expovariate(2.0)
    minutes = (allowed[-1] - allowed[0]) / 60
    assert 18 <= len(allowed) / minutes <= 20.5


def test_an_idle_minute_forgives() -> None:
    assert [bool(spend("x", 2, now=600.0).wait_seconds) for _ in range(3)] == [False, False, True]
    assert not spend("x", 2, now=720.0).wait_seconds


@pytest.fixture
def _redis(settings: Any) -> Iterator[None]:
    with running_broker():
        settings.CACHES = {
            "default": {
                "BACKEND": "config.cache.SteadyCache",
                "LOCATION": f"unix://{settings.TOOLS.socket_path}",
                "OPTIONS": {"serializer": "config.cache.JsonSerializer"},
            }
        }
        yield
        cache.close()


@pytest.mark.usefixtures("_redis")
def test_requests_are_counted_in_redis() -> None:
    assert [bool(spend("x", 2, now=600.0).wait_seconds) for _ in range(3)] == [False, False, True]
    assert not spend("y", 2, now=600.0).wait_seconds
