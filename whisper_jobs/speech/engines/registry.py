"""The engines by name, and the one that this process has loaded.

An engine is a class that is made as `Class(model, setup)` and does what `base.Engine` says. To add one: a file and a line
in ENGINES.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Protocol, cast

from whisper_jobs.speech.engines.base import Engine, Quality, Setup
from whisper_jobs.speech.kept import Kept

ENGINES: dict[str, str] = {
    "faster-whisper": "whisper_jobs.speech.engines.faster_whisper:FasterWhisper",
    "openai-whisper": "whisper_jobs.speech.engines.openai_whisper:OpenAIWhisper",
    "openai-relay": "whisper_jobs.speech.engines.openai_relay:OpenAIRelay",
    "moonshine": "whisper_jobs.speech.engines.moonshine:Moonshine",
    "pocketsphinx": "whisper_jobs.speech.engines.pocketsphinx:PocketSphinx",
}
BUILT_IN = frozenset(ENGINES)


class EngineClass(Protocol):
    name: str
    quality: Quality

    def __call__(self, model: str, setup: Setup) -> Engine: ...


class Chosen(Protocol):
    """The part of `choose.Choice` that loading needs."""

    @property
    def engine(self) -> str: ...

    @property
    def model(self) -> str: ...


_kept: Kept[Engine] = Kept()


def register(name: str, dotted: str) -> None:
    """Adds an engine, `package.module:Class`, that can then be asked for by name (never chosen by itself)."""
    ENGINES[name] = dotted


def extra_engines() -> list[str]:
    return [name for name in ENGINES if name not in BUILT_IN]


def engine_class(name: str) -> EngineClass:
    module, _, attribute = ENGINES[name].partition(":")
    return cast(EngineClass, getattr(import_module(module), attribute))


def load(choice: Chosen, setup: Setup) -> Engine:
    """The engine, ready to work; the last one stays loaded until another is asked for or it is idle. Raises JobError."""
    with using(choice, setup) as engine:
        return engine


@contextmanager
def using(choice: Chosen, setup: Setup) -> Iterator[Engine]:
    """The same, not idle while the block runs."""
    key = (ENGINES[choice.engine], choice.model, setup)
    with _kept.using(key, lambda: engine_class(choice.engine)(choice.model, setup)) as engine:
        yield engine


def release_idle(after_seconds: float) -> bool:
    """Frees the weights that nobody has used for so long; True when it did. Any thread may ask."""
    return _kept.release_idle(after_seconds)


def unload() -> None:
    """Frees the weights of the engine that is loaded, if there is one."""
    _kept.unload()
