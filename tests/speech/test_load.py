"""The process keeps the engine that it used last."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from whisper_jobs.speech.engines import registry
from whisper_jobs.speech.engines.base import Options, Quality, Result, Samples, Setup
from whisper_jobs.speech.engines.choose import Choice
from whisper_jobs.speech.transcript import Segment

HERE = Setup(folders=(Path("models"),), threads=3)


class Clockwork:
    """Says how long the sound was."""

    name = "clockwork"
    quality: Quality = "full"

    def __init__(self, model: str, setup: Setup) -> None:
        self.made_with = (model, setup)
        self.batch = setup.batch or 1

    def transcribe(self, windows: Sequence[Samples], options: Options) -> list[Result]:
        return [self._window(len(samples) / 16_000, options) for samples in windows]

    def _window(self, seconds: float, options: Options) -> Result:
        return Result((Segment(0, seconds, f"{seconds} seconds"),), options.language)


@pytest.fixture(autouse=True)
def _clockwork(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "ENGINES", dict(registry.ENGINES))
    registry.register("clockwork", f"{__name__}:Clockwork")
    registry.unload()
    yield
    registry.unload()


def choice(model: str = "one", engine: str = "clockwork") -> Choice:
    return Choice(engine, model, "full", "")


def test_an_engine_is_made_once_and_kept() -> None:
    first = registry.load(choice(), HERE)
    assert isinstance(first, Clockwork)
    assert first.made_with == ("one", HERE)
    assert registry.load(choice(), HERE) is first


def test_another_model_replaces_the_one_before() -> None:
    first = registry.load(choice("one"), HERE)
    gone = weakref.ref(first)
    second = registry.load(choice("two"), HERE)
    assert second is not first
    del first
    gc.collect()
    assert gone() is None


def test_every_built_in_engine_is_where_the_table_says() -> None:
    for name in registry.BUILT_IN:
        assert registry.engine_class(name).name == name


@pytest.mark.engine
def test_the_model_that_comes_with_the_program_loads_through_the_registry() -> None:
    engine = registry.load(choice("moonshine-tiny", "moonshine"), HERE)
    assert (engine.name, engine.quality) == ("moonshine", "full")


@pytest.mark.engine
def test_the_draft_engine_loads_through_the_registry() -> None:
    engine = registry.load(choice("pocketsphinx", "pocketsphinx"), HERE)
    assert (engine.name, engine.quality) == ("pocketsphinx", "draft")


def test_an_idle_engine_leaves_the_memory_and_comes_back() -> None:
    first = registry.load(choice(), HERE)
    gone = weakref.ref(first)
    assert not registry.release_idle(60.0), "it was used just now"
    del first
    assert registry.release_idle(0.0)
    assert gone() is None
    assert not registry.release_idle(0.0), "nothing is left to free"
    assert isinstance(registry.load(choice(), HERE), Clockwork)


def test_an_engine_at_work_is_not_idle_however_long_it_takes() -> None:
    with registry.using(choice(), HERE) as engine:
        assert not registry.release_idle(0.0)
    assert registry.load(choice(), HERE) is engine


def test_a_changed_setup_makes_a_new_engine() -> None:
    first = registry.load(choice(), HERE)
    assert registry.load(choice(), replace(HERE)) is first
    assert registry.load(choice(), replace(HERE, batch=8)) is not first
