"""The shape of the sound: stored by the decode step once and whole, also after a crash, and kept by browsers."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import count

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.core.play import Stage
from tests.pages.browsing import tone
from whisper_jobs import lifecycle
from whisper_jobs.errors import JobError
from whisper_jobs.models import Job, Waveform
from whisper_jobs.pipeline.decode import decode
from whisper_jobs.pipeline.heart import Watch
from whisper_jobs.states import Kind

Visit = Callable[[User | None], Client]
SECONDS = 20.0


def handed_in(stage: Stage, owner: User) -> Job:
    """A job whose recording is a tone, up to the decode step."""
    file = SimpleUploadedFile("tone.wav", tone(SECONDS), "audio/wav")
    job = stage.submit(owner, source_url="", media_file=file)
    stage.prepare(stage.run("speech"))
    return job


def decoded(stage: Stage, *, stops_after: float = math.inf) -> None:
    """Runs the decode step; a worker that stops hands it back in the middle."""
    run, asked = stage.run("fetch"), count()
    assert run.step.kind == Kind.DECODE
    try:
        decode(run, Watch(run, lambda: next(asked) > stops_after, deadline=math.inf))
    except JobError:
        lifecycle.hand_back(run)


def test_the_decode_step_stores_it(stage: Stage, alice: User) -> None:
    job = handed_in(stage, alice)
    decoded(stage)
    row = Waveform.objects.get(job=job)
    peaks = np.frombuffer(bytes(row.peaks), np.uint8)
    assert row.per_second == 20
    assert len(peaks) == SECONDS * 20
    # The loudest sample of the tone is 2000 of 32768.
    assert set(peaks.tolist()) == {15}


def test_a_decode_that_is_done_again_leaves_no_hole(stage: Stage, alice: User) -> None:
    job = handed_in(stage, alice)
    decoded(stage, stops_after=4)
    assert not Waveform.objects.exists()
    decoded(stage)
    assert len(bytes(Waveform.objects.get(job=job).peaks)) == SECONDS * 20


def kept(job: Job) -> Waveform:
    Job.objects.update(media="media/0/original", source_mime="audio/mpeg")
    return Waveform.objects.create(job=job, per_second=20.0, peaks=bytes([0, 128, 255]))


def test_it_is_told_as_numbers_and_kept_by_the_browser(visit: Visit, stage: Stage, alice: User) -> None:
    job = stage.completed(alice)
    kept(job)
    client, path = visit(alice), f"/whisper/jobs/{job.pk}/waveform"
    assert f'data-waveform="{path}"' in client.get(f"/whisper/jobs/{job.pk}").text
    answer = client.get(path)
    assert answer.json() == {"per_second": 20.0, "peaks": [0, 128, 255]}
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    again = client.get(path, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("who", ["bob", "nobody", "anonymous"])
def test_nobody_else_gets_it(visit: Visit, stage: Stage, alice: User, bob: User, nobody: User, who: str) -> None:
    job = stage.completed(alice)
    kept(job)
    person = {"bob": bob, "nobody": nobody, "anonymous": None}[who]
    answer = visit(person).get(f"/whisper/jobs/{job.pk}/waveform")
    assert answer.status_code == {"bob": 404, "nobody": 403, "anonymous": 302}[who]
    assert "immutable" not in answer.get("Cache-Control", "")


def test_a_job_from_before_has_a_plain_seek_bar(visit: Visit, stage: Stage, alice: User) -> None:
    job = stage.completed(alice)
    Job.objects.update(media="media/0/original", source_mime="audio/mpeg", decoded_at=timezone.now())
    page = visit(alice).get(f"/whisper/jobs/{job.pk}").text
    assert 'data-field="seek"' in page
    assert 'data-field="wave"' not in page
    assert visit(alice).get(f"/whisper/jobs/{job.pk}/waveform").status_code == 404


def test_deleting_the_job_deletes_it(stage: Stage, alice: User) -> None:
    kept(stage.completed(alice))
    Job.objects.all().delete()
    assert not Waveform.objects.exists()
