"""The words are put together by the worker that heard the last of them, unless somebody else has begun to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.models import User
from tests.core.play import Stage, fresh
from whisper_jobs import lifecycle
from whisper_jobs.models import Job, Step, Transcript
from whisper_jobs.pipeline.decode import as_wav
from whisper_jobs.pipeline.heart import Heart
from whisper_jobs.pipeline.run import work_once
from whisper_jobs.runs import Run
from whisper_jobs.speech.engines import registry
from whisper_jobs.speech.engines.base import Options, Quality, Result, Samples, Setup
from whisper_jobs.speech.transcript import Segment, Word
from whisper_jobs.speech.windows import Window
from whisper_jobs.states import Kind, StepState


class Says:
    name = "fake"
    quality: Quality = "full"
    batch = 1

    def __init__(self, model: str, setup: Setup) -> None: ...

    def transcribe(self, windows: list[Samples], options: Options) -> list[Result]:
        word = Word(0.2, 0.8, "hello", 0.9)
        return [Result((Segment(0.2, 0.8, "hello", (word,)),), "en") for _window in windows]


@pytest.fixture
def job(stage: Stage, alice: User, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Two windows with a second of sound each are to be heard."""
    monkeypatch.setitem(registry.ENGINES, "fake", f"{__name__}:Says")
    registry.unload()
    job = stage.decoded(alice, windows=2)
    sound = as_wav(Window(0.0, 1.0, np.zeros(16_000, np.int16), ((0.0, 1.0),)))
    for step in Step.objects.filter(job=job, kind=Kind.WINDOW):
        audio = default_storage.save(f"media/0/{step.index}.wav", ContentFile(sound))
        Step.objects.filter(pk=step.pk).update(audio=audio)
    return job


@pytest.fixture
def heart() -> Heart:
    return Heart(["speech"], beat_seconds=1, limits=dict.fromkeys(Kind, 60.0))


def heard(stage: Stage) -> list[Run]:
    """Both windows, heard one after the other."""
    done = []
    for _ in range(2):
        done.append(stage.run("speech"))
        stage.hear(done[-1])
    return done


def state_of_assembly(job: Job) -> Any:
    return Step.objects.get(job=job, kind=Kind.ASSEMBLE).state


def test_after_the_last_window_the_same_worker_completes_the_job(job: Job, heart: Heart) -> None:
    assert work_once("speech", heart)
    assert (fresh(job).stage, state_of_assembly(job)) == ("transcribing", StepState.HELD)
    assert work_once("speech", heart)
    assert fresh(job).stage == "completed"
    assert Transcript.objects.get(job=job).text.split() == ["hello", "hello"]
    step = Step.objects.get(job=job, kind=Kind.ASSEMBLE)
    assert (step.state, step.attempts, step.worker) == (StepState.DONE, 1, heart.process.name)


def test_an_assembly_is_one_worker_s_alone(job: Job, stage: Stage) -> None:
    windows = heard(stage)
    taken = lifecycle.claim_assembly(windows[1].step)
    assert taken is not None
    assert taken.run_id == Step.objects.get(pk=taken.pk).run_id
    assert lifecycle.claim_assembly(windows[0].step) is None
    assert lifecycle.claim("deliver", "other") is None
    run = lifecycle.begin(taken)
    assert run is not None
    stage.assemble(run)
    assert fresh(job).stage == "completed"


def test_an_assembly_that_waits_after_a_failure_is_left_alone(job: Job, stage: Stage) -> None:
    windows = heard(stage)
    Step.objects.filter(job=job, kind=Kind.ASSEMBLE).update(not_before="2100-01-01T00:00:00Z")
    assert lifecycle.claim_assembly(windows[1].step) is None
