"""An engine that takes several windows at once: they are claimed together, each with a run of its own, and stored one by one."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import User
from tests.core.play import Stage, fresh
from whisper_jobs import lifecycle, presence, recovery, schedule
from whisper_jobs.errors import JobError
from whisper_jobs.models import Job, Segment, Step
from whisper_jobs.moves import Fenced
from whisper_jobs.pipeline.heart import Heart
from whisper_jobs.pipeline.run import work_once
from whisper_jobs.speech.engines import registry
from whisper_jobs.speech.engines.base import Options, Quality, Result, Samples, Setup
from whisper_jobs.speech.transcript import Segment as Spoken
from whisper_jobs.states import Kind, StepState
from whisper_jobs.states import Stage as At


class Chorus:
    """Says of each window how many it heard at once; `ends` is what it raises on how many."""

    name = "chorus"
    quality: Quality = "draft"
    batch = 4
    ends: dict[int, Exception] = {}
    interrupts: Callable[[], None] | None = None

    def __init__(self, model: str, setup: Setup) -> None:
        pass

    def transcribe(self, windows: Sequence[Samples], options: Options) -> list[Result]:
        if Chorus.interrupts:
            Chorus.interrupts()
        if error := Chorus.ends.get(len(windows)):
            raise error
        return [Result((Spoken(0.0, 1.0, f"heard {len(windows)} together"),), "en") for _ in windows]


@pytest.fixture
def _chorus(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "ENGINES", dict(registry.ENGINES))
    registry.register("chorus", f"{__name__}:Chorus")
    registry.unload()
    monkeypatch.setattr(Chorus, "ends", {})
    monkeypatch.setattr(Chorus, "interrupts", None)
    yield
    registry.unload()


@pytest.fixture
def job(stage: Stage, alice: User) -> Job:
    """Six windows, of which the first is done."""
    job = stage.decoded(alice, windows=6, disable_diarization=True)
    stage.hear(stage.run("speech"))
    return job


@pytest.fixture
def work(job: Job, _chorus: None) -> Callable[[], bool]:
    """One step of the speech lane, with the chorus as the engine and a second of sound in each window."""
    for step in Step.objects.filter(job=job, kind=Kind.WINDOW):
        Step.objects.filter(pk=step.pk).update(audio=default_storage.save(step.audio, ContentFile(_second())))
    Job.objects.filter(pk=job.pk).update(engine="chorus", model="chorus")
    heart = Heart(["speech"], beat_seconds=1.0, limits=dict.fromkeys(Kind, 60.0))
    return lambda: work_once("speech", heart)


def _second() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(np.zeros(16_000, "<i2").tobytes())
    return out.getvalue()


def states(job: Job) -> list[str]:
    windows = Step.objects.filter(job=job, kind=Kind.WINDOW).order_by("index")
    return list(windows.values_list("state", flat=True))


def texts(job: Job) -> list[str]:
    return list(Segment.objects.filter(job=job).order_by("start").values_list("text", flat=True))


def test_further_windows_are_claimed_each_with_a_run_of_its_own(stage: Stage, job: Job) -> None:
    run = stage.run("speech")
    companions = lifecycle.claim_companions(run, 3)
    assert [one.step.index for one in companions] == [2, 3, 4]
    assert len({run.run_id, *(one.run_id for one in companions)}) == 4
    assert states(job) == ["done", "running", "running", "running", "running", "waiting"]
    for one in companions:
        stage.hear(one)
    stage.hear(run)
    assert fresh(job).windows_done == 5


def test_an_engine_without_batches_claims_nothing_more(stage: Stage, job: Job) -> None:
    assert lifecycle.claim_companions(stage.run("speech"), 0) == []
    assert states(job).count("running") == 1


def test_the_first_window_goes_alone(stage: Stage, alice: User) -> None:
    stage.decoded(alice, windows=3)
    assert lifecycle.claim_companions(stage.run("speech"), 3) == []


def test_a_window_that_failed_before_goes_alone_and_as_nobodys_companion(stage: Stage, job: Job) -> None:
    failed = stage.run("speech")
    lifecycle.fail(failed, JobError("internal_error", retry=True))
    Step.objects.filter(pk=failed.step.pk).update(not_before=timezone.now() - timedelta(seconds=1), turn=0)
    again = stage.run("speech")
    assert again.step.pk == failed.step.pk
    assert lifecycle.claim_companions(again, 3) == []
    lifecycle.fail(again, JobError("internal_error", retry=True))
    Step.objects.filter(pk=failed.step.pk).update(not_before=None, turn=10**6)
    other = stage.run("speech")
    assert failed.step.pk not in [one.step.pk for one in lifecycle.claim_companions(other, 9)]


def test_an_idle_worker_gets_its_part(stage: Stage, job: Job) -> None:
    run = stage.run("speech")
    for name in (1, 2):
        presence.seen(presence.Process("host", name, name), ["speech"])
    assert schedule.idle_workers("speech") == 1
    assert len(lifecycle.claim_companions(run, 9)) == 2
    assert schedule.idle_workers("speech") == 1, "one worker that holds three windows leaves the other idle"


def test_companions_are_paid_for(stage: Stage, job: Job, bob: User) -> None:
    run = stage.run("speech")
    turns = [run.step.turn, *(one.step.turn for one in lifecycle.claim_companions(run, 3))]
    assert turns == sorted(set(turns))
    assert turns[-1] - turns[0] == 30


def test_a_companion_of_a_dead_worker_is_taken_over_and_its_result_is_fenced(stage: Stage, job: Job) -> None:
    run = stage.run("speech")
    [companion, _] = lifecycle.claim_companions(run, 2)
    recovery.lose_all(stage.worker)
    with pytest.raises(Fenced):
        stage.hear(companion)
    assert "running" not in states(job)
    assert texts(job) == ["window0"]


def test_signs_of_life_reach_companions(stage: Stage, job: Job) -> None:
    run = stage.run("speech")
    companions = lifecycle.claim_companions(run, 2)
    long_ago = timezone.now() - timedelta(hours=1)
    Step.objects.filter(state=StepState.RUNNING).update(heartbeat_at=long_ago)
    heart = Heart(["speech"], beat_seconds=1.0, limits=dict.fromkeys(Kind, 60.0))
    with heart.watching(run) as watch:
        watch.companions = [one.run_id for one in companions]
        heart.beat()
    running = Step.objects.filter(state=StepState.RUNNING)
    assert (running.count(), running.filter(heartbeat_at__gt=long_ago).count()) == (3, 3)


def test_a_worker_hears_as_many_windows_as_its_engine_takes(job: Job, work: Callable[[], bool]) -> None:
    assert work()
    assert texts(job) == ["window0"] + ["heard 4 together"] * 4
    assert work()
    assert texts(job)[-1] == "heard 1 together"
    assert states(job) == ["done"] * 6
    assert fresh(job).stage == At.COMPLETED


def test_when_a_batch_fails_its_companions_go_back_untried(job: Job, work: Callable[[], bool]) -> None:
    Chorus.ends = {4: JobError("internal_error", retry=True)}
    assert work()
    windows = Step.objects.filter(job=job, kind=Kind.WINDOW, index__gt=0).order_by("index")
    assert [step.attempts for step in windows] == [1, 0, 0, 0, 0]
    assert "running" not in states(job)
    assert texts(job) == ["window0"]


def test_a_cancelled_job_ends_when_its_batch_lets_go(job: Job, work: Callable[[], bool]) -> None:
    Chorus.interrupts = lambda: _cancel(job)
    Chorus.ends = {4: JobError("cancelled")}
    assert work()
    assert "running" not in states(job)
    assert (fresh(job).stage, fresh(job).failure_code) == (At.FAILED, "cancelled")


def _cancel(job: Job) -> None:
    lifecycle.request_cancel(job.pk)


def test_the_loss_of_one_claim_costs_the_others_nothing(job: Job, work: Callable[[], bool]) -> None:
    def take_over() -> None:
        recovery.lose(Step.objects.get(job=job, kind=Kind.WINDOW, index=3))

    Chorus.interrupts = take_over
    assert work()
    done = Step.objects.filter(job=job, kind=Kind.WINDOW, state=StepState.DONE).values_list("index", flat=True)
    assert sorted(done) == [0, 1, 2, 4]


def test_a_window_of_an_engine_that_was_chosen_before_goes_alone(stage: Stage, alice: User) -> None:
    job = stage.decoded(alice, windows=5)
    stage.hear(stage.run("speech"))
    run = stage.run("speech")
    Job.objects.filter(pk=job.pk).update(engine="another")
    assert lifecycle.claim_companions(run, 3) == []
