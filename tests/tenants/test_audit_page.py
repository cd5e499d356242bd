"""The audit log on its page and as a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.corrections.test_follow import whole
from tests.tenants.test_audit import tampered
from whisper_jobs import audit, organisation, policy
from whisper_jobs.models import AuditEntry

Visit = Callable[[User | None], Client]
PAGE = "/whisper/organisation/audit"
FILE = f"{PAGE}.csv"


@pytest.fixture
def log(dora: User, erik: User, alice: User) -> None:
    policy.change(dora.tenant, {"monthly_minutes": 60}, actor=dora)
    audit.record("transcript.read", "job 17", actor=alice, tenant=dora.tenant, owner=dora.pk)
    audit.record("media.expired", "tenant 1", actor=None, tenant=dora.tenant, count=2, jobs=[3, 4])
    policy.change(erik.tenant, {"monthly_minutes": 7}, actor=erik)


def subjects(client: Client, asked: str = "") -> list[str]:
    return [row["entry"].action for row in client.get(f"{PAGE}?{asked}").context["rows"]]


def rows_of(client: Client, asked: str = "") -> list[dict[str, str]]:
    content = whole(client.get(f"{FILE}?{asked}")).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content)))


def test_the_entries_of_the_organisation_are_shown_in_words(visit: Visit, dora: User, log: None) -> None:
    client = visit(dora)
    assert subjects(client) == ["media.expired", "transcript.read", "policy.changed"]
    told = client.get(PAGE).text
    assert "monthly minutes: – → 60" in told
    assert "The server" in told
    assert "alice@example.test" in told
    assert "<bdi>dora@example.test</bdi></li>" in told, "whose transcript it was"
    assert "erik" not in told


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("action=policy.changed", ["policy.changed"]),
        ("person=ALICE", ["transcript.read"]),
        ("text=job+17", ["transcript.read"]),
        ("text=%00", ["media.expired", "transcript.read", "policy.changed"]),
        ("since=2999-01-01", []),
        ("action=nonsense&until=never", ["media.expired", "transcript.read", "policy.changed"]),
    ],
)
def test_the_log_is_narrowed(visit: Visit, dora: User, log: None, asked: str, found: list[str]) -> None:
    client = visit(dora)
    assert subjects(client, asked) == found
    assert [row["action"] for row in rows_of(client, asked)] == found


def test_pages_of_the_log_follow_each_other(
    visit: Visit, dora: User, log: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(organisation, "PAGE", 2)
    client = visit(dora)
    following = client.get(PAGE).context["next"]
    assert [row["entry"].action for row in client.get(following).context["rows"]] == ["policy.changed"]


def test_who_is_gone_is_a_number(visit: Visit, dora: User, alice: User, log: None) -> None:
    number = alice.pk
    alice.delete()
    assert f"a user who is gone ({number})" in visit(dora).get(PAGE).text


def test_a_whole_log_is_said_to_be_whole(visit: Visit, dora: User, log: None) -> None:
    told = visit(dora).post(f"{PAGE}/verify", follow=True).text
    assert "All 4 entries of the log are whole." in told
    assert visit(dora).get(f"{PAGE}/verify").status_code == 405


def test_a_change_behind_its_back_is_told(visit: Visit, dora: User, log: None) -> None:
    entry = AuditEntry.objects.order_by("id")[1]
    tampered(f"UPDATE whisper_auditentry SET actor_id = {dora.pk} WHERE id = {entry.pk}")
    told = visit(dora).post(f"{PAGE}/verify", follow=True).text
    assert "1 entry was changed" in told
    assert f": {entry.pk}. Tell the operator" in told


def test_the_file_has_every_entry_with_its_digest(
    visit: Visit, dora: User, log: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(organisation, "BATCH", 2)
    rows = rows_of(visit(dora))
    assert [row["action"] for row in rows] == ["media.expired", "transcript.read", "policy.changed"]
    assert json.loads(rows[0]["detail"]) == {"count": 2, "jobs": [3, 4]}
    assert (rows[0]["actor"], rows[1]["actor"]) == ("", "alice@example.test")
    assert rows[0]["previous"] == rows[1]["digest"]


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2", "@SUM(A1)", "\u200b=1", "＝1"])
def test_no_cell_is_a_formula(visit: Visit, dora: User, text: str) -> None:
    audit.record(text, text, actor=None, tenant=dora.tenant)
    [row] = rows_of(visit(dora))
    assert row["subject"].startswith("'")
    assert row["action"].startswith("'")


def test_a_longer_log_asks_the_database_no_more(visit: Visit, dora: User, alice: User, bob: User, log: None) -> None:
    client = visit(dora)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    for actor in (alice, bob, dora) * 5:
        audit.record("transcript.read", "job 1", actor=actor, tenant=dora.tenant)
    with CaptureQueriesContext(connection) as many:
        client.get(PAGE)
    assert len(many) == len(few)
