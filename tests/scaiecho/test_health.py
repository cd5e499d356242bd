"""GET /healthz and /readyz of the module: open to all, and true."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.scaiecho.conftest import BASE
from whisper_jobs.health import checks
from whisper_jobs.health.checks import Health


def test_the_module_is_alive() -> None:
    answer = Client().get(f"{BASE}/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "module": "scaiecho"})


@pytest.mark.parametrize(("workers", "status", "told"), [({"speech": 1}, 200, "ok"), ({"speech": 0}, 503, "starting")])
def test_it_is_ready_when_the_server_is(
    monkeypatch: pytest.MonkeyPatch, workers: dict[str, int], status: int, told: str
) -> None:
    health = Health(database=True, broker=True, workers=workers)
    monkeypatch.setattr(checks, "look", lambda: health)
    answer = Client().get(f"{BASE}/readyz")
    assert answer.status_code == status
    assert answer.json() == {"status": told, "module": "scaiecho", "phase": "production"}


def test_a_token_that_is_no_good_does_not_matter(db: None) -> None:
    answer: Any = Client().get(f"{BASE}/healthz", HTTP_AUTHORIZATION="Bearer nonsense")
    assert answer.status_code == 200
