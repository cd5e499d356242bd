"""Approvals on the pages, without scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.core.play import Stage, fresh
from whisper_jobs import review
from whisper_jobs.models import Job, Review

Make = Callable[..., Job]
SCRIPT = "<script>alert(1)</script>"


def _post(client: Any, job: Job, **told: object) -> Any:
    return client.post(f"/whisper/jobs/{job.pk}/review", told, follow=True)


def test_the_job_page_goes_the_whole_way(visit: Any, waiting: Make, alice: User, charlie: User) -> None:
    job = waiting(alice)
    owner, editor = visit(alice), visit(charlie)
    assert "Nobody edits this yet." in owner.get(f"/whisper/jobs/{job.pk}").content.decode()
    assert "You are editing this." in _post(editor, job, act="take").content.decode()
    assert "charlie@example.test edits this." in owner.get(f"/whisper/jobs/{job.pk}").content.decode()
    _post(editor, job, act="submit", note=SCRIPT)
    shown = owner.get(f"/whisper/jobs/{job.pk}").content.decode()
    assert "&lt;script&gt;alert(1)" in shown
    assert SCRIPT not in shown
    _post(owner, job, act="return", note="More.")
    assert "This was sent back to you." in editor.get(f"/whisper/jobs/{job.pk}").content.decode()
    _post(owner, job, act="assign", assignee=alice.pk)
    assert Review.objects.get(job=job).assignee == alice
    assert "alice@example.test approved this." in _post(owner, job, act="approve", version="0").content.decode()
    assert fresh(job).stage == "completed"


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"act": "burn"},
        {"act": "assign", "assignee": "x"},
        {"act": "assign", "assignee": "9" * 30},
        {"act": "return", "note": ""},
        {"act": "approve", "version": "5"},
    ],
)
def test_what_makes_no_sense_is_told_and_changes_nothing(
    visit: Any, waiting: Make, alice: User, told: dict[str, str]
) -> None:
    job = waiting(alice)
    assert 'class="message bad"' in _post(visit(alice), job, **told).content.decode()
    assert Review.objects.get(job=job).state == "waiting"


def test_a_job_without_approval_says_nothing_of_it(visit: Any, stage: Stage, alice: User) -> None:
    job = stage.completed(alice)
    assert "Nobody edits this yet." not in visit(alice).get(f"/whisper/jobs/{job.pk}").content.decode()


def test_others_find_no_part_and_can_do_nothing(visit: Any, waiting: Make, alice: User, bob: User) -> None:
    job = waiting(alice)
    assert visit(bob).get(f"/whisper/jobs/{job.pk}/review").status_code == 404
    assert visit(bob).post(f"/whisper/jobs/{job.pk}/review", {"act": "approve"}).status_code == 404
    assert visit(bob).get("/whisper/review").context["rows"] == []


def test_the_list_says_what_waits_for_whom(visit: Any, waiting: Make, alice: User, charlie: User) -> None:
    jobs = [waiting(alice, source_label=f"Talk {place}") for place in range(4)]
    review.take(jobs[1].pk, by=charlie)
    for job in jobs[2:]:
        review.take(job.pk, by=charlie)
        review.submit(job.pk, by=charlie)
    review.send_back(jobs[3].pk, by=alice, note="Once more.")
    client = visit(charlie)

    def listed(view: str) -> list[str]:
        return [row["title"] for row in client.get(f"/whisper/review?view={view}").context["rows"]]

    assert listed("mine") == ["Talk 1", "Talk 3"]
    assert listed("waiting") == ["Talk 0"]
    assert listed("submitted") == ["Talk 2"]
    assert listed("returned") == ["Talk 3"]
    assert listed("all") == listed("nonsense") == ["Talk 0", "Talk 1", "Talk 2", "Talk 3"]
    assert [tab["count"] for tab in client.get("/whisper/review").context["tabs"]] == [2, 1, 1, 1, 4]


def test_what_is_approved_or_cancelled_leaves_the_list(visit: Any, waiting: Make, alice: User) -> None:
    job = waiting(alice)
    review.approve(job.pk, by=alice)
    told = visit(alice).get("/whisper/review")
    assert told.context["rows"] == []
    assert "Nothing waits for an approval" in told.content.decode()


def test_taking_from_the_list_comes_back_to_it(visit: Any, waiting: Make, alice: User) -> None:
    job = waiting(alice)
    answer = visit(alice).post(f"/whisper/jobs/{job.pk}/review", {"act": "take", "back": "list"})
    assert answer["Location"] == "/whisper/review"
    assert Review.objects.get(job=job).assignee == alice


def test_the_menu_counts_what_waits(visit: Any, waiting: Make, alice: User) -> None:
    waiting(alice)
    assert '<span class="pill number">1</span>' in visit(alice).get("/whisper").content.decode()


def test_more_jobs_are_no_more_queries_and_come_in_pages(
    visit: Any, waiting: Make, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = visit(alice)
    for _ in range(2):
        waiting(alice)
    with CaptureQueriesContext(connection) as few:
        client.get("/whisper/review")
    for _ in range(4):
        waiting(alice)
    with CaptureQueriesContext(connection) as many:
        client.get("/whisper/review")
    assert len(few) == len(many)
    monkeypatch.setattr("whisper_jobs.web.review_page.PAGE_OF_JOBS", 4)
    first = client.get("/whisper/review?view=all")
    rest = client.get(first.context["next_href"])
    assert (len(first.context["rows"]), len(rest.context["rows"])) == (4, 2)
    assert not rest.context["next_href"]


def test_the_form_hands_in_for_approval(visit: Any, alice: User) -> None:
    visit(alice).post("/whisper", {"source_url": "https://example.com/a.mp3", "human_review": "on"})
    visit(alice).post("/whisper", {"source_url": "https://example.com/b.mp3"})
    assert list(Job.objects.order_by("id").values_list("needs_approval", flat=True)) == [True, False]
