"""A worker with nothing to do lets go of its model."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.clockwork import Clockwork
from whisper_jobs.pipeline import models
from whisper_jobs.pipeline.heart import Heart
from whisper_jobs.speech.engines import registry
from whisper_jobs.states import Kind

pytestmark = pytest.mark.django_db


@pytest.fixture
def heart(monkeypatch: pytest.MonkeyPatch) -> Iterator[Heart]:
    monkeypatch.setattr(registry, "ENGINES", dict(registry.ENGINES))
    registry.register("clockwork", "tests.clockwork:Clockwork")
    registry.unload()
    yield Heart(["speech"], beat_seconds=1.0, limits=dict.fromkeys(Kind, 60.0))
    registry.unload()


def loaded() -> weakref.ref[Any]:
    with models.using("clockwork", "any") as engine:
        assert isinstance(engine, Clockwork)
        return weakref.ref(engine)


def test_a_model_stays_for_its_time_and_then_leaves(heart: Heart, settings: Any) -> None:
    model = loaded()
    heart.beat()
    assert model() is not None
    settings.TOOLS = replace(settings.TOOLS, model_idle_minutes=1e-9)
    heart.beat()
    assert model() is None
