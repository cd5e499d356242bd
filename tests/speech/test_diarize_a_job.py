"""The speakers of a job, told apart as a worker does it: from its recording, into its segments."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.models import User
from tests.core.play import Stage, fresh
from tests.speech.conftest import SAMPLE
from whisper_jobs import lifecycle, payloads, progress, told
from whisper_jobs.models import Job, Segment, Step
from whisper_jobs.pipeline import models
from whisper_jobs.pipeline.heart import Heart
from whisper_jobs.pipeline.run import work_once
from whisper_jobs.speech.diarizers import bundled, choose
from whisper_jobs.speech.diarizers.base import Diarization, Hints, Pcm
from whisper_jobs.speech.diarizers.clustering import ClusteringDiarizer
from whisper_jobs.speech.transcript import Segment as Spoken
from whisper_jobs.speech.transcript import Word
from whisper_jobs.states import Kind

pytestmark = pytest.mark.engine

SPEECH = [[0.5, 4.6], [5.5, 11.1], [12.1, 14.4], [15.4, 20.0]]
ASKED = "Hello. I have an hour of recordings."
ANSWERED = "Then you are in the right place."
Heard = Callable[..., Job]


@pytest.fixture(autouse=True)
def _models(settings: Any, tmp_path: Path) -> None:
    settings.TOOLS = replace(settings.TOOLS, model_dir=tmp_path / "models")


@pytest.fixture
def heard(stage: Stage, alice: User) -> Heard:
    """A job all of whose windows are heard: the first 20 s of the sample recording, or of what is given."""

    def make(media: bytes = b"", *, speech: list[list[float]] = SPEECH, **fields: Any) -> Job:
        job = stage.decoded(alice, windows=1, disable_diarization=False, **fields)
        name = default_storage.save(f"{Path(job.media).parent}/spoken.mp3", ContentFile(media or SAMPLE.read_bytes()))
        Job.objects.filter(pk=job.pk).update(media=name)
        Step.objects.filter(job=job, kind=Kind.WINDOW).update(speech=speech)
        lifecycle.finish_window(stage.run("speech"), [said(ASKED, ANSWERED)], language="en")
        return fresh(job)

    return make


def said(asked: str, answered: str) -> Spoken:
    """Both in one segment, as an engine may hear them; each where it is in the recording."""
    words = []
    for text, start, end in ((asked, 0.6, 4.4), (answered, 5.7, 10.9)):
        parts = text.split()
        times = np.linspace(start, end, len(parts) + 1).tolist()
        words += [Word(begin, stop, part) for part, begin, stop in zip(parts, times, times[1:], strict=False)]
    return Spoken(0.6, 10.9, f"{asked} {answered}", tuple(words))


def work() -> None:
    heart = Heart(["speech"], beat_seconds=1, limits=dict.fromkeys(Kind, 60.0))
    assert work_once("speech", heart)


def diarization(job: Job) -> dict[str, Any]:
    return dict(payloads.job_full(fresh(job))["diarization"])


def test_segments_get_their_speakers_and_are_cut_where_another_begins(heard: Heard) -> None:
    job = heard()
    work()
    segments = Segment.objects.filter(job=job).order_by("start")
    assert [(one.speaker, one.text) for one in segments] == [("SPEAKER_00", ASKED), ("SPEAKER_01", ANSWERED)]
    row = fresh(job).diarization
    assert (row.state, row.method, row.reason) == ("done", "clustering", "2 speakers were told apart.")
    assert [one["label"] for one in row.speakers] == ["SPEAKER_00", "SPEAKER_01"]
    assert sum(one["seconds"] for one in row.speakers) == pytest.approx(
        sum(end - start for start, end, _ in row.turns), abs=0.1
    )
    assert row.turns[0][2] == "SPEAKER_00"
    assert fresh(job).stage == "assembling"


def test_how_it_was_done_is_told_in_the_log_in_sentences_that_readers_get_in_their_language(heard: Heard) -> None:
    job = heard()
    work()
    messages = [line["message"] for line in payloads.job_full(fresh(job))["runtime_log"]]
    reason = "Speakers are told apart by clustering: pyannote's model is not on this machine."
    assert reason in messages
    assert {reason, "Only one speaker was heard."} <= set(told.SENTENCES)


def test_the_number_of_speakers_that_was_given_is_kept_to(heard: Heard) -> None:
    job = heard(max_speakers=1)
    work()
    assert diarization(job)["reason"] == "Only one speaker was heard."
    assert [one["label"] for one in diarization(job)["speakers"]] == ["SPEAKER_00"]


def test_too_little_speech_is_a_reason_and_no_failure(heard: Heard) -> None:
    job = heard(speech=[[0.5, 0.9]])
    work()
    assert diarization(job)["state"] == "skipped"
    assert diarization(job)["reason"] == "There is too little speech to tell speakers apart."
    assert fresh(job).stage == "assembling"


def test_where_no_diarizer_works_the_job_goes_on_and_says_why(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "_folder", lambda: None)
    choose.unload()
    job = heard()
    work()
    assert (diarization(job)["state"], diarization(job)["reason"]) == ("skipped", bundled.MISSING)
    assert fresh(job).stage == "assembling"


def test_a_recording_that_can_no_longer_be_read_costs_the_job_no_words(heard: Heard) -> None:
    job = heard(b"not a recording")
    work()
    assert diarization(job)["state"] == "failed"
    assert diarization(job)["reason"]
    assert fresh(job).stage == "assembling"
    assert Segment.objects.get(job=job).text == f"{ASKED} {ANSWERED}"


def test_a_diarizer_that_nobody_uses_leaves_the_memory_but_not_while_it_listens(
    heard: Heard, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOOLS = replace(settings.TOOLS, model_idle_minutes=1e-9)
    heart = Heart(["speech"], beat_seconds=1, limits=dict.fromkeys(Kind, 60.0))
    diarize = ClusteringDiarizer.diarize
    listening: list[weakref.ref[ClusteringDiarizer]] = []

    def beats_meanwhile(self: ClusteringDiarizer, sound: Iterable[Pcm], hints: Hints) -> Diarization:
        listening.append(weakref.ref(self))
        heart.beat()
        with choose.using(models.folders(), threads=settings.TOOLS.speech_threads) as choice:
            assert choice.diarizer is self
        return diarize(self, sound, hints)

    monkeypatch.setattr(ClusteringDiarizer, "diarize", beats_meanwhile)
    heard()
    assert work_once("speech", heart)
    assert listening[0]() is not None
    heart.beat()
    assert listening[0]() is None


def test_a_longer_recording_may_take_longer(heard: Heard, stage: Stage) -> None:
    job = heard()
    Job.objects.filter(pk=job.pk).update(source_duration_seconds=86_400.0)
    heart = Heart(["speech"], beat_seconds=1, limits=dict.fromkeys(Kind, 60.0))
    with heart.watching(stage.run("speech")) as watch:
        assert watch.deadline - watch.began == pytest.approx(86_460.0, abs=1.0)


def test_the_bar_moves_while_speakers_are_told_apart(heard: Heard, stage: Stage) -> None:
    job = heard()
    shown = [progress.of(fresh(job))]
    run = stage.run("speech")
    for share in (0.5, 1.0):
        lifecycle.report(run, share)
        shown.append(progress.of(fresh(job)))
    assert shown == pytest.approx([95.0, 96.5, 98.0])
