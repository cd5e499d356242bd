"""Cancel, restart, delete, again, run-now over HTTP: the rule's answer, then the job as it is."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from tests.core.play import Stage, fresh
from whisper_jobs import lifecycle
from whisper_jobs.errors import JobError
from whisper_jobs.models import Job


def test_cancel_restart_delete(api: Any, stage: Stage, alice: User) -> None:
    client, job = api(alice), stage.submit(alice)
    url = f"/api/whisper/jobs/{job.pk}"
    assert client.post(f"{url}/cancel").json()["job"]["failure_code"] == "cancelled"
    assert client.post(f"{url}/restart").json()["job"]["status"] == "queued"
    assert client.delete(url).status_code == 200
    assert client.get(url).status_code == 404


def test_rules_are_422_with_a_sentence(api: Any, stage: Stage, alice: User) -> None:
    client, done = api(alice), stage.completed(alice)
    running = stage.fetched(alice)
    for method, path in (
        (client.post, f"{done.pk}/cancel"),
        (client.post, f"{done.pk}/restart"),
        (client.delete, f"{running.pk}"),
    ):
        answer = method(f"/api/whisper/jobs/{path}")
        assert answer.status_code == 422
        assert answer.json()["code"] == "not_allowed"
        assert answer.json()["message"].endswith(".")


def test_again_makes_a_new_job_of_the_same_recording(api: Any, stage: Stage, alice: User) -> None:
    job = stage.prepared(alice, source_label="Talk")
    answer = api(alice).post(f"/api/whisper/jobs/{job.pk}/again", {"model": "pocketsphinx"})
    assert answer.status_code == 201
    told = answer.json()["job"]
    assert told["id"] != job.pk
    assert (told["title"], told["requested_model"]) == ("Talk", "pocketsphinx")


def test_run_now_restarts_failed_jobs_but_not_cancelled_ones(
    api: Any, stage: Stage, alice: User, charlie: User
) -> None:
    failed, cancelled = stage.prepared(alice), stage.submit(alice)
    lifecycle.fail(stage.run("fetch"), JobError("source_not_found"))
    lifecycle.request_cancel(cancelled.pk)
    told = api(charlie).post("/api/whisper/run-now", {"limit": 5, "reset_failed": True}, format="json").json()
    assert told["reset"] == 1
    assert fresh(failed).status == "queued"
    assert fresh(cancelled).status == "failed"
    assert Job.objects.count() == 2


def test_run_now_passes_over_a_job_that_was_deleted_meanwhile(
    api: Any, stage: Stage, alice: User, charlie: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, kept = stage.prepared(alice), stage.prepared(alice)
    for _ in range(2):
        lifecycle.fail(stage.run("fetch"), JobError("source_not_found"))
    restart = lifecycle.restart

    def overtaken(job_id: int) -> Job:
        Job.objects.filter(pk=gone.pk).delete()
        return restart(job_id)

    monkeypatch.setattr(lifecycle, "restart", overtaken)
    answer = api(charlie).post("/api/whisper/run-now", {"limit": 5, "reset_failed": True}, format="json")
    assert answer.json()["reset"] == 1
    assert fresh(kept).status == "queued"


def test_again_without_the_original_says_so(api: Any, stage: Stage, alice: User) -> None:
    job = stage.completed(alice)
    answer = api(alice).post(f"/api/whisper/jobs/{job.pk}/again", {"model": "pocketsphinx"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "source_not_found"
