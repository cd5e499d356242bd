"""The approval through the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.core.play import Stage, fresh
from tests.native.conftest import program as program
from tests.native.conftest import robin as robin
from whisper_jobs import payloads, review
from whisper_jobs.models import Channel, Job

Make = Callable[..., Job]


def _path(job: Job) -> str:
    return f"/api/whisper/jobs/{job.pk}/review"


def test_a_recording_is_handed_in_for_approval_through_either_api(
    api: Any, alice: User, robin: User, program: Any
) -> None:
    sent = {"source_url": "https://example.com/a.mp3", "human_review": True}
    made = api(alice).post("/api/whisper/jobs", sent, format="json").json()["job"]
    assert Job.objects.get(pk=made["id"]).needs_approval is True
    assert made["review"] is None
    called = {**sent, "callback_url": "https://example.com/hook"}
    made = program(robin).post("/api/whisper/transcribe", called, format="json").json()["job"]
    assert Job.objects.get(pk=made["id"]).needs_approval is True


def test_without_a_word_none_is_wanted(api: Any, alice: User) -> None:
    made = (
        api(alice).post("/api/whisper/jobs", {"source_url": "https://example.com/a.mp3"}, format="json").json()["job"]
    )
    assert Job.objects.get(pk=made["id"]).needs_approval is False


def test_how_it_stands_and_who_may_edit(
    api: Any, waiting: Make, alice: User, bob: User, charlie: User, admin: User
) -> None:
    job = waiting(alice)
    told = api(alice).get(_path(job)).json()
    assert told["review"]["state"] == "waiting"
    assert [one["id"] for one in told["editors"]] == [admin.pk, alice.pk, charlie.pk]


def test_all_of_it(api: Any, waiting: Make, alice: User, charlie: User) -> None:
    job = waiting(alice)
    owner, editor = api(alice), api(charlie)
    told = owner.post(_path(job), {"action": "assign", "assignee": charlie.pk}, format="json").json()["job"]["review"]
    assert told["assignee"] == {"id": charlie.pk, "name": "charlie@example.test"}
    assert editor.post(_path(job), {"action": "submit", "note": "Done."}, format="json").status_code == 200
    back = owner.post(_path(job), {"action": "return", "note": "Not yet."}, format="json").json()["job"]["review"]
    assert (back["state"], back["note"]) == ("returned", "Not yet.")
    assert editor.post(_path(job), {"action": "submit"}, format="json").status_code == 200
    end = owner.post(_path(job), {"action": "approve", "version": 0}, format="json").json()["job"]
    assert (end["status"], end["review"]["state"], end["review"]["approved_version"]) == ("completed", "approved", 0)


def test_a_program_approves_what_its_channel_has(waiting: Make, robin: User, program: Any) -> None:
    job = waiting(robin, channel=Channel.API)
    answer = program(robin).post(f"/api/whisper/transcribe/jobs/{job.pk}/review", {"action": "approve"}, format="json")
    assert answer.json()["job"]["status"] == "completed"


def test_what_makes_no_sense_is_refused(api: Any, waiting: Make, alice: User, bob: User) -> None:
    job, client = waiting(alice), api(alice)
    for body in (
        {},
        {"action": "burn"},
        {"action": "assign", "assignee": bob.pk},
        {"action": "assign", "assignee": "x"},
        {"action": "submit"},
        {"action": "return", "note": "No."},
        {"action": "approve", "version": 3},
    ):
        assert client.post(_path(job), body, format="json").status_code == 422, body
    assert fresh(job).stage == "reviewing"


def test_strangers_find_nothing(api: Any, waiting: Make, alice: User, bob: User) -> None:
    job = waiting(alice)
    assert api(bob).get(_path(job)).status_code == 404
    assert api(bob).post(_path(job), {"action": "approve"}, format="json").status_code == 404


def test_a_job_tells_its_approval_with_one_query_more(stage: Stage, waiting: Make, alice: User, charlie: User) -> None:
    plain, job = stage.completed(alice), waiting(alice)
    review.take(job.pk, by=charlie)
    review.approve(job.pk, by=charlie)
    approved = fresh(job)
    with CaptureQueriesContext(connection) as without:
        payloads.job_full(plain)
    with CaptureQueriesContext(connection) as with_it:
        payloads.job_full(approved)
    assert len(with_it) == len(without) + 1
