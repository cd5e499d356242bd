"""Small checkpoints in the real format, which say the same whatever they hear."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.speech.checkpoints import convert
from tests.speech.conftest import Pcm, write_whisper
from whisper_jobs.speech.engines.base import Options, Samples, Setup
from whisper_jobs.speech.engines.faster_whisper import FasterWhisper
from whisper_jobs.speech.windows import as_floats

SAID = (0.0, " God morgon,", " allihop.", 2.0, 2.4, " Nu börjar vi.", 4.6)
SWEDISH = Options(language="sv")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    convert(write_whisper(folder / "swedish.pt", SAID), folder / "swedish")
    english = write_whisper(folder / "english.pt", (0.0, " Good morning.", 1.0), english_only=True)
    convert(english, folder / "english")
    return folder


@pytest.fixture
def setup(folder: Path) -> Setup:
    return Setup(folders=(folder,), device="cpu")


@pytest.fixture
def engine(setup: Setup) -> FasterWhisper:
    return FasterWhisper("swedish", setup)


@pytest.fixture(scope="module")
def five_seconds(dialogue: Pcm) -> Samples:
    return as_floats(dialogue[:80_000])


class Spied:
    """The library's model; `generate` notes the prompts and temperature of each call, and hands the results to `change`."""

    def __init__(self, model: Any, change: Callable[[dict[str, Any], list[Any]], list[Any]]) -> None:
        self._model, self._change = model, change
        self.calls: list[tuple[list[list[int]], float]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def generate(self, features: Any, prompts: list[list[int]], **search: Any) -> list[Any]:
        self.calls.append((prompts, search.get("sampling_temperature", 0.0)))
        return self._change(search, self._model.generate(features, prompts, **search))


def spied(
    engine: FasterWhisper, change: Callable[[dict[str, Any], list[Any]], list[Any]] = lambda _search, results: results
) -> Spied:
    engine._model.model = spy = Spied(engine._model.model, change)
    return spy


def improbable(result: Any) -> Any:
    return SimpleNamespace(sequences_ids=result.sequences_ids, scores=[-3.0], no_speech_prob=0.0)
