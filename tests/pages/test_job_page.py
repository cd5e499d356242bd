"""/whisper/jobs/{id} without scripts, and running a recording again with another model."""

from __future__ import annotations

from collections.abc import Callable

from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from tests.core.play import Stage
from whisper_jobs import lifecycle
from whisper_jobs.errors import FAILURES, JobError
from whisper_jobs.models import Job
from whisper_jobs.speech.formats import FORMATS

Visit = Callable[[User | None], Client]


def test_a_finished_job_shows_its_text_downloads_and_draft_quality(visit: Visit, stage: Stage, alice: User) -> None:
    job = stage.completed(alice, source_label="Board meeting")
    page = visit(alice).get(f"/whisper/jobs/{job.pk}").text
    assert "<title>Board meeting · Tools Whisper</title>" in page
    assert "done" in page.partition("<noscript>")[2]
    for name in FORMATS:
        assert f'data-export="{name}" data-query="" href="/api/whisper/jobs/{job.pk}/exports/{name}"' in page
    for preset in ("web", "broadcast"):
        assert f'href="/api/whisper/jobs/{job.pk}/exports/srt?preset={preset}"' in page
    assert 'data-field="draft-box" >' in page
    assert '<meta http-equiv="refresh"' not in page


def test_a_job_at_work_shows_its_progress_steps_and_log_and_reloads_itself(
    visit: Visit, stage: Stage, alice: User
) -> None:
    job = stage.decoded(alice, windows=4)
    stage.hear(stage.run("speech"))
    page = visit(alice).get(f"/whisper/jobs/{job.pk}").text
    assert '<noscript><meta http-equiv="refresh"' in page
    assert 'data-kind="window" data-state="running"' in page
    assert 'data-kind="decode" data-state="done"' in page
    assert "Queued." in page.partition('id="log"')[2]
    assert "window0" in page.partition("<noscript><div")[2]


def test_a_failed_job_says_why_in_the_readers_language(visit: Visit, stage: Stage, alice: User) -> None:
    job = stage.prepared(alice)
    lifecycle.fail(stage.run("fetch"), JobError("source_not_found"))
    client = visit(alice)
    page = client.get(f"/whisper/jobs/{job.pk}").text
    assert f'<p data-field="failure">{FAILURES["source_not_found"]}</p>' in page
    assert 'data-action="restart"' in page
    assert 'data-field="failure-again" hidden' in page
    page = client.get(f"/whisper/jobs/{job.pk}", headers={"accept-language": "sv"}).text
    assert "Det finns ingenting på adressen" in page


def test_a_missing_model_offers_the_models_there_are(visit: Visit, stage: Stage, alice: User) -> None:
    job = stage.submit(alice, model="large")
    lifecycle.fail(stage.run("speech"), JobError("model_unavailable"))
    page = visit(alice).get(f"/whisper/jobs/{job.pk}").text
    assert 'data-field="failure-again" >' in page
    assert '<option value="pocketsphinx">' in page


def test_running_again_makes_a_job_of_its_own(visit: Visit, stage: Stage, alice: User) -> None:
    file = SimpleUploadedFile("memo.wav", b"the very same bytes", "audio/wav")
    job = stage.submit(alice, source_url="", media_file=file, source_label="Board meeting")
    answer = visit(alice).post(f"/whisper/jobs/{job.pk}/again", {"model": "pocketsphinx"})
    copy = Job.objects.exclude(pk=job.pk).get()
    assert answer.headers["location"] == f"/whisper/jobs/{copy.pk}"
    assert (copy.source_label, copy.source_filename, copy.requested_model) == (
        "Board meeting",
        "memo.wav",
        "pocketsphinx",
    )
    assert copy.media != job.media
    with default_storage.open(copy.media) as stored:
        assert stored.read() == b"the very same bytes"


def test_running_again_without_the_recording_says_so(visit: Visit, stage: Stage, alice: User) -> None:
    job = stage.completed(alice)
    answer = visit(alice).post(f"/whisper/jobs/{job.pk}/again", {"model": "auto"}, follow=True)
    assert "The recording could not be stored" in answer.text
    assert Job.objects.count() == 1


def test_running_again_with_an_unknown_model_says_so(visit: Visit, stage: Stage, alice: User) -> None:
    job = stage.prepared(alice)
    client = visit(alice)
    answer = client.post(f"/whisper/jobs/{job.pk}/again", {"model": "nonsense"}, follow=True)
    assert "Choose a model that is on this server." in answer.text
    assert Job.objects.count() == 1


def test_the_job_of_somebody_else_does_not_exist(visit: Visit, stage: Stage, alice: User, bob: User) -> None:
    job = stage.submit(alice)
    client = visit(bob)
    assert client.get(f"/whisper/jobs/{job.pk}").status_code == 404
    assert client.post(f"/whisper/jobs/{job.pk}/again", {"model": "auto"}).status_code == 404
    assert Job.objects.count() == 1


def test_a_manager_sees_whose_job_it_is(visit: Visit, stage: Stage, alice: User, charlie: User) -> None:
    job = stage.submit(alice)
    assert "alice@example.test" in visit(charlie).get(f"/whisper/jobs/{job.pk}").text
