"""A language model on loopback, somebody who may use it, and a worker that does the steps of the lane."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from accounts.models import User
from accounts.permissions import grant
from tests.core.play import Stage, fresh, window
from tests.enrichment.model_server import ModelServer
from whisper_jobs import lifecycle
from whisper_jobs.models import Job, Step
from whisper_jobs.pipeline.heart import Heart
from whisper_jobs.pipeline.run import work_once
from whisper_jobs.speech.transcript import Segment
from whisper_jobs.states import Kind


@pytest.fixture
def model_server() -> Iterator[ModelServer]:
    with ModelServer().running() as server:
        yield server


@pytest.fixture
def reachable(model_server: ModelServer, settings: Any) -> ModelServer:
    """The server, as an operator sets it up."""
    settings.TOOLS = replace(
        settings.TOOLS,
        openai_base_url=model_server.url,
        openai_api_key="operators-key",
        openai_model="small-model",
        outbound_allow=(ipaddress.ip_network("127.0.0.1/32"),),
    )
    return model_server


@pytest.fixture
def rich(alice: User) -> User:
    """Alice, who may use a language model."""
    grant(alice, "provider_openai")
    return User.objects.get(pk=alice.pk)


@pytest.fixture
def transcribed(stage: Stage) -> Callable[..., Job]:
    """A job whose words are together: a caption of 5 s for each text."""

    def make(owner: User, *texts: str, **fields: object) -> Job:
        job = stage.fetched(owner, **fields)
        run = stage.run("fetch")
        seconds = 5.0 * len(texts)
        lifecycle.add_windows(run, [replace(window(0), end=seconds, speech=((0.0, seconds),))])
        lifecycle.finish_decode(run, duration_seconds=seconds, speech_seconds=seconds)
        said = [Segment(5.0 * place, 5.0 * place + 4.0, text) for place, text in enumerate(texts)]
        lifecycle.finish_window(stage.run("speech"), said, language="en")
        stage.assemble(stage.run("deliver"), text=" ".join(texts))
        return fresh(job)

    return make


@pytest.fixture
def heart() -> Heart:
    return Heart(["enrich"], beat_seconds=1, limits=dict.fromkeys(Kind, 60.0))


@pytest.fixture
def work(heart: Heart) -> Callable[[], bool]:
    """Does one step of the lane as a worker does; False when none was due."""
    return lambda: work_once("enrich", heart)


@pytest.fixture
def work_patiently(work: Callable[[], bool]) -> Callable[[], None]:
    """Works until nothing is left, pauses after failures not waited for."""

    def until_done() -> None:
        while work() or Step.objects.filter(lane="enrich", state="ready").update(not_before=None):
            pass

    return until_done
