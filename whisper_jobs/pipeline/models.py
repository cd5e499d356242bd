"""Models as this machine has them: which can be chosen, fetching weights that are missing, the loaded engine."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from django.conf import settings

from whisper_jobs.errors import JobError
from whisper_jobs.outbound import Guard
from whisper_jobs.pipeline import relay
from whisper_jobs.speech import recognition
from whisper_jobs.speech.diarizers import choose as diarizers
from whisper_jobs.speech.diarizers import pyannote
from whisper_jobs.speech.engines import choose as chooser
from whisper_jobs.speech.engines import registry
from whisper_jobs.speech.engines.base import Engine, Setup, Task
from whisper_jobs.speech.engines.downloads import Fetch, Progress, Response

log = logging.getLogger(__name__)
#: Where openai-whisper itself keeps weights; what is there need not be fetched again.
WHISPER_CACHE = Path("~/.cache/whisper").expanduser()
#: Where faster-whisper itself does.
HUB_CACHE = Path(
    os.environ.get("HF_HUB_CACHE") or Path(os.environ.get("HF_HOME") or "~/.cache/huggingface", "hub")
).expanduser()
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
    here = chooser.known_models(folders()) if "A" in settings.TOOLS.backends else []
    return [*here, *relay.known()]


def is_known(name: str) -> bool:
    whisper = bool(chooser.runners(name, folders()))
    return whisper or name == chooser.AUTO or any(model.name == name for model in known())


def choose(requested: str, *, language: str | None, task: Task, on_progress: Progress) -> chooser.Choice:
    """The engine for a job on this machine; weights asked for by name are fetched if they are missing."""
    try:
        return offer(requested, language, task=task)
    except JobError as missing:
        if missing.code != "model_unavailable" or not chooser.catalogued(requested):
            raise
        try:
            download(requested, on_progress=on_progress)
        except JobError as failed:
            raise JobError("model_unavailable", f"{missing.message} ({failed.message})") from failed
        return offer(requested, language, task=task)


def offer(requested: str, language: str | None, *, task: Task = "transcribe") -> chooser.Choice:
    """The same, but nothing is fetched."""
    return chooser.choose(
        requested,
        language=language,
        task=task,
        folders=folders(),
        memory_bytes=int(psutil.virtual_memory().total * MEMORY_SHARE),
    )


def download(requested: str, *, on_progress: Progress) -> Path:
    """Fetches a model through the guard into the models folder: one of the catalogue, or of the Hub, `owner/name`.

    In faster-whisper's form unless another engine is named before it; or pyannote's, which tells speakers apart. Raises JobError.
    """
    if requested == pyannote.REPOSITORY:
        return _download_pyannote(on_progress)
    name, engines = chooser.engines_of(requested)
    engine = next(filter(chooser.installed, engines), engines[0])
    fetch = _fetch_through(Guard(settings.TOOLS.outbound_allow))
    path: Path = chooser.STORES[engine].download(name, settings.TOOLS.models, fetch=fetch, progress=on_progress)
    return path


def _download_pyannote(on_progress: Progress) -> Path:
    token = settings.TOOLS.hf_token
    # The hub's own addresses alone are asked for, and the guard sends this along no redirect to another host.
    fetch = _fetch_through(Guard(settings.TOOLS.outbound_allow), {"Authorization": f"Bearer {token}"} if token else {})
    return pyannote.download(settings.TOOLS.models, token=token, fetch=fetch, progress=on_progress)


def remove(requested: str) -> list[str]:
    """Deletes a model in every form that is meant; the engines that had it. Raises JobError."""
    if requested == pyannote.REPOSITORY:
        return ["pyannote"] if pyannote.remove(settings.TOOLS.models) else []
    name, engines = chooser.engines_of(requested)
    known = chooser.runners(requested, folders()) or engines[:1]
    return [engine for engine in known if chooser.STORES[engine].remove(name, settings.TOOLS.models)]


def _fetch_through(guard: Guard, headers: Mapping[str, str] | None = None) -> Fetch:
    @contextmanager
    def fetch(url: str, offset: int) -> Iterator[Response]:
        bounds = {"offset": offset, "max_bytes": MOST_BYTES, "total_timeout": 6 * 3600}
        with guard.stream(url, **bounds, headers=headers, any_status=True) as answer:
            yield answer.status, answer.total, answer.chunks

    return fetch


@contextmanager
def using(engine: str, model: str) -> Iterator[Engine]:
    """The engine, loaded once per process. Raises JobError `model_unavailable` if it went away."""
    if engine not in registry.ENGINES:
        raise JobError("model_unavailable", f"This worker has no engine “{engine}”. Restart the job to choose another.")
    with registry.using(Loaded(engine, model), setup()) as loaded:
        yield loaded


def release_idle() -> None:
    """Frees the memory of what has been idle for long: engine, diarizer, voices. Called by the heart of a worker."""
    seconds = settings.TOOLS.model_idle_minutes * 60
    if any([registry.release_idle(seconds), diarizers.release_idle(seconds), recognition.release_idle(seconds)]):
        log.info("the model was idle and left the memory")


def setup() -> Setup:
    """What engines on this machine are made with."""
    tools = settings.TOOLS
    return Setup(
        folders=folders(),
        threads=tools.speech_threads,
        device=tools.device,
        compute_type=tools.compute_type,
        batch=tools.batch_size,
        relay=relay.relay(),
    )


def folders() -> tuple[Path, ...]:
    """Where weights are looked for; the first one is where they are put."""
    return settings.TOOLS.models, WHISPER_CACHE, HUB_CACHE


def stopping_progress(should_stop: Callable[[], bool], tell: Progress) -> Progress:
    """Progress that ends a download when the step is to stop; what came so far stays for the next attempt."""

    def progress(done: int, total: int | None) -> None:
        if should_stop():
            raise JobError("cancelled")
        tell(done, total)

    return progress
