"""The part of a job's page about speakers and coverage, without scripts."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests.core.play import Stage
from whisper_jobs.models import Diarization, Job, Step, Transcript
from whisper_jobs.states import Kind

COVERAGE = {"ratio": 0.997, "gaps": [{"start": 62.5, "end": 65.0}]}


@pytest.fixture
def job(stage: Stage, alice: User) -> Job:
    job = stage.decoded(alice, windows=1)
    stage.hear(stage.run("speech"))
    stage.assemble(stage.run("deliver"), coverage=COVERAGE)
    speakers = [
        {"label": "SPEAKER_00", "name": None, "seconds": 90.0},
        {"label": "SPEAKER_01", "name": "Åsa <b>", "seconds": 30.0},
    ]
    Diarization.objects.create(job=job, state="done", reason="2 speakers were told apart.", speakers=speakers)
    Job.objects.filter(pk=job.pk).update(disable_diarization=False)
    return Job.objects.get(pk=job.pk)


def page(client: Client, job: Job, **headers: str) -> str:
    answer = client.get(f"/whisper/jobs/{job.pk}", headers=headers)
    assert answer.status_code == 200
    return str(answer.content, "utf-8")


def test_it_tells_who_speaks_how_long(client: Client, alice: User, job: Job) -> None:
    client.force_login(alice)
    shown = page(client, job)
    for part in ("Speaker 1", "1:30", "75 %", "Åsa &lt;b&gt;", "25 %"):
        assert part in shown, part


def test_nearly_all_is_not_told_as_all(client: Client, alice: User, job: Job) -> None:
    client.force_login(alice)
    shown = page(client, job)
    assert "99 % of the speech has words" in shown
    assert 'href="#t=62.50">1:02</a>' in shown


def test_coverage_is_told_as_it_is_after_a_correction(client: Client, alice: User, job: Job) -> None:
    client.force_login(alice)
    Transcript.objects.filter(job=job).update(is_stale=True)
    assert 'href="#t=62.50"' not in page(client, job)


@pytest.mark.parametrize(("act", "kind"), [("refill", Kind.REFILL), ("diarize", Kind.DIARIZE)])
def test_more_is_asked_for_by_a_button(client: Client, alice: User, job: Job, act: str, kind: str) -> None:
    client.force_login(alice)
    answer = client.post(f"/whisper/jobs/{job.pk}/speech", {"act": act, "speakers": "3"})
    assert answer["Location"] == f"/whisper/jobs/{job.pk}#speech"
    assert Step.objects.get(job=job, kind=kind).state == "ready"
    again: Any = client.post(f"/whisper/jobs/{job.pk}/speech", {"act": act}, follow=True)
    assert "This is being made already." in str(again.content, "utf-8")


def test_a_number_of_speakers_goes_with_the_wish(client: Client, alice: User, job: Job) -> None:
    client.force_login(alice)
    client.post(f"/whisper/jobs/{job.pk}/speech", {"act": "diarize", "speakers": "3"})
    job.refresh_from_db()
    assert (job.min_speakers, job.max_speakers) == (3, 3)


def test_a_stranger_finds_no_such_job(client: Client, bob: User, job: Job) -> None:
    client.force_login(bob)
    assert client.get(f"/whisper/jobs/{job.pk}/speech").status_code == 404
    assert client.post(f"/whisper/jobs/{job.pk}/speech", {"act": "refill"}).status_code == 404


def test_the_form_asks_for_speakers_names_and_terms(client: Client, alice: User) -> None:
    client.force_login(alice)
    fields = {"speakers": "2", "task": "translate", "hotwords": "Åsa, , Kubernetes", "initial_prompt": "Hej."}
    answer = client.post("/whisper", {"source_url": "https://example.com/a.mp3", **fields})
    assert answer.status_code == 302
    made = Job.objects.get()
    assert (made.min_speakers, made.max_speakers, made.disable_diarization) == (2, 2, False)
    assert (made.task, made.hotwords, made.initial_prompt) == ("translate", ["Åsa", "Kubernetes"], "Hej.")


def test_the_form_can_leave_speakers_together(client: Client, alice: User) -> None:
    client.force_login(alice)
    client.post("/whisper", {"source_url": "https://example.com/a.mp3", "speakers": "off"})
    assert Job.objects.get().disable_diarization
    assert not Step.objects.filter(kind=Kind.DIARIZE).exists()
