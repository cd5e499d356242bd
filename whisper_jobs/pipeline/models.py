"""Models as this machine has them: which can be chosen, fetching weights that are missing, the loaded engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from django.conf import settings

from whisper_jobs.errors import JobError
from whisper_jobs.outbound import Guard
from whisper_jobs.speech.engines import choose as chooser
from whisper_jobs.speech.engines import registry, weights
from whisper_jobs.speech.engines.base import Engine

#: Where openai-whisper itself keeps weights; what is there need not be fetched again.
WHISPER_CACHE = Path("~/.cache/whisper").expanduser()
#: The largest checkpoint there is has 3 GB.
MOST_BYTES = 8 << 30
#: Weights may take this part of the machine's memory.
MEMORY_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the registry needs to know of a job's choice."""

    engine: str
    model: str


def register_extra(engines: tuple[str, ...]) -> None:
    """Adds engines written as `name=package.module:Class`."""
    for entry in engines:
        name, _, dotted = entry.partition("=")
        registry.register(name.strip(), dotted.strip())


def known() -> list[chooser.KnownModel]:
    """Everything that can be asked for by name, the best first, without `auto`."""
    return chooser.known_models(settings.TOOLS.models, WHISPER_CACHE)


def is_known(name: str) -> bool:
    return name == chooser.AUTO or name in weights.ALIASES or any(model.name == name for model in known())


def choose(requested: str, *, language: str | None, on_progress: weights.Progress) -> chooser.Choice:
    """The engine for a job on this machine; weights asked for by name are fetched if they are missing."""
    try:
        return _choose(requested, language)
    except JobError as missing:
        if missing.code != "model_unavailable" or weights.named(requested) is None:
            raise
        try:
            download(requested, on_progress=on_progress)
        except JobError as failed:
            raise JobError("model_unavailable", f"{missing.message} ({failed.message})") from failed
        return _choose(requested, language)


def _choose(requested: str, language: str | None) -> chooser.Choice:
    return chooser.choose(
        requested,
        language=language,
        models_dir=settings.TOOLS.models,
        whisper_cache=WHISPER_CACHE,
        memory_bytes=int(psutil.virtual_memory().total * MEMORY_SHARE),
    )


def download(name: str, *, on_progress: weights.Progress) -> Path:
    """Fetches weights through the guard into the models folder. Raises JobError."""
    guard = Guard(settings.TOOLS.outbound_allow)
    return weights.download(name, settings.TOOLS.models, fetch=_fetch_through(guard), progress=on_progress)


def _fetch_through(guard: Guard) -> weights.Fetch:
    @contextmanager
    def fetch(url: str, offset: int) -> Iterator[weights.Response]:
        with guard.stream(url, offset=offset, max_bytes=MOST_BYTES, total_timeout=6 * 3600) as answer:
            yield answer.status, answer.total, answer.chunks

    return fetch


def engine_of(engine: str, model: str) -> Engine:
    """The engine, loaded once per process. Raises JobError `model_unavailable` if it went away."""
    if engine not in registry.ENGINES:
        raise JobError("model_unavailable", f"This worker has no engine “{engine}”. Restart the job to choose another.")
    return registry.load(
        Loaded(engine, model),
        models_dir=settings.TOOLS.models,
        whisper_cache=WHISPER_CACHE,
        threads=settings.TOOLS.speech_threads,
    )


def stopping_progress(should_stop: Callable[[], bool], tell: weights.Progress) -> weights.Progress:
    """Progress that ends a download when the step is to stop; what came so far stays for the next attempt."""

    def progress(done: int, total: int | None) -> None:
        if should_stop():
            raise JobError("cancelled")
        tell(done, total)

    return progress
