"""The engines by name, and the one that this process has loaded.

An engine is a class that is made as `Class(model, folders=…, threads=…)` and does what `base.Engine` says. To add one:
a file and a line in ENGINES.
"""

from __future__ import annotations

import gc
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Protocol, cast

from whisper_jobs.speech.engines.base import Engine, Quality

ENGINES: dict[str, str] = {
    "openai-whisper": "whisper_jobs.speech.engines.openai_whisper:OpenAIWhisper",
    "pocketsphinx": "whisper_jobs.speech.engines.pocketsphinx:PocketSphinx",
}
BUILT_IN = frozenset(ENGINES)


class EngineClass(Protocol):
    name: str
    quality: Quality

    def __call__(self, model: str, *, folders: tuple[Path, ...], threads: int) -> Engine: ...


class Chosen(Protocol):
    """The part of `choose.Choice` that loading needs."""

    @property
    def engine(self) -> str: ...

    @property
    def model(self) -> str: ...


_lock = Lock()
_loaded: tuple[tuple[object, ...], Engine] | None = None


def register(name: str, dotted: str) -> None:
    """Adds an engine, `package.module:Class`, that can then be asked for by name (never chosen by itself)."""
    ENGINES[name] = dotted


def extra_engines() -> list[str]:
    return [name for name in ENGINES if name not in BUILT_IN]


def engine_class(name: str) -> EngineClass:
    module, _, attribute = ENGINES[name].partition(":")
    return cast(EngineClass, getattr(import_module(module), attribute))


def load(choice: Chosen, *, models_dir: Path, whisper_cache: Path | None = None, threads: int = 1) -> Engine:
    """The engine, ready to work; the last one stays loaded until another is asked for. Raises JobError."""
    global _loaded
    folders = (models_dir,) if whisper_cache is None else (models_dir, whisper_cache)
    key = (ENGINES[choice.engine], choice.model, folders, threads)
    with _lock:
        if _loaded is None or _loaded[0] != key:
            # The old weights go before the new ones come: two large models may not fit.
            _loaded = None
            gc.collect()
            _loaded = (key, engine_class(choice.engine)(choice.model, folders=folders, threads=threads))
        return _loaded[1]


def unload() -> None:
    """Frees the weights of the engine that is loaded, if there is one."""
    global _loaded
    with _lock:
        _loaded = None
        gc.collect()
