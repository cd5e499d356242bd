"""The policy of an organisation and what it used, on its page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Tenant, User
from tests.conftest import Tools, person
from tests.core.play import Stage
from whisper_jobs import limits, policy
from whisper_jobs.models import AuditEntry, Job, TenantPolicy

Visit = Callable[[User | None], Client]
PAGE = "/whisper/organisation"
#: As the form sends it when nothing was changed.
ASKED = {"allowed_backends": "AB", "default_backend": "A", "monthly_minutes": "", "retention_days": ""}
PATHS = (PAGE, f"{PAGE}/recordings", f"{PAGE}/audit", f"{PAGE}/audit.csv")


@pytest.mark.parametrize("path", PATHS)
def test_only_administrators_of_the_organisation_come_in(visit: Visit, alice: User, charlie: User, path: str) -> None:
    assert visit(None).get(path).status_code == 302
    assert visit(alice).get(path).status_code == 403
    assert visit(charlie).get(path).status_code == 403, "to manage the queue is another thing"
    assert visit(person("fay", "scaiecho:admin")).get(path).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_administrators_see_their_own_organisation_alone(
    visit: Visit, dora: User, erik: User, admin: User, path: str
) -> None:
    theirs = f"{path}?tenant={erik.tenant_id}"
    assert visit(dora).get(theirs).status_code == 404
    assert visit(dora).get(f"{path}?tenant={dora.tenant_id}").status_code == 200
    assert visit(admin).get(theirs).status_code == 200
    for nonsense in ("999999", "x", "٣", "1" * 30, "%00", "-1"):
        assert visit(admin).get(f"{path}?tenant={nonsense}").status_code == 404


def test_nobody_changes_the_policy_of_others(visit: Visit, dora: User, erik: User) -> None:
    answer = visit(dora).post(PAGE, {**ASKED, "monthly_minutes": "1", "tenant": erik.tenant_id})
    assert answer.status_code == 404
    assert policy.seen(erik.tenant).monthly_minutes is None
    assert visit(None).post(PAGE, ASKED).status_code == 302


def test_the_page_is_offered_to_administrators(visit: Visit, dora: User, alice: User) -> None:
    assert f'href="{PAGE}"' in visit(dora).get("/whisper").text
    assert f'href="{PAGE}"' not in visit(alice).get("/whisper").text


def test_what_is_saved_is_shown_and_written_down(visit: Visit, dora: User) -> None:
    client = visit(dora)
    answer = client.post(PAGE, {**ASKED, "allowed_backends": "A", "monthly_minutes": "600"}, follow=True)
    assert "The policy is saved." in answer.text
    row = policy.of(dora.tenant)
    assert (row.allowed_backends, row.monthly_minutes, row.retention_days) == ("A", 600, None)
    changes = AuditEntry.objects.get().detail["changes"]
    assert set(changes) == {"allowed_backends", "monthly_minutes"}
    assert 'value="600"' in client.get(PAGE).text


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"allowed_backends": "B"}, "must be one of those that are allowed"),
        ({"allowed_backends": "Z"}, "Select a valid choice"),
        ({"monthly_minutes": "0"}, "greater than or equal to 1"),
        ({"retention_days": "40000"}, "less than or equal to 36500"),
        ({"retention_days": "soon"}, "Enter a whole number"),
        ({"monthly_minutes": "9" * 40}, "less than or equal to"),
    ],
)
def test_what_can_not_be_is_told_beside_its_field(
    visit: Visit, dora: User, wrong: dict[str, str], sentence: str
) -> None:
    answer = visit(dora).post(PAGE, {**ASKED, **wrong})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert not AuditEntry.objects.exists()


def test_of_two_who_save_neither_undoes_the_other(visit: Visit, dora: User) -> None:
    client = visit(dora)
    form = client.get(PAGE).context["form"]
    policy.change(dora.tenant, {"retention_days": 90}, actor=dora)
    client.post(PAGE, {**ASKED, "retention_days": "90", "monthly_minutes": "5"})
    row = policy.of(dora.tenant)
    assert (row.retention_days, row.monthly_minutes) == (90, 5)
    assert form.initial["retention_days"] is None


def test_the_other_spelling_of_both_is_no_change(visit: Visit, dora: User) -> None:
    TenantPolicy.objects.create(tenant=dora.tenant, allowed_backends="BA", default_backend="B")
    client = visit(dora)
    client.post(PAGE, {**ASKED, "default_backend": "B"})
    assert policy.of(dora.tenant).allowed_backends == "BA"
    assert not AuditEntry.objects.exists()


def test_days_that_delete_sound_at_once_are_asked_about_first(visit: Visit, stage: Stage, dora: User) -> None:
    job = stage.completed(dora)
    Job.objects.filter(pk=job.pk).update(completed_at=timezone.now() - timedelta(days=20))
    client, asked = visit(dora), {**ASKED, "retention_days": "7"}
    answer = client.post(PAGE, asked)
    assert answer.status_code == 422
    assert "The sound of 1 recording is older than that" in answer.text
    assert 'name="confirmed"' in answer.text
    assert policy.of(dora.tenant).retention_days is None
    assert client.post(PAGE, {**asked, "confirmed": "on"}).status_code == 302
    assert policy.of(dora.tenant).retention_days == 7


def test_days_that_delete_nothing_yet_are_not_asked_about(visit: Visit, stage: Stage, dora: User) -> None:
    stage.completed(dora)
    assert visit(dora).post(PAGE, {**ASKED, "retention_days": "7"}).status_code == 302


def test_only_superusers_set_the_tier(visit: Visit, dora: User, admin: User) -> None:
    visit(dora).post(PAGE, {**ASKED, "tier": "regulated"})
    assert policy.of(dora.tenant).tier == "standard"
    assert "Tier: Standard." in visit(dora).get(PAGE).text
    visit(admin).post(PAGE, {**ASKED, "tier": "regulated", "tenant": dora.tenant_id})
    row = policy.of(dora.tenant)
    assert (row.tier, row.allowed_backends, row.retention_days) == ("regulated", "A", 30)


def test_a_policy_that_leaves_nothing_is_warned_of(visit: Visit, dora: User, tools: Tools) -> None:
    tools(backends="A")
    client = visit(dora)
    assert "every new recording fails" not in client.get(PAGE).text
    policy.change(dora.tenant, {"allowed_backends": "B", "default_backend": "B"}, actor=dora)
    assert "every new recording fails" in client.get(PAGE).text


def test_what_was_used_is_told_by_user(visit: Visit, dora: User, alice: User, bob: User, erik: User) -> None:
    policy.change(dora.tenant, {"monthly_minutes": 100}, actor=dora)
    for user, minutes in ((alice, 12), (bob, 30), (erik, 50)):
        limits.charge(Job(owner=user), minutes * 60)
    told = visit(dora).get(PAGE)
    assert told.context["used"] == [(bob.email, 30.0), (alice.email, 12.0)]
    assert "58 of 100" in told.text
    assert erik.email not in told.text


def test_a_name_with_a_script_in_it_is_shown_as_it_is(visit: Visit, admin: User) -> None:
    tenant = Tenant.objects.create(name="<script>alert(1)</script> ‮עברית")
    told = visit(admin).get(f"{PAGE}?tenant={tenant.pk}").text
    assert "<script>alert" not in told
    assert "&lt;script&gt;alert(1)" in told


def test_nothing_of_it_stays_in_a_cache(visit: Visit, dora: User) -> None:
    assert "no-store" in visit(dora).get(PAGE)["Cache-Control"]


def test_the_pages_of_django_change_a_policy_with_an_entry(client: Any, admin: User, alice: User) -> None:
    client.force_login(admin)
    assert alice.tenant.name in client.get("/admin/whisper/tenantpolicy/").text
    page = f"/admin/whisper/tenantpolicy/{alice.tenant_id}/change/"
    asked = {
        "allowed_backends": "A",
        "default_backend": "A",
        "tier": "standard",
        "monthly_minutes": "",
        "retention_days": "9",
    }
    assert client.post(page, {**asked, "default_backend": "B"}).status_code == 200
    assert not AuditEntry.objects.exists()
    assert client.post(page, asked).status_code == 302
    assert policy.of(alice.tenant).retention_days == 9
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id) == ("policy.changed", admin.pk)


def test_the_pages_of_django_show_entries_and_change_none(client: Any, admin: User, alice: User) -> None:
    client.force_login(admin)
    policy.change(alice.tenant, {"retention_days": 9}, actor=admin)
    entry = AuditEntry.objects.get()
    assert "policy.changed" in client.get(f"/admin/whisper/auditentry/?q={alice.tenant_id}").text
    page = f"/admin/whisper/auditentry/{entry.pk}/"
    assert entry.digest in client.get(f"{page}change/").text
    assert client.post(f"{page}change/", {"subject": "x"}).status_code == 403
    assert client.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    assert client.get("/admin/whisper/auditentry/add/").status_code == 403
