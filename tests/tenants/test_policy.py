"""What a tenant may use: made from its tier, narrowed by the operator, changed with an entry in the log."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from accounts.models import Tenant, User
from tests.conftest import Tools
from tests.core.play import Stage, fresh
from whisper_jobs import policy
from whisper_jobs.errors import JobError
from whisper_jobs.models import AuditEntry, TenantPolicy
from whisper_jobs.pipeline import backends
from whisper_jobs.speech.backends import Policy


def test_the_first_who_asks_gets_what_the_tier_gives(alice: User, tools: Tools) -> None:
    tools(tenant_tier="trial")
    row = policy.of(alice.tenant)
    told = (row.tier, row.allowed_backends, row.default_backend, row.monthly_minutes, row.retention_days)
    assert told == ("trial", "A", "A", 300, 30)
    tools(tenant_tier="standard")
    assert policy.of(alice.tenant_id).tier == "trial", "what was made once stays"


def test_who_only_looks_writes_nothing(alice: User, tools: Tools) -> None:
    tools(tenant_tier="trial")
    assert policy.seen(alice.tenant).monthly_minutes == 300
    assert not TenantPolicy.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_who_ask_first_at_once_get_one_row(other: Tenant) -> None:
    together = Barrier(8)

    def ask(_number: int) -> int:
        together.wait()
        try:
            return int(policy.of(other.pk).pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {other.pk}
    assert TenantPolicy.objects.filter(pk=other.pk).count() == 1


@pytest.mark.parametrize(
    ("operator", "allowed", "default", "usable"),
    [
        ("A", "AB", "B", Policy(("A",), "A")),
        ("AB", "AB", "A", Policy(("A", "B"), "A")),
        ("AB", "BA", "B", Policy(("A", "B"), "B")),
        ("AB", "A", "A", Policy(("A",), "A")),
        ("AB", "B", "B", Policy(("B",), "B")),
        ("B", "AB", "A", Policy(("B",), "B")),
    ],
)
def test_what_is_allowed_is_what_both_allow(
    alice: User, tools: Tools, operator: str, allowed: str, default: str, usable: Policy
) -> None:
    tools(backends=operator)
    TenantPolicy.objects.create(tenant=alice.tenant, allowed_backends=allowed, default_backend=default)
    assert policy.allowed_for(alice) == usable


def test_where_nothing_is_left_a_job_fails_with_a_sentence(alice: User, tools: Tools) -> None:
    tools(backends="A")
    TenantPolicy.objects.create(tenant=alice.tenant, allowed_backends="B", default_backend="B")
    with pytest.raises(policy.NoUsableBackend) as refused:
        policy.allowed_for(alice)
    assert isinstance(refused.value, JobError)
    assert refused.value.code == "backend_unavailable"
    assert "administrator" in refused.value.message


def test_who_is_not_known_yet_gets_what_the_operator_offers(db: None, tools: Tools) -> None:
    tools(backends="AB")
    assert policy.allowed_for(None) == Policy(("A", "B"), "A")


def test_a_backend_that_is_forbidden_meanwhile_hears_no_more(stage: Stage, alice: User, dora: User) -> None:
    job = stage.decoded(alice)
    backends.demand_still_allowed(fresh(job))
    policy.change(alice.tenant, {"allowed_backends": "B", "default_backend": "B"}, actor=dora)
    with pytest.raises(JobError, match="backend_unavailable: Your organisation has forbidden"):
        backends.demand_still_allowed(fresh(job))


@pytest.mark.parametrize(("wire", "meant"), [("any", "any"), ("prefer_self_hosted", "A"), ("prefer_relay", "B")])
def test_what_programs_prefer(wire: str, meant: str) -> None:
    assert policy.preference(wire) == meant


@pytest.mark.parametrize("wire", ["", "A", "prefer_nothing", "ANY"])
def test_what_is_not_published_is_no_preference(wire: str) -> None:
    with pytest.raises(ValueError, match=f"^{wire}$"):
        policy.preference(wire)


def test_a_change_is_written_down_with_what_was_before(dora: User) -> None:
    policy.change(dora.tenant, {"allowed_backends": "A", "retention_days": 7}, actor=dora)
    row = policy.of(dora.tenant)
    assert (row.allowed_backends, row.retention_days) == ("A", 7)
    [entry] = AuditEntry.objects.all()
    assert (entry.action, entry.actor_id, entry.tenant_id) == ("policy.changed", dora.pk, dora.tenant_id)
    assert entry.detail["changes"] == {
        "allowed_backends": {"from": "AB", "to": "A"},
        "retention_days": {"from": None, "to": 7},
    }


def test_what_stays_as_it_was_is_not_written_down(dora: User) -> None:
    policy.change(dora.tenant, {"allowed_backends": "AB", "monthly_minutes": None}, actor=dora)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"allowed_backends": "C"}, "allowed_backends"),
        ({"allowed_backends": ["A"]}, "allowed_backends"),
        ({"allowed_backends": None}, "allowed_backends"),
        ({"allowed_backends": "B"}, "default_backend"),
        ({"default_backend": "AB"}, "default_backend"),
        ({"default_backend": {}}, "default_backend"),
        ({"monthly_minutes": 0}, "monthly_minutes"),
        ({"monthly_minutes": True}, "monthly_minutes"),
        ({"monthly_minutes": 1.5}, "monthly_minutes"),
        ({"monthly_minutes": 2**31}, "monthly_minutes"),
        ({"retention_days": -1}, "retention_days"),
        ({"retention_days": 10**9}, "retention_days"),
        ({"tier": "trial"}, "tier"),
        ({"tenant_id": 9}, "tenant_id"),
    ],
)
def test_what_can_not_be_changes_nothing(dora: User, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(policy.Invalid) as refused:
        policy.change(dora.tenant, {"retention_days": 5, **changes}, actor=dora)
    assert refused.value.field == field
    assert policy.of(dora.tenant).retention_days is None
    assert not AuditEntry.objects.exists()


def test_a_superuser_sets_the_tier_which_brings_its_own_values(admin: User) -> None:
    row = policy.change(admin.tenant, {"tier": "regulated", "retention_days": 90}, actor=admin)
    assert (row.tier, row.allowed_backends, row.retention_days) == ("regulated", "A", 90)
    with pytest.raises(policy.Invalid):
        policy.change(admin.tenant, {"tier": "golden"}, actor=admin)
