"""All recordings of an organisation, and reading one's transcript, which is written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.core.play import Stage
from whisper_jobs import organisation, trash
from whisper_jobs.models import AuditEntry, Job

Visit = Callable[[User | None], Client]
PAGE = "/whisper/organisation/recordings"


def titles(client: Client, asked: str = "") -> list[str]:
    return [row["job"].title for row in client.get(f"{PAGE}?{asked}").context["rows"]]


@pytest.fixture
def jobs(stage: Stage, alice: User, bob: User, dora: User, erik: User) -> dict[str, Job]:
    made = {
        "done": stage.completed(alice, source_label="Done"),
        "own": stage.completed(dora, source_label="Own"),
        "theirs": stage.completed(erik, source_label="Theirs"),
        "thrown": stage.completed(bob, source_label="Thrown away"),
        "waiting": stage.submit(bob, source_label="Waiting"),
    }
    trash.discard(made["thrown"].pk)
    return made


def test_everybodys_recordings_are_listed_those_in_the_trash_too(
    visit: Visit, dora: User, jobs: dict[str, Job]
) -> None:
    client = visit(dora)
    assert titles(client) == ["Waiting", "Thrown away", "Own", "Done"]
    assert "In the trash" in client.get(PAGE).text


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("text=wAIT", ["Waiting"]),
        ("person=alice", ["Done"]),
        ("person=%00alice", ["Done"]),
        ("status=active", ["Waiting"]),
        ("status=failed", []),
        ("backend=A", ["Thrown away", "Own", "Done"]),
        ("backend=B", []),
        ("language=en&person=bob", ["Thrown away"]),
        ("since=2999-01-01", []),
        ("until=2000-01-01", []),
        ("since=1999-01-01&until=2998-12-31", ["Waiting", "Thrown away", "Own", "Done"]),
        ("status=nonsense&since=yesterday&before=x&backend=%00", ["Waiting", "Thrown away", "Own", "Done"]),
        ("text=window", []),  # said in them, and not for this list to tell
    ],
)
def test_the_list_is_narrowed(visit: Visit, dora: User, jobs: dict[str, Job], asked: str, found: list[str]) -> None:
    assert titles(visit(dora), asked) == found


def test_pages_follow_each_other_and_keep_the_filter(
    visit: Visit, dora: User, jobs: dict[str, Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(organisation, "PAGE", 2)
    client = visit(dora)
    first = client.get(f"{PAGE}?until=2998-12-31")
    assert "until=2998-12-31" in first.context["next"]
    second = client.get(first.context["next"])
    assert [row["job"].title for row in second.context["rows"]] == ["Own", "Done"]
    assert second.context["next"] == ""


def test_reading_somebody_elses_transcript_is_written_down(visit: Visit, dora: User, jobs: dict[str, Job]) -> None:
    page = visit(dora).get(f"{PAGE}/{jobs['done'].pk}")
    assert "window0" in page.text
    assert "in the audit log" in page.text
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id, entry.subject) == ("transcript.read", dora.pk, f"job {jobs['done'].pk}")
    assert entry.detail == {"owner": jobs["done"].owner_id}, "a title would stay for good"


def test_nothing_of_it_can_be_changed(visit: Visit, dora: User, jobs: dict[str, Job]) -> None:
    client, page = visit(dora), f"{PAGE}/{jobs['done'].pk}"
    assert "<textarea" not in client.get(page).text
    assert client.post(page).status_code == 405
    assert client.get(f"/whisper/jobs/{jobs['done'].pk}").status_code == 404


def test_reading_ones_own_is_nobodys_business(visit: Visit, dora: User, jobs: dict[str, Job]) -> None:
    assert visit(dora).get(f"{PAGE}/{jobs['own'].pk}").status_code == 200
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("which", ["theirs", "waiting"])
def test_what_is_not_there_to_be_read_is_not_found(visit: Visit, dora: User, jobs: dict[str, Job], which: str) -> None:
    assert visit(dora).get(f"{PAGE}/{jobs[which].pk}").status_code == 404
    assert not AuditEntry.objects.exists()


def test_a_superuser_reads_in_the_organisation_that_was_chosen(
    visit: Visit, admin: User, erik: User, jobs: dict[str, Job]
) -> None:
    client, theirs = visit(admin), f"tenant={erik.tenant_id}"
    assert titles(client, theirs) == ["Theirs"]
    href = client.get(f"{PAGE}?{theirs}").context["rows"][0]["href"]
    assert client.get(href).status_code == 200
    assert AuditEntry.objects.get().tenant_id == erik.tenant_id


def test_titles_are_shown_as_they_are(visit: Visit, stage: Stage, dora: User, alice: User) -> None:
    job = stage.completed(alice, source_label="<img src=x onerror=alert(1)> ‮מסמך 🎧")
    for path in (PAGE, f"{PAGE}/{job.pk}"):
        told = visit(dora).get(path).text
        assert "<img src=x" not in told
        assert "&lt;img src=x" in told


def test_a_longer_list_asks_the_database_no_more(
    visit: Visit, stage: Stage, dora: User, alice: User, bob: User
) -> None:
    client = visit(dora)
    stage.submit(alice)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    for owner in (alice, bob, dora) * 5:
        stage.submit(owner)
    with CaptureQueriesContext(connection) as many:
        client.get(PAGE)
    assert len(many) == len(few)


def test_an_empty_organisation_is_told_so(visit: Visit, erik: User) -> None:
    assert "There is no recording yet." in visit(erik).get(PAGE).text
    told: Any = visit(erik).get(f"{PAGE}?text=x").text
    assert "No recording matches." in told
