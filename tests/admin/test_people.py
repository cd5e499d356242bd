"""Users, tenants and tokens in the admin."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import PersonalToken, Tenant, User
from tests.admin.conftest import Act
from tests.conftest import PASSWORD
from whisper_jobs.models import Job, Speaker


def form_of(user: User, **changed: Any) -> dict[str, Any]:
    shown = {"name": user.name, "tenant": user.tenant_id, "language": "", "max_queued_jobs": "", "monthly_minutes": ""}
    return {**shown, "is_active": "on", "permissions": ["whisper.use"], **changed}


def change(desk: Client, user: User, **changed: Any) -> None:
    answer = desk.post(reverse("admin:accounts_user_change", args=[user.pk]), form_of(user, **changed))
    assert answer.status_code == 302, answer.context["adminform"].form.errors


def test_permissions_are_given_and_taken_by_their_published_names(desk: Client, alice: User) -> None:
    assert 'value="provider_openai"' in desk.get(reverse("admin:accounts_user_change", args=[alice.pk])).text
    change(desk, alice, permissions=["whisper.manage", "provider_openai"])
    fresh = User.objects.get(pk=alice.pk)
    assert fresh.has_perm("whisper.manage")
    assert fresh.has_perm("accounts.provider_openai")
    assert not fresh.has_perm("whisper.use")


def test_limits_and_tenant_are_set(desk: Client, alice: User) -> None:
    other = Tenant.objects.create(name="Other")
    change(desk, alice, max_queued_jobs="3", monthly_minutes="60", tenant=other.pk)
    alice.refresh_from_db()
    assert (alice.max_queued_jobs, alice.monthly_minutes, alice.tenant) == (3, 60, other)


def test_speakers_of_one_s_own_come_along_to_another_tenant(desk: Client, alice: User) -> None:
    other = Tenant.objects.create(name="Other")
    for scope in ("user", "tenant"):
        Speaker.objects.create(owner=alice, tenant=alice.tenant, scope=scope, display_name=scope)
    change(desk, alice, tenant=other.pk)
    assert [one.display_name for one in Speaker.objects.filter(tenant=other)] == ["user"]


def test_a_change_writes_nothing_else(desk: Client, alice: User) -> None:
    """What somebody did meanwhile is not undone by a form that was opened before."""
    page = reverse("admin:accounts_user_change", args=[alice.pk])
    desk.get(page)
    alice.set_password("Another-horse-9-battery")
    alice.save()
    change(desk, alice, name="Alice")
    fresh = User.objects.get(pk=alice.pk)
    assert fresh.name == "Alice"
    assert fresh.check_password("Another-horse-9-battery")


def test_who_is_deactivated_is_out_at_once_everywhere(desk: Client, alice: User) -> None:
    browser, program = Client(), APIClient()
    browser.post("/login", {"login": alice.email, "password": PASSWORD})
    assert browser.get("/whisper").status_code == 200
    told = program.post("/api/account/login", {"email": alice.email, "password": PASSWORD}).json()
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {told['access']}")
    change(desk, alice, is_active="")
    assert browser.get("/whisper").status_code == 302
    assert program.get("/api/whisper/jobs").status_code == 401
    User.objects.filter(pk=alice.pk).update(is_active=True)
    assert browser.get("/whisper").status_code == 302, "the session itself is gone"
    assert APIClient().post("/api/account/refresh", {"refresh": told["refresh"]}).status_code == 401


def test_many_are_deactivated_from_the_list_but_never_oneself(act: Act, alice: User, bob: User, admin: User) -> None:
    answer = act("accounts_user", "deactivate_chosen", alice, bob, admin)
    assert "2 users were deactivated." in answer.text
    assert set(User.objects.filter(is_active=True)) == {admin}


def test_nobody_takes_their_own_powers_away(desk: Client, admin: User) -> None:
    change(desk, admin, is_active="", is_superuser="")
    admin.refresh_from_db()
    assert (admin.is_active, admin.is_superuser) == (True, True)


def test_a_new_user_can_sign_in_at_once(desk: Client) -> None:
    sent = {
        "email": "New@Example.test",
        "name": "New",
        "tenant": Tenant.objects.default().pk,
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "permissions": ["whisper.use"],
    }
    answer = desk.post(reverse("admin:accounts_user_add"), sent)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    made = User.objects.get(email="new@example.test")
    assert made.emailaddress_set.get().verified
    told = APIClient().post("/api/account/login", {"email": made.email, "password": PASSWORD})
    assert told.status_code == 200
    assert desk.post(reverse("admin:accounts_user_add"), sent).status_code == 200, "there is one already"
    assert User.objects.filter(email__iexact="new@example.test").count() == 1


def test_nobody_is_deleted_with_their_recordings(desk: Client, alice: User) -> None:
    page = reverse("admin:accounts_user_delete", args=[alice.pk])
    assert desk.post(page, {"post": "yes"}).status_code == 403


def test_a_token_is_revoked_and_never_shown(desk: Client, act: Act, alice: User) -> None:
    made = tokens.create(alice, tokens.API, name="Mine")
    row = PersonalToken.objects.get()
    for page in (reverse("admin:accounts_personaltoken_change", args=[row.pk]), "/admin/accounts/personaltoken/"):
        shown = desk.get(page).text
        assert "Mine" in shown
        for secret in (made.token, row.digest, row.sealed_webhook_secret, made.webhook_secret):
            assert str(secret) not in shown
    assert "1 token was revoked." in act("accounts_personaltoken", "revoke_chosen", row).text
    assert tokens.find(made.token, tokens.API) is None
    assert desk.post(reverse("admin:accounts_personaltoken_add")).status_code == 403


def test_who_did_what_is_kept(desk: Client, act: Act, alice: User) -> None:
    act("accounts_user", "deactivate_chosen", alice)
    assert "Deactivated." in desk.get(reverse("admin:accounts_user_history", args=[alice.pk])).text
    assert not Job.objects.exists()
