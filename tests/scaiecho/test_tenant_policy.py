"""GET and PATCH /tenant-policy: what the caller's own tenant may use, and who changed it."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Tenant, User
from tests.conftest import person
from tests.scaiecho.conftest import POLICY, refusal
from whisper_jobs.models import AuditEntry, TenantPolicy

KEYS = {
    *("tenant_id", "allowed_backends", "default_backend", "tier"),
    *("monthly_minutes", "retention_days", "updated_at"),
}


def change(client: Any, **fields: Any) -> Any:
    return client.patch(POLICY, fields, format="json")


def test_the_policy_is_made_of_the_tier_when_it_is_first_read(jwt: Any, grace: User) -> None:
    assert not TenantPolicy.objects.exists()
    answer = jwt(grace).get(POLICY)
    told = answer.json()["data"]
    assert answer.status_code == 200
    assert set(told) == KEYS
    assert (told["tenant_id"], told["tier"], told["allowed_backends"], told["default_backend"]) == (
        str(grace.tenant_id),
        "standard",
        "AB",
        "A",
    )
    assert TenantPolicy.objects.count() == 1


@pytest.mark.parametrize("allowed", ["A", "B", "AB", "BA"])
def test_the_backends_are_set(jwt: Any, grace: User, allowed: str) -> None:
    answer = change(jwt(grace), allowed_backends=allowed, default_backend=allowed[-1])
    assert answer.status_code == 200
    told = answer.json()["data"]
    assert (told["allowed_backends"], told["default_backend"]) == (allowed, allowed[-1])
    assert jwt(grace).get(POLICY).json()["data"] == told


def test_one_field_alone_leaves_the_others(jwt: Any, grace: User) -> None:
    client = jwt(grace)
    change(client, monthly_minutes=90, retention_days=14)
    told = change(client, default_backend="B").json()["data"]
    assert (told["allowed_backends"], told["monthly_minutes"], told["retention_days"]) == ("AB", 90, 14)


def test_a_change_is_audited_with_who_made_it(jwt: Any, grace: User) -> None:
    change(jwt(grace), allowed_backends="A")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id, entry.tenant_id) == ("policy.changed", grace.pk, grace.tenant_id)
    assert entry.detail["changes"] == {"allowed_backends": {"from": "AB", "to": "A"}}


@pytest.mark.parametrize(
    "fields",
    [
        {"allowed_backends": "A", "default_backend": "B"},
        {"allowed_backends": "B"},
        {"allowed_backends": "C"},
        {"allowed_backends": "A\n"},
        {"allowed_backends": ""},
        {"allowed_backends": None},
        {"allowed_backends": ["A"]},
        {"default_backend": "AB"},
        {"monthly_minutes": 0},
        {"monthly_minutes": "9" * 30},
        {"retention_days": True},
        {"tier": "regulated"},
        {"tenant_id": "1"},
        {"\x00": 1},
    ],
)
def test_what_can_be_no_policy_is_refused_and_changes_nothing(jwt: Any, grace: User, fields: dict[str, Any]) -> None:
    client = jwt(grace)
    before = client.get(POLICY).json()
    assert refusal(change(client, **fields)) == (400, "SCAIECHO_TENANT_POLICY_INVALID")
    assert client.get(POLICY).json() == before
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("body", ["[]", "7", '"A"', "null"])
def test_a_body_that_is_no_object_is_refused(jwt: Any, grace: User, body: str) -> None:
    answer = jwt(grace).generic("PATCH", POLICY, body, content_type="application/json")
    assert refusal(answer) == (400, "SCAIECHO_TENANT_POLICY_INVALID")


def test_a_policy_is_the_callers_own_tenants(jwt: Any, grace: User) -> None:
    other = person("heidi", "scaiecho:admin")
    other.tenant = Tenant.objects.create(name="Elsewhere")
    other.save()
    change(jwt(grace), allowed_backends="A")
    told = jwt(other).get(POLICY).json()["data"]
    assert (told["tenant_id"], told["allowed_backends"]) == (str(other.tenant_id), "AB")


def test_it_is_for_those_who_administer(jwt: Any, erin: User, admin: User) -> None:
    assert refusal(jwt(erin).get(POLICY)) == (403, "SCAIECHO_FORBIDDEN")
    assert refusal(change(jwt(erin), allowed_backends="A")) == (403, "SCAIECHO_FORBIDDEN")
    assert jwt(admin).get(POLICY).status_code == 200


def test_a_field_named_by_half_a_character_is_refused_by_that_name(jwt: Any, grace: User) -> None:
    answer = jwt(grace).patch(POLICY, r'{"\ud800": 1}', content_type="application/json")
    assert refusal(answer) == (400, "SCAIECHO_TENANT_POLICY_INVALID")
    assert answer.json()["error"]["field"] == "\ud800"
