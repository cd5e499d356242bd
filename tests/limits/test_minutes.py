"""How much sound one owner has transcribed in a month."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.conftest import Tools
from tests.core.play import URL, Stage, fresh, window
from whisper_jobs import intake, lifecycle, limits
from whisper_jobs.models import Job, Usage

JOBS = "/api/whisper/jobs"


def used(owner: User) -> float:
    return sum(Usage.objects.filter(owner=owner).values_list("seconds", flat=True))


def test_windows_are_charged_as_they_are_done(stage: Stage, alice: User) -> None:
    stage.decoded(alice, 3)
    assert used(alice) == 0
    stage.hear(stage.run("speech"))
    assert used(alice) == 10


def test_a_restart_charges_nothing_twice(stage: Stage, alice: User) -> None:
    job = stage.decoded(alice, 2)
    stage.hear(stage.run("speech"))
    lifecycle.request_cancel(job.pk)
    lifecycle.restart(job.pk)
    stage.prepare(stage.run("speech"))
    stage.hear(stage.run("speech"))
    stage.assemble(stage.run("deliver"), text="done")
    assert fresh(job).stage == "completed"
    assert used(alice) == 20


def test_the_same_recording_with_another_model_is_new_work(stage: Stage, alice: User) -> None:
    alice.monthly_minutes = 1
    job = stage.completed(alice, 4)
    with pytest.raises(limits.QuotaExceeded):
        intake.again(job, alice, model="other")
    alice.monthly_minutes = 2
    job.media = ""
    intake.again(job, alice, model="other")


def test_without_minutes_left_a_submission_is_told_what_is_left_and_when_there_are_more(
    api: Any, alice: User, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools(monthly_minutes=10)
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 12, 31, 23, 0, tzinfo=UTC))
    Usage.objects.create(owner=alice, month="2026-12-01", seconds=600)
    answer = api(alice).post(JOBS, {"source_url": URL}, format="json")
    told = answer.json()
    assert (answer.status_code, told["code"]) == (422, "quota_exceeded")
    assert told["message"].startswith("0 of this month's 10 minutes are left")
    assert "Jan. 1, 2027" in told["message"]
    assert told["limits"] == {
        "max_queued_jobs": 1000,
        "queued": 0,
        "monthly_minutes": 10,
        "used_minutes": 10.0,
        "left_minutes": 0.0,
        "renews_at": "2027-01-01T00:00:00+00:00",
        "limited_by": "user",
    }
    monkeypatch.setattr(timezone, "now", lambda: datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC))
    assert api(alice).post(JOBS, {"source_url": URL}, format="json").status_code == 201


def test_a_recording_that_turns_out_too_long_fails_before_it_is_decoded(
    stage: Stage, alice: User, tools: Tools
) -> None:
    tools(monthly_minutes=1)
    job = stage.fetched(alice)
    run = stage.run("fetch")
    lifecycle.describe_media(run, duration_seconds=61.5, mime="audio/mpeg")
    ended = fresh(job)
    assert (ended.stage, ended.failure_code, ended.source_duration_seconds) == ("failed", "quota_exceeded", 61.5)
    assert ended.log_lines.filter(message__contains="needs 1.0 minutes; 1.0 of 1 are left").exists()


def test_one_whose_link_tells_its_length_is_not_even_decoded(stage: Stage, alice: User, tools: Tools) -> None:
    tools(monthly_minutes=1)
    job = stage.prepared(alice)
    lifecycle.finish_fetch(stage.run("fetch"), media="media/0/original", source_duration_seconds=3600.0)
    assert fresh(job).failure_code == "quota_exceeded"
    assert lifecycle.claim("fetch", "w") is None


def test_one_that_hides_its_length_ends_when_its_windows_are_too_many(stage: Stage, alice: User, tools: Tools) -> None:
    tools(monthly_minutes=1)
    job = stage.fetched(alice)
    run = stage.run("fetch")
    lifecycle.describe_media(run, duration_seconds=1.0, mime="audio/mpeg")
    lifecycle.add_windows(run, [window(place) for place in range(6)])
    assert fresh(job).stage != "failed"
    lifecycle.add_windows(run, [window(place) for place in range(6, 8)])
    assert fresh(job).failure_code == "quota_exceeded"
    assert lifecycle.claim("speech", "w") is None


def test_what_running_jobs_still_need_is_not_left_for_others(
    api: Any, stage: Stage, alice: User, bob: User, tools: Tools
) -> None:
    tools(monthly_minutes=1)
    stage.decoded(alice, 4)
    stage.hear(stage.run("speech"))
    told = api(alice).get("/api/whisper/status").json()["limits"]
    assert (told["used_minutes"], told["left_minutes"]) == (0.2, 0.3)
    second = stage.submit(alice)
    lifecycle.finish_fetch(stage.run("fetch"), media="media/1/original", source_duration_seconds=25.0)
    assert fresh(second).failure_code == "quota_exceeded"
    other = stage.submit(bob)
    lifecycle.finish_fetch(stage.run("fetch"), media="media/2/original", source_duration_seconds=25.0)
    assert fresh(other).failure_code == "", "bob has minutes of his own"


def test_a_cancelled_job_gives_back_what_was_not_transcribed(stage: Stage, alice: User, tools: Tools) -> None:
    tools(monthly_minutes=1)
    job = stage.decoded(alice, 6)
    stage.hear(stage.run("speech"))
    assert limits.standing(alice).left_seconds == 0
    lifecycle.request_cancel(job.pk)
    assert limits.standing(alice).left_seconds == 50


def test_a_restart_needs_minutes_for_what_is_missing(api: Any, stage: Stage, alice: User, tools: Tools) -> None:
    tools(monthly_minutes=1)
    job = stage.decoded(alice, 5)
    lifecycle.request_cancel(job.pk)
    limits.charge(job, 30)
    answer = api(alice).post(f"{JOBS}/{job.pk}/restart")
    assert (answer.status_code, answer.json()["code"]) == (422, "quota_exceeded")
    assert fresh(job).stage == "failed"
    Usage.objects.update(seconds=10)
    assert api(alice).post(f"{JOBS}/{job.pk}/restart").status_code == 200


def test_without_a_limit_the_status_tells_what_was_used(api: Any, stage: Stage, alice: User) -> None:
    stage.completed(alice, 6)
    told = api(alice).get("/api/whisper/status").json()["limits"]
    assert told == {
        "max_queued_jobs": 1000,
        "queued": 0,
        "monthly_minutes": None,
        "used_minutes": 1.0,
        "left_minutes": None,
        "renews_at": None,
        "limited_by": None,
    }


def test_an_admin_is_told_of_no_limit(api: Any, admin: User, tools: Tools) -> None:
    tools(monthly_minutes=1)
    told = api(admin).get("/api/whisper/status").json()["limits"]
    assert (told["max_queued_jobs"], told["monthly_minutes"]) == (None, None)


def test_the_page_says_what_is_left(client: Client, alice: User, tools: Tools) -> None:
    client.force_login(alice)
    assert "minutes this month are left" not in client.get("/whisper").text
    tools(monthly_minutes=90)
    limits.charge(Job(owner=alice), 60)
    assert "89 of your 90 minutes this month are left" in client.get("/whisper").text
