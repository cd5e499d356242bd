"""A job through the relay, step by step as a worker does it: its words, what a failure keeps, and who goes on after it."""

from __future__ import annotations

import io
import ipaddress
import threading
import wave
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.models import User
from tests.core.play import Stage, fresh
from tests.speech.conftest import Pcm
from tests.speech.relay_server import KEY, Asked, RelayServer, Reply, refused, said, segment, verbose, word
from whisper_jobs import lifecycle
from whisper_jobs.lifecycle import NewWindow
from whisper_jobs.models import Job, Segment, Step
from whisper_jobs.pipeline.heart import Heart
from whisper_jobs.pipeline.run import work_once
from whisper_jobs.speech.engines import registry
from whisper_jobs.speech.engines.openai_relay import SENTENCES
from whisper_jobs.states import Kind
from whisper_jobs.states import Stage as JobStage

SECONDS = 4
Work = Callable[[], bool]


def words_of(asked: Asked) -> Reply:
    """Different words for each window, so that guards find no repetition."""
    name = f"part{int(np.abs(asked.samples.astype(int)).sum()) % 9973}"
    return said(verbose(segment(0.2, 3.0, f"This is {name}."), words=[word(0.2, 1.0, "This")], language="english"))


@pytest.fixture
def server(settings: Any, tmp_path: Path) -> Iterator[RelayServer]:
    with RelayServer().running() as running:
        running.behaviour = words_of
        settings.TOOLS = replace(
            settings.TOOLS,
            backends="AB",
            model_dir=tmp_path / "models",
            relay_base_url=running.url,
            relay_api_key=KEY,
            outbound_allow=(ipaddress.ip_network("127.0.0.1/32"),),
        )
        yield running
    registry.unload()
    assert running.complaints == []


@pytest.fixture
def work() -> Work:
    """Does one step of the lane; False when none was due."""
    heart = Heart(["speech"], beat_seconds=1, limits=dict.fromkeys(Kind, 60.0))
    return lambda: work_once("speech", heart)


@pytest.fixture
def decoded(stage: Stage, alice: User, dialogue: Pcm, work: Work) -> Callable[..., Job]:
    """A job whose engine is chosen for real, with windows of real speech to be heard."""

    def make(windows: int, **fields: Any) -> Job:
        job = stage.submit(alice, **fields)
        assert work()
        lifecycle.finish_fetch(stage.run("fetch"), media="media/relay/original", source_title="Talk")
        run = stage.run("fetch")
        lifecycle.add_windows(run, [_window(dialogue, place) for place in range(windows)])
        lifecycle.finish_decode(run, duration_seconds=float(windows * SECONDS), speech_seconds=float(windows * SECONDS))
        return fresh(job)

    return make


def _window(sound: Pcm, place: int) -> NewWindow:
    start = float(place * SECONDS)
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
        out.writeframes(sound[int(start) * 16_000 : int(start + SECONDS) * 16_000].astype("<i2").tobytes())
    name = default_storage.save(f"media/relay/{place}.wav", ContentFile(file.getvalue()))
    return NewWindow(start=start, end=start + SECONDS, speech=((start, start + SECONDS),), audio=name)


def patiently(work: Work) -> None:
    """Until nothing is left, pauses after failures not waited for."""
    while work() or Step.objects.filter(lane="speech", state="ready").update(not_before=None):
        pass


def test_the_words_of_the_relay_are_those_of_the_job(
    server: RelayServer, decoded: Callable[..., Job], work: Work
) -> None:
    job = decoded(5, language="en", backend_preference="B", initial_prompt="A talk.")
    assert (job.backend, job.engine, job.model) == ("B", "openai-relay", "whisper-1")
    assert job.engine_reason == "The relay transcribes this, with its model “whisper-1”."
    pair = threading.Barrier(2, timeout=20)

    def answered_in_pairs(asked: Asked) -> Reply:
        """After the first window, so that its words are there soon, several are under way together."""
        if len(server.asked) > 1:
            pair.wait()
        return words_of(asked)

    server.behaviour = answered_in_pairs
    patiently(work)
    job = fresh(job)
    assert (job.windows_done, job.stage) == (5, JobStage.COMPLETED)
    rows = list(Segment.objects.filter(job=job).order_by("start"))
    assert [round(row.start, 1) for row in rows] == [0.2, 4.2, 8.2, 12.2, 16.2]
    assert len(server.asked) == 5 and {asked.one("prompt") for asked in server.asked} == {"A talk."}


def test_a_relay_that_stops_in_the_middle_costs_no_words_and_this_server_goes_on(
    server: RelayServer, decoded: Callable[..., Job], work: Work
) -> None:
    job = decoded(2, language="en", backend_preference="B")
    work()
    server.behaviour = lambda asked: refused(401)
    patiently(work)
    job = fresh(job)
    assert (job.failure_code, job.failure_error) == ("backend_unavailable", SENTENCES["key"])
    assert KEY not in str(job.failure_error)
    kept = list(Segment.objects.filter(job=job).values_list("id", flat=True))
    assert len(kept) == 1

    lifecycle.restart(job.pk)
    work()
    job = fresh(job)
    assert (job.backend, job.engine) == ("A", "moonshine")
    assert job.engine_reason.endswith("The relay was to do it, but it is down.")
    asked = len(server.asked)
    patiently(work)
    assert fresh(job).windows_done == 2
    assert len(server.asked) == asked
    assert set(kept) < set(Segment.objects.filter(job=job).values_list("id", flat=True))
