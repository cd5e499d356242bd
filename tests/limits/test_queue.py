"""How many jobs one owner may have in the queue."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import Client

from accounts.models import User
from tests.conftest import Tools
from tests.core.play import URL, Stage
from whisper_jobs import intake, lifecycle, limits, recovery
from whisper_jobs.intake import Submission
from whisper_jobs.models import Job, Step

JOBS = "/api/whisper/jobs"


def test_one_more_than_the_server_allows_is_told_what_is_left_and_when_to_ask_again(
    api: Any, stage: Stage, alice: User, tools: Tools
) -> None:
    tools(max_queued_jobs=2)
    for _ in range(2):
        stage.submit(alice)
    answer = api(alice).post(JOBS, {"source_url": URL}, format="json")
    told = answer.json()
    assert (answer.status_code, told["ok"], told["code"]) == (429, False, "too_many_jobs")
    assert int(answer.headers["retry-after"]) > 0
    assert told["message"].startswith("2 recordings of yours wait in the queue, and 2 may wait at once.")
    assert (told["limits"]["max_queued_jobs"], told["limits"]["queued"]) == (2, 2)
    assert Job.objects.count() == 2


def test_a_users_own_number_wins_over_the_servers(stage: Stage, alice: User, bob: User, tools: Tools) -> None:
    tools(max_queued_jobs=1)
    alice.max_queued_jobs = 2
    for _ in range(2):
        stage.submit(alice)
    with pytest.raises(limits.TooManyJobs):
        stage.submit(alice)
    stage.submit(bob)
    bob.max_queued_jobs = 0
    with pytest.raises(limits.TooManyJobs):
        stage.submit(bob)


def test_admins_have_no_limit(stage: Stage, admin: User, tools: Tools) -> None:
    tools(max_queued_jobs=1, monthly_minutes=1)
    admin.max_queued_jobs = 1
    assert [stage.submit(admin) for _ in range(3)]


def test_a_job_that_has_been_heard_makes_room(stage: Stage, alice: User, tools: Tools) -> None:
    tools(max_queued_jobs=1)
    stage.decoded(alice)
    with pytest.raises(limits.TooManyJobs):
        stage.submit(alice)
    stage.hear(stage.run("speech"))
    stage.submit(alice)


def test_a_restart_needs_a_place_too(api: Any, stage: Stage, alice: User, tools: Tools) -> None:
    tools(max_queued_jobs=1)
    job = stage.submit(alice)
    lifecycle.request_cancel(job.pk)
    stage.submit(alice)
    assert api(alice).post(f"{JOBS}/{job.pk}/restart").status_code == 429
    assert recovery.run_now(Job.objects.all(), limit=9, reset_failed=True)["reset"] == 0


def test_a_file_that_is_refused_is_not_kept(
    stage: Stage, alice: User, tools: Tools, settings: Any, tmp_path: Path
) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path}},
    }
    tools(max_queued_jobs=1)
    stage.submit(alice)
    with pytest.raises(limits.TooManyJobs):
        intake.submit(Submission(owner=alice, media_file=SimpleUploadedFile("a.wav", b"RIFF")))
    assert not list(tmp_path.rglob("original"))


def test_the_page_tells_beside_its_form(stage: Stage, client: Client, alice: User, tools: Tools) -> None:
    tools(max_queued_jobs=1)
    stage.submit(alice)
    client.force_login(alice)
    assert "You can put 0 more recordings in the queue (1 at once)." in client.get("/whisper").text
    answer = client.post("/whisper", {"source_url": URL, "model": "auto"})
    assert answer.status_code == 422
    assert "may wait at once" in answer.text.partition('data-error="form">')[2]
    assert "may wait at once" in client.post("/whisper/sample", follow=True).text
    again = client.post(f"/whisper/jobs/{Job.objects.get().pk}/again", {"model": "auto"}, follow=True)
    assert "may wait at once" in again.text
    assert Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_get_exactly_the_places_there_are(tools: Tools) -> None:
    tools(max_queued_jobs=20)
    owner = User.objects.create_user("eve@example.test", None)
    refused: list[limits.TooManyJobs] = []
    start = threading.Barrier(50)

    def submit() -> None:
        start.wait()
        try:
            intake.submit(Submission(owner=owner, source_url=URL))
        except limits.TooManyJobs as reached:
            refused.append(reached)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=submit) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (Job.objects.count(), len(refused)) == (20, 30)
    assert not Step.objects.exclude(job__in=Job.objects.all()).exists()
