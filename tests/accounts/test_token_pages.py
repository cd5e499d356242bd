"""The pages where people make, rotate and revoke their tokens and keep their own key."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import tokens
from accounts.models import PersonalToken, User
from accounts.permissions import grant
from whisper_jobs.models import Delivery

SignIn = Callable[[User], Client]
NEW = "/account/tokens/new/"


@pytest.fixture
def integrator(alice: User) -> User:
    grant(alice, "whisper.api")
    grant(alice, "provider_openai")
    return alice


@pytest.fixture
def page(integrator: User, signed_in: SignIn) -> Client:
    return signed_in(integrator)


@pytest.fixture
def token(integrator: User) -> PersonalToken:
    tokens.create(integrator, tokens.API, name="archive")
    return PersonalToken.objects.get()


def shown(html: str, field: str) -> str:
    found = re.search(rf'id="{field}" value="([^"]+)"', html)
    assert found, html
    return found[1]


def test_a_token_is_shown_once_and_works(page: Client) -> None:
    answer = page.post(NEW, {"name": "archive", "lifetime": "30"})
    clear, secret = shown(answer.text, "token"), shown(answer.text, "webhook_secret")
    found = tokens.find(clear, tokens.API)
    assert found is not None
    assert found.expires_at is not None
    assert abs(found.expires_at - found.created_at - timedelta(days=30)) < timedelta(minutes=1)
    assert tokens.signing_secrets(found) == [secret]
    assert "no-store" in answer.headers["cache-control"]
    for path in ("/account/", f"/account/tokens/{found.pk}/"):
        later = page.get(path).text
        assert "archive" in later and found.hint in later
        assert clear not in later and secret not in later


def test_a_token_may_last_for_ever_and_ask_for_thin_callbacks(page: Client) -> None:
    page.post(NEW, {"name": "archive", "lifetime": "never", "thin_callbacks": "on"})
    made = PersonalToken.objects.get()
    assert made.expires_at is None
    assert made.thin_callbacks


def test_a_token_of_the_sandbox_is_made_and_marked_as_one(page: Client) -> None:
    made = page.post(NEW, {"name": "trials", "lifetime": "30", "is_sandbox": "on"}).text
    token = PersonalToken.objects.get()
    assert token.is_sandbox
    for html in (made, page.get("/account/").text, page.get(f"/account/tokens/{token.pk}/").text):
        assert '<span class="pill draft">Sandbox</span>' in html
    page.post(NEW, {"name": "work", "lifetime": "30"})
    assert not PersonalToken.objects.get(name="work").is_sandbox


@pytest.mark.parametrize(
    "form", [{"name": "", "lifetime": "30"}, {"name": "x", "lifetime": "31"}, {"name": "x" * 101, "lifetime": "30"}]
)
def test_a_form_with_mistakes_makes_none(page: Client, form: dict[str, str]) -> None:
    assert page.post(NEW, form).status_code == 422
    assert not PersonalToken.objects.exists()


def test_without_the_permission_the_pages_say_what_is_missing(alice: User, signed_in: SignIn) -> None:
    page = signed_in(alice)
    for path in ("/account/", NEW):
        assert "whisper.api" in page.get(path).text
    assert "provider_openai" in page.get("/account/openai-key/").text
    assert page.post(NEW, {"name": "x", "lifetime": "30"}).status_code == 403
    assert page.post("/account/openai-key/", {"key": "sk-some-key"}).status_code == 403
    assert not PersonalToken.objects.exists()


def test_a_session_from_long_ago_shows_first_that_it_is_its_owner(page: Client, settings: Any) -> None:
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    time.sleep(0.01)
    assert page.get(NEW).headers["location"].startswith("/account/reauthenticate/")
    assert page.post(NEW, {"name": "x", "lifetime": "30"}).status_code == 302
    assert not PersonalToken.objects.exists()


def test_rotating_shows_the_new_secret_once(page: Client, token: PersonalToken) -> None:
    path = f"/account/tokens/{token.pk}/rotate/"
    assert "24 hours" in page.get(path).text
    secret = shown(page.post(path).text, "webhook_secret")
    token.refresh_from_db()
    assert tokens.signing_secrets(token)[0] == secret
    assert secret not in page.get(f"/account/tokens/{token.pk}/").text


def test_revoking_asks_first_and_then_the_token_is_gone(page: Client, token: PersonalToken) -> None:
    path = f"/account/tokens/{token.pk}/revoke/"
    assert "This can't be undone" in page.get(path).text.replace("&#x27;", "'")
    token.refresh_from_db()
    assert token.revoked_at is None
    assert page.post(path).headers["location"] == "/account/"
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert "archive" not in page.get("/account/").text
    assert page.get(f"/account/tokens/{token.pk}/").status_code == 404


@pytest.mark.parametrize("path", ["", "rotate/", "revoke/"])
def test_anothers_token_is_not_found(token: PersonalToken, bob: User, signed_in: SignIn, path: str) -> None:
    page = signed_in(bob)
    for call in (page.get, page.post):
        assert call(f"/account/tokens/{token.pk}/{path}").status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None and token.previous_secret_until is None


def test_every_page_wants_somebody_signed_in(client: Client, token: PersonalToken) -> None:
    for path in (
        "/account/",
        NEW,
        f"/account/tokens/{token.pk}/",
        f"/account/tokens/{token.pk}/revoke/",
        "/account/openai-key/",
    ):
        for call in (client.get, client.post):
            assert call(path).headers["location"].startswith("/login?next="), path


def test_every_change_wants_the_forms_own_mark(integrator: User, token: PersonalToken) -> None:
    page = Client(enforce_csrf_checks=True)
    page.force_login(integrator)
    for path in (
        "/account/",
        NEW,
        f"/account/tokens/{token.pk}/",
        f"/account/tokens/{token.pk}/revoke/",
        "/account/openai-key/",
    ):
        assert page.post(path).status_code == 403, path


def test_a_test_event_is_handed_to_the_deliverer(page: Client, token: PersonalToken) -> None:
    path = f"/account/tokens/{token.pk}/"
    assert page.post(path, {"url": "https://example.com/hook"}).headers["location"] == path
    made = Delivery.objects.get()
    assert (made.token, made.url, made.job) == (token, "https://example.com/hook", None)
    assert "https://example.com/hook" in page.get(path).text


@pytest.mark.parametrize(
    "url", ["", "no address", "http://127.0.0.1/", "http://169.254.169.254/x", "ftp://example.com/", "http://0x7f.1/"]
)
def test_a_test_event_goes_to_public_addresses_only(page: Client, token: PersonalToken, url: str) -> None:
    answer = page.post(f"/account/tokens/{token.pk}/", {"url": url})
    assert answer.status_code == 422
    assert 'class="error"' in answer.text
    assert not Delivery.objects.exists()


def test_nobody_calls_others_by_test_events_all_day(page: Client, token: PersonalToken, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"test_event": "1/m/user"}
    path = f"/account/tokens/{token.pk}/"
    page.post(path, {"url": "https://example.com/hook"})
    answer = page.post(path, {"url": "https://example.com/hook"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert "Too many tries" in answer.text
    assert Delivery.objects.count() == 1


def test_ones_own_key_is_kept_replaced_and_removed_and_never_shown(page: Client, integrator: User) -> None:
    page.post("/account/openai-key/", {"key": "sk-first-key-1111"})
    page.post("/account/openai-key/", {"key": "sk-second-key-2222"})
    assert tokens.provider_key(integrator) == "sk-second-key-2222"
    hub = page.get("/account/").text
    assert "…2222" in hub and "sk-second" not in hub
    assert "sk-second" not in page.get("/account/openai-key/").text
    page.post("/account/openai-key/remove/")
    assert tokens.provider_key(integrator) is None
    assert "2222" not in page.get("/account/").text


@pytest.mark.parametrize("key", ["", "short", "with a space in it", "ümlaut-ümlaut", "x" * 301])
def test_what_can_be_no_key_is_refused(page: Client, integrator: User, key: str) -> None:
    assert page.post("/account/openai-key/", {"key": key}).status_code == 422
    assert tokens.provider_key(integrator) is None
