"""A job of which only the beginning is wanted: no more of it is decoded, told and charged."""

from __future__ import annotations

import math

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from tests.core.play import Stage, fresh
from tests.pages.browsing import tone
from whisper_jobs.models import Job, LogLine, Waveform
from whisper_jobs.pipeline.decode import decode
from whisper_jobs.pipeline.heart import Watch

SECONDS = 20.0


def decoded(stage: Stage, owner: User, most_seconds: float | None) -> Job:
    file = SimpleUploadedFile("tone.wav", tone(SECONDS), "audio/wav")
    job = stage.submit(owner, source_url="", media_file=file, most_seconds=most_seconds)
    stage.prepare(stage.run("speech"))
    run = stage.run("fetch")
    decode(run, Watch(run, lambda: False, deadline=math.inf))
    return fresh(job)


@pytest.mark.parametrize(("most", "heard"), [(5.0, 5.0), (7.3, 7.3), (20.0, 20.0), (30.0, 20.0), (None, 20.0)])
def test_no_more_is_heard_than_was_asked_for(stage: Stage, alice: User, most: float | None, heard: float) -> None:
    job = decoded(stage, alice, most)
    peaks = np.frombuffer(bytes(Waveform.objects.get(job=job).peaks), np.uint8)
    told = LogLine.objects.filter(job=job, message__startswith="Only the first").values_list("message", flat=True)
    assert job.source_duration_seconds == pytest.approx(heard)
    assert len(peaks) == round(heard * 20)
    assert list(told) == ([f"Only the first {most:g} s were heard, as was asked for."] if heard < SECONDS else [])
