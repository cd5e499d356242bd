"""/whisper/manage: who may look, what it tells, and running the queue from there."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Tenant, User
from tests.conftest import person
from tests.core.play import Stage, fresh
from whisper_jobs import lifecycle, outbox, overview, presence
from whisper_jobs.models import Delivery, Job, Step, Worker
from whisper_jobs.states import Lane

Visit = Callable[[User | None], Client]
PAGE = "/whisper/manage"


@pytest.fixture
def dora(db: None) -> User:
    """Manages another tenant."""
    user = person("dora", "whisper.use", "whisper.manage")
    user.tenant = Tenant.objects.create(name="Other")
    user.save()
    return user


def part(page: str, name: str) -> str:
    """The words of one part of the page."""
    inner = page.partition(f'data-part="{name}"')[2].partition("</section>")[0].partition(">")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", inner).split())


def test_only_managers_may_look(visit: Visit, alice: User, charlie: User, admin: User) -> None:
    assert visit(None).get(PAGE).headers["location"].startswith("/login?next=")
    assert visit(alice).get(PAGE).status_code == 403
    assert visit(alice).post(f"{PAGE}/run", {"limit": 1}).status_code == 403
    for user in (charlie, admin):
        assert visit(user).get(PAGE).status_code == 200
    assert f'href="{PAGE}"' in visit(charlie).get("/whisper").text
    assert f'href="{PAGE}"' not in visit(alice).get("/whisper").text


def test_lanes_tell_what_is_ready_running_and_waiting(visit: Visit, stage: Stage, alice: User, charlie: User) -> None:
    stage.decoded(alice, 5)
    stage.run("speech")
    stage.submit(alice)
    Job.objects.update(changed_at=timezone.now() - timedelta(hours=2))
    rows = {row.lane: row for row in overview.lanes(charlie)}
    speech, fetch = rows[Lane.SPEECH], rows[Lane.FETCH]
    # One worker takes one window at a time; that of the second job's engine is ready.
    assert (speech.running, speech.ready, speech.waiting) == (1, 1, 4)
    assert (fetch.running, fetch.ready, fetch.workers) == (0, 1, 0)
    told = part(visit(charlie).get(PAGE).text, "lanes")
    assert re.search(r"Transcribe none 1 1 4 2\s?hours", told.replace("\xa0", " ")), told


def test_workers_tell_what_they_do(visit: Visit, stage: Stage, alice: User, charlie: User) -> None:
    stage.worker = presence.me().name
    presence.seen(presence.me(), ["speech", "fetch"])
    stage.decoded(alice, 1, source_label="Board meeting")
    stage.run("speech")
    told = part(visit(charlie).get(PAGE).text, "workers")
    assert f"{stage.worker} Transcribe Transcribe: Board meeting" in told
    assert f"{stage.worker} Download and decode idle" in told


def test_failures_are_counted_by_code_and_lead_to_the_list(
    visit: Visit, stage: Stage, alice: User, charlie: User
) -> None:
    for code, hours in (("timeout", 1), ("timeout", 50), ("no_speech", 200), ("cancelled", 1)):
        job = stage.submit(alice, source_label=f"{code} {hours}")
        ended = timezone.now() - timedelta(hours=hours)
        Job.objects.filter(pk=job.pk).update(stage="failed", failure_code=code, completed_at=ended)
    assert overview.failures(charlie) == [overview.FailureRow("timeout", 1, 2)]
    page = visit(charlie).get(PAGE).text
    link = re.search(r'href="([^"]*q=timeout[^"]*)"', page)
    assert link is not None
    listed = visit(charlie).get(link[1].replace("&amp;", "&")).text
    assert "timeout 1" in listed
    assert "no_speech 200" not in listed


def test_throughput_counts_recordings_and_hours_by_day(stage: Stage, alice: User, charlie: User) -> None:
    for back, seconds in ((0, 3600), (0, 1800), (1, 7200), (30, 7200)):
        job = stage.submit(alice)
        ended = timezone.now() - timedelta(days=back)
        Job.objects.filter(pk=job.pk).update(stage="completed", completed_at=ended, source_duration_seconds=seconds)
    lifecycle.request_cancel(stage.submit(alice).pk)
    days = overview.days(charlie)
    assert [(row.completed, row.failed, row.hours) for row in days[:3]] == [(2, 0, 1.5), (1, 0, 2.0), (0, 0, 0.0)]
    assert len(days) == 7


def test_stuck_jobs_are_those_whose_worker_is_silent_and_those_that_nothing_moves(
    visit: Visit, stage: Stage, alice: User, charlie: User
) -> None:
    silent = stage.decoded(alice, 2, source_label="Silent")
    stage.run("speech")
    Step.objects.filter(state="running").update(heartbeat_at=timezone.now() - timedelta(minutes=2))
    lost, busy = stage.submit(alice, source_label="Lost"), stage.submit(alice, source_label="Busy")
    Step.objects.filter(job=lost).update(state="held")
    Job.objects.filter(pk__in=[lost.pk, busy.pk]).update(changed_at=timezone.now() - timedelta(hours=1))
    rows = overview.stuck(charlie)
    assert [row.job for row in rows] == [silent, lost]
    told = part(visit(charlie).get(PAGE).text, "stuck")
    assert "no sign of life from host:1:1" in told
    assert "nothing moves it since" in told
    assert "Busy" not in told


def test_callbacks_that_fail_are_named_and_sent_again(visit: Visit, stage: Stage, alice: User, charlie: User) -> None:
    job = stage.submit(alice, source_label="Called back")
    fine = stage.submit(alice, source_label="All fine")
    rows = [outbox.add(one, "https://hooks.example.com/x?key=secret", None) for one in (job, fine)]
    lifecycle.request_cancel(job.pk)
    lifecycle.request_cancel(fine.pk)
    Delivery.objects.filter(pk=rows[0].pk).update(
        state="failed", due_at=None, attempts=10, last_attempt_at=timezone.now(), error="The receiver did not answer."
    )
    client = visit(charlie)
    told = part(client.get(PAGE).text, "callbacks")
    assert "1 waits to be sent" in told
    assert "Called back → hooks.example.com" in told
    assert "10 attempts. It is not sent again." in told
    assert "All fine" not in told
    assert "secret" not in told
    client.post(f"/whisper/jobs/{job.pk}/callback")
    rows[0].refresh_from_db()
    assert rows[0].state == "due"


def test_failed_jobs_are_restarted_up_to_a_limit(visit: Visit, stage: Stage, alice: User, charlie: User) -> None:
    jobs = [stage.submit(alice) for _ in range(3)]
    Job.objects.update(stage="failed", failure_code="timeout")
    answer = visit(charlie).post(f"{PAGE}/run", {"limit": "2", "reset_failed": "on"}, follow=True)
    assert "2 jobs were restarted." in answer.text
    assert [fresh(job).stage for job in jobs] == ["queued", "queued", "failed"]


def test_without_the_tick_nothing_is_restarted(visit: Visit, stage: Stage, alice: User, charlie: User) -> None:
    job = stage.submit(alice)
    Job.objects.update(stage="failed", failure_code="timeout")
    visit(charlie).post(f"{PAGE}/run", {"limit": "2"})
    assert fresh(job).stage == "failed"


@pytest.mark.parametrize("limit", ["0", "", "x", "1001"])
def test_a_limit_that_makes_no_sense_is_told_beside_the_field(visit: Visit, charlie: User, limit: str) -> None:
    answer = visit(charlie).post(f"{PAGE}/run", {"limit": limit})
    assert answer.status_code == 422
    assert 'aria-invalid="true" aria-describedby="limit_error"' in answer.text


def test_the_manager_of_another_tenant_sees_and_runs_nothing_of_it(
    visit: Visit, stage: Stage, alice: User, dora: User
) -> None:
    stage.worker = presence.me().name
    presence.seen(presence.me(), ["speech"])
    stage.decoded(alice, 2, source_label="Secret talk")
    stage.run("speech")
    failed = stage.submit(alice, source_label="Secret failure")
    outbox.add(failed, "https://secret.example.com/x", None)
    Job.objects.filter(pk=failed.pk).update(stage="failed", failure_code="timeout", completed_at=timezone.now())
    client = visit(dora)
    page = client.get(PAGE).text
    assert "Recordings of Other" in page
    assert not re.search("secret|timeout|alice", page, re.IGNORECASE)
    assert re.search(r"Transcribe 1 0 0 0", part(page, "lanes"))
    client.post(f"{PAGE}/run", {"limit": 9, "reset_failed": "on"})
    assert fresh(failed).stage == "failed"
    assert client.post(f"/whisper/jobs/{failed.pk}/callback").status_code == 404


def test_it_asks_as_often_for_many_as_for_few(visit: Visit, stage: Stage, alice: User, charlie: User) -> None:
    client = visit(charlie)

    def crowd() -> int:
        now = timezone.now()
        failed, running = stage.submit(alice), stage.submit(alice)
        Job.objects.filter(pk=failed.pk).update(stage="failed", failure_code=f"code{failed.pk}", completed_at=now)
        row = outbox.add(failed, "https://example.com/x", None)
        Delivery.objects.filter(pk=row.pk).update(state="failed", last_attempt_at=now)
        process, silent = f"h:{running.pk}:1", now - timedelta(minutes=2)
        Step.objects.filter(job=running, kind="fetch").update(state="running", worker=process, heartbeat_at=silent)
        Worker.objects.create(name=f"{process}/fetch", lane="fetch", host="h", pid=1, born=1, seen_at=now)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(PAGE).status_code == 200
        return len(seen)

    assert crowd() == crowd() <= 24


def test_a_file_over_the_run_form_is_no_fault_of_the_server(visit: Visit, charlie: User) -> None:
    answer = visit(charlie).post(f"{PAGE}/run", {"limit": SimpleUploadedFile("x", b"1")})
    assert answer.status_code == 422
