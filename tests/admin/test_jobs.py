"""Jobs, callbacks, shares and templates in the admin: whatever changes goes through the same verbs as everywhere."""

from __future__ import annotations

import pytest
from django.contrib import admin as django_admin
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import administration
from accounts.models import User
from sharing.models import Share
from tests.admin.conftest import Act
from tests.core.play import Stage, fresh
from whisper_jobs import lifecycle, outbox
from whisper_jobs.models import Delivery, Job, PromptTemplate, Tally

JOBS = "/admin/whisper/job/"


def test_jobs_are_cancelled_and_restarted_and_refusals_are_told(act: Act, stage: Stage, alice: User) -> None:
    waiting, done = stage.submit(alice, source_label="Waiting"), None
    stage.worker = "w"
    told = act("whisper_job", "cancel_chosen", waiting).text
    assert "Done with 1." in told
    assert fresh(waiting).failure_code == "cancelled"
    done = stage.completed(alice, source_label="All done")
    told = act("whisper_job", "restart_chosen", waiting, done).text
    assert "Done with 1." in told
    assert "All done: Only a failed or queued job can be restarted." in told
    assert (fresh(waiting).stage, fresh(done).stage) == ("queued", "completed")


def test_deleting_asks_first_and_leaves_alone_what_is_being_processed(act: Act, stage: Stage, alice: User) -> None:
    done = stage.completed(alice, source_label="Done")
    running = stage.decoded(alice, source_label="Running")
    asked = act("whisper_job", "delete_selected", done, running)
    assert "Are you sure" in asked.text
    assert Job.objects.count() == 2
    told = act("whisper_job", "delete_selected", done, running, post="yes").text
    assert "Done with 1." in told
    assert "Running: This job is being processed." in told
    assert list(Job.objects.all()) == [running]
    assert sum(Tally.objects.values_list("jobs", flat=True)) == 1


def test_no_field_of_a_job_can_be_changed(desk: Client, stage: Stage, alice: User) -> None:
    job = stage.submit(alice)
    page = reverse("admin:whisper_job_change", args=[job.pk])
    assert 'name="stage"' not in desk.get(page).text
    assert desk.post(page, {"stage": "completed"}).status_code == 403
    assert desk.post(reverse("admin:whisper_job_delete", args=[job.pk]), {"post": "yes"}).status_code == 403
    assert fresh(job).stage == "queued"


def test_a_callback_is_sent_again(act: Act, stage: Stage, alice: User) -> None:
    job, waiting = stage.submit(alice), stage.submit(alice, source_label="Waiting")
    rows = [outbox.add(one, "https://example.com/hook", None) for one in (job, waiting)]
    lifecycle.request_cancel(job.pk)
    Delivery.objects.filter(pk=rows[0].pk).update(state="failed", due_at=None)
    told = act("whisper_delivery", "replay_chosen", *rows).text
    assert "Done with 1." in told
    assert "Waiting: The callback is sent when the job has ended." in told
    rows[0].refresh_from_db()
    assert rows[0].state == "due"


def test_links_are_revoked(act: Act, stage: Stage, alice: User) -> None:
    share = Share.objects.create(job=stage.completed(alice))
    assert "1 link was revoked." in act("sharing_share", "revoke_chosen", share).text
    share.refresh_from_db()
    assert share.revoked_at is not None


def test_templates_are_changed_and_deleted(desk: Client, alice: User) -> None:
    row = PromptTemplate.objects.create(owner=alice, name="Short", instruction="Be short.")
    page = reverse("admin:whisper_prompttemplate_change", args=[row.pk])
    desk.post(page, {"owner": alice.pk, "name": "Short", "instruction": "Be shorter."})
    row.refresh_from_db()
    assert row.instruction == "Be shorter."
    desk.post(reverse("admin:whisper_prompttemplate_delete", args=[row.pk]), {"post": "yes"})
    assert not PromptTemplate.objects.exists()


@pytest.mark.parametrize("asked", ["", "?q=alice", "?q=12", "?stage__exact=queued", "?tenant__id__exact=1", "?p=2"])
def test_the_list_of_jobs_reads_a_page_by_an_index_and_counts_no_further_than_it_leads(
    desk: Client, stage: Stage, alice: User, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(administration.SteadyAdmin, "list_per_page", 3)
    monkeypatch.setattr(administration, "MOST_COUNTED", 7)
    for _ in range(9):
        stage.submit(alice)
    with CaptureQueriesContext(connection) as seen:
        assert desk.get(JOBS + asked).status_code == 200
    statements = [query["sql"] for query in seen if "whisper_job" in query["sql"]]
    assert len(statements) <= 2, statements
    for statement in statements:
        # One row by its number needs none.
        assert "LIMIT" in statement or asked == "?q=12", statement
    assert len(seen) <= 8
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
                plan = [row[3] for row in cursor.fetchall()]
                assert not any("TEMP B-TREE" in line for line in plan), (statement, plan)


def test_a_search_finds_by_number_and_by_owner(desk: Client, stage: Stage, alice: User, bob: User) -> None:
    job, other = stage.submit(alice), stage.submit(bob)
    page = django_admin.site._registry[Job]
    for text, found in (
        (str(job.pk), {job}),
        ("ALICE@", {job}),
        ("bob", {other}),
        ("nobody", set()),
        ("z\0", set()),
        ("9" * 40, set()),
    ):
        rows, _distinct = page.get_search_results(RequestFactory().get("/"), Job.objects.all(), text)
        assert set(rows) == found, text


def test_an_action_on_too_many_is_refused_whole(
    act: Act, stage: Stage, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(administration, "MOST_CHANGED", 1)
    jobs = [stage.submit(alice) for _ in range(2)]
    assert "Choose at most 1 at a time." in act("whisper_job", "cancel_chosen", *jobs).text
    assert {fresh(job).stage for job in jobs} == {"queued"}
