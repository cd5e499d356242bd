"""The process keeps the engine that it used last."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from whisper_jobs.speech.engines import registry
from whisper_jobs.speech.engines.base import Options, Quality, Result, Samples
from whisper_jobs.speech.engines.choose import Choice
from whisper_jobs.speech.transcript import Segment

HERE = Path("models")


class Clockwork:
    """Says how long the sound was."""

    name = "clockwork"
    quality: Quality = "full"

    def __init__(self, model: str, *, folders: tuple[Path, ...], threads: int) -> None:
        self.made_with = (model, folders, threads)

    def transcribe(self, samples: Samples, options: Options) -> Result:
        seconds = len(samples) / 16_000
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
    first = registry.load(choice(), models_dir=HERE, whisper_cache=Path("cache"), threads=3)
    assert isinstance(first, Clockwork)
    assert first.made_with == ("one", (HERE, Path("cache")), 3)
    assert registry.load(choice(), models_dir=HERE, whisper_cache=Path("cache"), threads=3) is first


def test_another_model_replaces_the_one_before() -> None:
    first = registry.load(choice("one"), models_dir=HERE)
    gone = weakref.ref(first)
    second = registry.load(choice("two"), models_dir=HERE)
    assert second is not first
    del first
    gc.collect()
    assert gone() is None


def test_every_built_in_engine_is_where_the_table_says() -> None:
    for name in registry.BUILT_IN:
        assert registry.engine_class(name).name == name


def test_the_draft_engine_loads_through_the_registry() -> None:
    engine = registry.load(choice("pocketsphinx", "pocketsphinx"), models_dir=HERE)
    assert (engine.name, engine.quality) == ("pocketsphinx", "draft")
