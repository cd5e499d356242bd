"""Gaps of a finished transcript are heard again, and what was stored of them is never heard twice."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.models import User
from tests.core.play import Stage, fresh
from whisper_jobs import diarization, gaps, lifecycle, payloads, recovery
from whisper_jobs.errors import JobError
from whisper_jobs.models import Job, Segment, Step
from whisper_jobs.pipeline.heart import Heart
from whisper_jobs.pipeline.run import work_once
from whisper_jobs.runs import NotAllowed
from whisper_jobs.speech import transcript
from whisper_jobs.speech.engines import registry
from whisper_jobs.speech.engines.base import SAMPLE_RATE, Options, Quality, Result, Samples, Setup
from whisper_jobs.speech.transcript import Word
from whisper_jobs.states import Kind, Status

COVERAGE: dict[str, Any] = {"gaps": [{"start": 2.0, "end": 4.0}, {"start": 6.0, "end": 9.0}]}
pytestmark = pytest.mark.django_db


@pytest.fixture
def job(stage: Stage, alice: User) -> Job:
    """A completed job with two gaps."""
    job = stage.decoded(alice, windows=1)
    stage.hear(stage.run("speech"))
    stage.assemble(stage.run("deliver"), coverage=COVERAGE)
    return fresh(job)


def said(start: float, text: str) -> transcript.Segment:
    return transcript.Segment(start, start + 1.0, text)


def test_what_the_gaps_hold_goes_among_the_other_words(stage: Stage, job: Job) -> None:
    gaps.request_refill(job.pk)
    run = stage.run("speech")
    assert run.step.speech == [[2.0, 4.0], [6.0, 9.0]]
    gaps.add_filled(run, [said(2.0, "first")], until=4.0)
    gaps.add_filled(run, [said(6.0, "second")], until=9.0)
    gaps.finish_refill(run)
    assert fresh(job).status == Status.COMPLETED
    stage.assemble(stage.run("deliver"), text="all of it")
    told = payloads.job_full(fresh(job))
    assert (told["status"], told["transcript_text"], told["coverage"]) == ("completed", "all of it", {})
    texts = Segment.objects.filter(job=job).order_by("start").values_list("text", flat=True)
    assert list(texts) == ["window0", "first", "second"]


def test_a_run_after_a_crash_goes_on_where_the_other_came_to(stage: Stage, job: Job) -> None:
    gaps.request_refill(job.pk)
    lost = stage.run("speech")
    gaps.add_filled(lost, [said(2.0, "first")], until=4.0)
    recovery.lose(lost.step)
    run = stage.run("speech")
    assert (run.step.kind, run.step.start_seconds) == (Kind.REFILL, 4.0)
    gaps.add_filled(run, [said(6.0, "second")], until=9.0)
    gaps.finish_refill(run)
    assert Segment.objects.filter(step=run.step).count() == 2


def test_one_gap_is_asked_for_alone(stage: Stage, job: Job) -> None:
    gaps.request_refill(job.pk, start=6.0, end=6.5)
    assert stage.run("speech").step.speech == [[6.0, 9.0]]


def test_a_second_time_finds_room_beside_the_first(stage: Stage, job: Job) -> None:
    for text in ("once", "twice"):
        gaps.request_refill(job.pk)
        run = stage.run("speech")
        gaps.add_filled(run, [said(2.0, text)], until=4.0)
        gaps.finish_refill(run)
        stage.assemble(stage.run("deliver"), coverage=COVERAGE)
    assert Segment.objects.filter(job=job, step__kind=Kind.REFILL).count() == 2


def test_without_a_gap_there_is_nothing_to_do(stage: Stage, job: Job, alice: User) -> None:
    whole = stage.completed(alice, windows=1)
    with pytest.raises(NotAllowed, match="no gap"):
        gaps.request_refill(whole.pk)
    with pytest.raises(NotAllowed, match="no gap"):
        gaps.request_refill(job.pk, start=10.0)


def test_it_is_not_asked_for_twice_at_once(job: Job) -> None:
    gaps.request_refill(job.pk)
    with pytest.raises(NotAllowed, match="made already"):
        gaps.request_refill(job.pk)


def test_speakers_are_not_told_apart_meanwhile(stage: Stage, job: Job) -> None:
    gaps.request_refill(job.pk)
    with pytest.raises(NotAllowed, match="Something else"):
        diarization.request_diarization(job.pk, min_speakers=None, max_speakers=None)
    gaps.finish_refill(stage.run("speech"))
    diarization.request_diarization(job.pk, min_speakers=None, max_speakers=None)
    with pytest.raises(NotAllowed, match="Something else"):
        gaps.request_refill(job.pk)


def test_a_gap_that_stays_one_costs_nothing_else(stage: Stage, job: Job) -> None:
    gaps.request_refill(job.pk)
    lifecycle.fail(stage.run("speech"), JobError("model_unavailable"))
    assert fresh(job).status == Status.COMPLETED
    assert Step.objects.get(job=job, kind=Kind.REFILL).error_code == "model_unavailable"


def test_what_was_heard_before_it_failed_is_put_together_and_not_heard_twice(stage: Stage, job: Job) -> None:
    gaps.request_refill(job.pk)
    run = stage.run("speech")
    gaps.add_filled(run, [transcript.Segment(2.0, 4.0, "first")], until=4.0)
    lifecycle.fail(run, JobError("model_unavailable"))
    gaps.request_refill(job.pk)
    assert stage.run("speech").step.speech == [[6.0, 9.0]]
    stage.assemble(stage.run("deliver"), text="with the first")
    assert payloads.job_full(fresh(job))["transcript_text"] == "with the first"


def test_what_is_not_yet_put_together_is_not_heard_twice(stage: Stage, job: Job) -> None:
    gaps.request_refill(job.pk)
    run = stage.run("speech")
    for start, end in ((2.0, 4.0), (6.0, 9.0)):
        gaps.add_filled(run, [transcript.Segment(start, end, "heard")], until=end)
    gaps.finish_refill(run)
    with pytest.raises(NotAllowed, match="no gap"):
        gaps.request_refill(job.pk)


class Beside:
    """Hears in every window a word before the gap, two in it and one behind it."""

    name = "beside"
    quality: Quality = "draft"
    batch = 1

    def __init__(self, model: str, setup: Setup) -> None:
        pass

    def transcribe(self, windows: Sequence[Samples], options: Options) -> list[Result]:
        return [self._heard(len(window) / SAMPLE_RATE) for window in windows]

    def _heard(self, seconds: float) -> Result:
        words = (
            Word(0.0, 0.2, "old"),
            Word(0.4, 0.8, "new"),
            Word(0.8, 1.2, "words"),
            Word(seconds - 0.2, seconds, "old"),
        )
        return Result((transcript.Segment(0.0, seconds, "old new words old", words),), "en")


def test_words_beside_a_gap_are_not_written_again(stage: Stage, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "ENGINES", dict(registry.ENGINES))
    registry.register("beside", f"{__name__}:Beside")
    name = default_storage.save("media/0/original", ContentFile(_silence(10)))
    Job.objects.filter(pk=job.pk).update(media=name, engine="beside", model="beside")
    gaps.request_refill(job.pk)
    assert work_once("speech", Heart(["speech"], beat_seconds=1.0, limits=dict.fromkeys(Kind, 60.0)))
    registry.unload()
    rows = Segment.objects.filter(step__kind=Kind.REFILL).order_by("start")
    assert [(row.text, round(row.start, 3), round(row.end, 3)) for row in rows] == [
        ("new words", 2.1, 2.9),
        ("new words", 6.1, 6.9),
    ]
    assert Step.objects.get(job=job, kind=Kind.REFILL).start_seconds == 9.0


def _silence(seconds: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLE_RATE)
        sound.writeframes(bytes(2 * SAMPLE_RATE * seconds))
    return file.getvalue()
