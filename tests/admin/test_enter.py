"""Who gets to the admin pages, and how they sign in."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.test import Client
from django.urls import reverse

from accounts.models import PersonalToken, Tenant, User
from sharing.models import Share
from whisper_jobs.models import AuditEntry, Delivery, Job, PromptTemplate, TenantPolicy


def test_strangers_sign_in_where_everybody_does(client: Client, db: None) -> None:
    answer = client.get("/admin/whisper/job/", follow=True)
    # To the admin's own address of signing in, which leads to the site's.
    assert answer.redirect_chain[-1][0].startswith("/login?next=%2Fadmin%2Fwhisper%2Fjob%2F")


def test_those_who_may_not_get_the_page_that_says_so(client: Client, charlie: User) -> None:
    client.force_login(charlie)
    assert client.get("/admin/", follow=True).status_code == 403


def test_somebody_let_in_who_is_no_admin_finds_nothing(client: Client, charlie: User) -> None:
    User.objects.filter(pk=charlie.pk).update(is_staff=True)
    client.force_login(charlie)
    assert "You don’t have permission to view or edit anything." in client.get("/admin/").text
    for page in (
        "accounts_user",
        "whisper_job",
        "whisper_delivery",
        "sharing_share",
        "accounts_personaltoken",
        "whisper_auditentry",
    ):
        assert client.get(reverse(f"admin:{page}_changelist")).status_code == 403, page


def test_the_menu_leads_there_for_those_who_may(client: Client, admin: User, alice: User) -> None:
    client.force_login(admin)
    assert 'href="/admin/"' in client.get("/whisper").text
    client.force_login(alice)
    assert 'href="/admin/"' not in client.get("/whisper").text


def test_only_the_products_own_tables_are_there() -> None:
    of_accounts, of_jobs = {User, Tenant, PersonalToken}, {Job, Delivery, PromptTemplate, TenantPolicy, AuditEntry}
    assert set(django_admin.site._registry) == {*of_accounts, *of_jobs, Share}


@pytest.mark.parametrize("page", ["password_change", "logout"])
def test_what_the_site_does_itself_is_left_to_it(desk: Client, page: str) -> None:
    answer = desk.post(reverse(f"admin:{page}"))
    if page == "password_change":
        assert answer.headers["location"] == reverse("account_change_password")
    else:
        assert desk.get("/whisper").status_code == 302


@pytest.mark.parametrize("language", ["en", "sv"])
def test_every_page_opens(desk: Client, alice: User, language: str) -> None:
    job = Job.objects.create(owner=alice, tenant=alice.tenant, channel="web", source_type="url")
    rows: dict[str, Any] = {
        "accounts_user": alice,
        "accounts_tenant": alice.tenant,
        "accounts_personaltoken": PersonalToken.objects.create(user=alice, provider="p", hint="abcd"),
        "whisper_job": job,
    }
    rows["whisper_delivery"] = Delivery.objects.create(job=job, url="https://x.test/", host="x.test")
    rows["whisper_prompttemplate"] = PromptTemplate.objects.create(owner=alice, name="Short", instruction="Be short.")
    rows["sharing_share"] = Share.objects.create(job=job)
    for name, row in rows.items():
        for address in (reverse(f"admin:{name}_changelist"), reverse(f"admin:{name}_change", args=[row.pk])):
            answer = desk.get(
                address, {"q": ""} if "change" not in address else {}, headers={"accept-language": language}
            )
            assert answer.status_code == 200, address
    assert (
        Share.objects.get().token
        not in desk.get(reverse("admin:sharing_share_change", args=[rows["sharing_share"].pk])).text
    )


def test_a_nul_in_what_is_looked_for_is_a_bad_request(desk: Client) -> None:
    assert desk.get("/admin/whisper/job/?stage__exact=%00").status_code == 400
