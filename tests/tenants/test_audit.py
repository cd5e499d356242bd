"""The audit log: entries follow each other, none is changed, and what was changed shows."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from whisper_jobs import audit
from whisper_jobs.models import AuditEntry

KEPT = import_module("whisper_jobs.migrations.0006_audit_is_kept")


def tampered(sql: str) -> None:
    """As by somebody who has the database itself, and so can do without its triggers."""
    with connection.cursor() as cursor:
        for statement in KEPT.UNMAKE[connection.vendor]:
            cursor.execute(statement)
        cursor.execute(sql)
        for statement in KEPT.MAKE[connection.vendor]:
            cursor.execute(statement)


def three(actor: User | None = None) -> list[AuditEntry]:
    return [audit.record("speaker.erased", f"speaker {n}", actor=actor, tenant=7, count=n) for n in range(3)]


def test_each_entry_has_the_digest_of_the_one_before(alice: User) -> None:
    first, second, third = three(alice)
    assert (first.previous, second.previous, third.previous) == ("", first.digest, second.digest)
    assert (first.actor_id, first.tenant_id, first.detail) == (alice.pk, 7, {"count": 0})
    assert audit.examine() == audit.Verdict(3, third.digest, [])


def test_nothing_is_whole_as_well(db: None) -> None:
    assert audit.examine() == audit.Verdict(0, "", [])


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_the_database_refuses_to_change_an_entry(db: None, verb: str) -> None:
    entry = three()[1]
    rows = AuditEntry.objects.filter(pk=entry.pk)
    with pytest.raises(DatabaseError, match="never changed or removed"), transaction.atomic():
        rows.update(subject="nobody") if verb == "update" else rows.delete()
    assert audit.verify() == []


def test_sqlite_refuses_to_put_another_in_the_place_of_an_entry(db: None) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("INSERT OR REPLACE is SQLite's own")
    entry = three()[1]
    columns = "at, action, subject, detail, previous"
    for place in (f"id, digest) SELECT {columns}, id, 'x'", f"id, digest) SELECT {columns}, 99, digest"):
        replacing = f"INSERT OR REPLACE INTO whisper_auditentry ({columns}, {place} FROM whisper_auditentry WHERE id = {entry.pk}"
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(replacing)
    assert audit.verify() == []


@pytest.mark.parametrize(
    "change", ["subject = 'somebody else'", "actor_id = 99", "tenant_id = NULL", "at = '2020-01-01 00:00:00'"]
)
def test_an_entry_that_was_changed_all_the_same_is_found(alice: User, change: str) -> None:
    second = three(alice)[1]
    tampered(f"UPDATE whisper_auditentry SET {change} WHERE id = {second.pk}")
    assert audit.verify() == [second.pk]


def test_where_one_was_removed_the_next_is_named(db: None) -> None:
    _first, second, third = three()
    tampered(f"DELETE FROM whisper_auditentry WHERE id = {second.pk}")
    assert audit.verify() == [third.pk]


def test_whatever_is_told_comes_back_the_same(db: None) -> None:
    told: dict[str, Any] = {
        "text": "a\0b \ud800 ‮Ünï👩‍👩‍👧 'quotes\"",
        "numbers": [1, 1.0, 1e22, 0.1, -0.0, 2**53 + 1],
        "nested": {"key\0": None, "yes": True},
        "moment": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        "uuid": UUID(int=5),
    }
    entry = audit.record("policy.changed", "x" * 500 + "\0", actor=None, tenant=None, **told)
    stored = AuditEntry.objects.get(pk=entry.pk)
    assert stored.detail == entry.detail
    assert stored.detail["text"].startswith("ab ")
    assert stored.detail["numbers"][:2] == [1, "1.0"]
    assert len(stored.subject) == 120
    assert audit.verify() == []


def test_an_entry_goes_with_the_transaction_that_fails(db: None) -> None:
    try:
        with transaction.atomic():
            three()
            raise RuntimeError
    except RuntimeError:
        pass
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_who_add_at_once_make_one_chain() -> None:
    def add(number: int) -> None:
        try:
            for place in range(5):
                audit.record("transcript.read", f"job {number}.{place}", actor=None, tenant=number)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(add, range(6)))
    assert audit.examine().entries == 30
    assert audit.verify() == []


def test_the_log_is_read_by_parts(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "BATCH", 2)
    entries = [*three(), *three()]
    assert audit.examine().entries == 6
    tampered(f"UPDATE whisper_auditentry SET action = 'x' WHERE id = {entries[4].pk}")
    assert audit.verify() == [entries[4].pk]


def test_the_command_tells_the_last_digest_and_knows_it_again(db: None) -> None:
    head = three()[-1].digest
    told = io.StringIO()
    call_command("verify_audit", since=head, stdout=told)
    assert f"3 entries, all whole. The last digest: {head}" in told.getvalue()


def test_the_command_fails_for_an_end_that_was_cut_off(db: None) -> None:
    last = three()[-1]
    tampered(f"DELETE FROM whisper_auditentry WHERE id = {last.pk}")
    call_command("verify_audit", stdout=io.StringIO())
    told = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", since=last.digest, stderr=told)
    assert ended.value.code == 1
    assert "cut off" in told.getvalue()


def test_the_command_fails_for_a_change(db: None) -> None:
    first = three()[0]
    tampered(f"UPDATE whisper_auditentry SET action = 'x' WHERE id = {first.pk}")
    told = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("verify_audit", stderr=told)
    assert f"Entry {first.pk} was changed" in told.getvalue()
