"""Signing in through an OpenID Connect provider, from the button to the session, and who is not let in by it."""

from __future__ import annotations

import html
import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from accounts.models import Tenant, User
from tests.accounts.conftest import code_of
from tests.accounts.provider import CLIENT, SECRET, Provider, running
from tests.conftest import PASSWORD

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


@pytest.fixture
def provider(db: None, settings: Any, operator: Callable[..., None]) -> Iterator[Provider]:
    operator(outbound_allow=LOOPBACK)
    with running() as found:
        app = {"provider_id": "oidc", "name": "Radio ID", "client_id": CLIENT, "secret": SECRET}
        apps = [{**app, "settings": {"server_url": found.url}}]
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": apps}}
        yield found


def leave(client: Client) -> str:
    """The address at the provider that the button leads to."""
    page = client.post("/account/oidc/oidc/?process=login").text
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page)
    assert found, page
    return html.unescape(found[1])


def come_back(client: Client, address: str) -> Any:
    back = urlsplit(httpx2.get(address, follow_redirects=False).headers["location"])
    return client.get(f"{back.path}?{back.query}")


def sign_in(client: Client) -> Any:
    return come_back(client, leave(client))


def somebody(provider: Provider, email: str, *, verified: bool = True) -> None:
    provider.claims = {"sub": "sub-1", "email": email, "email_verified": verified, "name": "Alice Archer"}


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def test_the_button_is_there_where_there_is_a_provider(client: Client, provider: Provider) -> None:
    assert "Sign in with Radio ID" in client.get("/login").text


def test_without_a_provider_there_is_neither_button_nor_way(client: Client, db: None) -> None:
    assert "oidc" not in client.get("/login").text
    assert client.post("/account/oidc/oidc/").status_code == 404
    assert client.get("/account/oidc/oidc/callback/").status_code == 404


def test_the_owner_of_a_verified_address_is_signed_in(client: Client, provider: Provider, alice: User) -> None:
    somebody(provider, "Alice@example.test")
    assert sign_in(client).headers["location"] == "/whisper"
    assert client.get("/whisper").status_code == 200
    assert SocialAccount.objects.get().user == alice
    assert User.objects.count() == 1
    assert alice.check_password(PASSWORD)


def test_after_that_the_account_there_is_what_counts(client: Client, provider: Provider, alice: User) -> None:
    somebody(provider, alice.email)
    sign_in(client)
    somebody(provider, "renamed@example.test")
    again = Client()
    assert sign_in(again).status_code == 302
    assert is_in(again)
    assert User.objects.count() == 1


def test_it_leads_to_where_one_wanted_to_go_on_this_site_only(provider: Provider, alice: User) -> None:
    somebody(provider, alice.email)
    for wanted, reached in (("/account/", "/account/"), ("https://evil.example/", "/whisper")):
        client = Client()
        page = client.post(f"/account/oidc/oidc/?process=login&next={wanted}").text
        address = html.unescape(re.findall(r"0;url=([^\"]+)", page)[0])
        assert come_back(client, address).headers["location"] == reached


def test_a_stranger_gets_no_account_where_sign_up_is_closed(client: Client, provider: Provider, db: None) -> None:
    somebody(provider, "stranger@example.test")
    assert "Accounts are made by an administrator" in sign_in(client).text
    assert not User.objects.exists()
    assert not is_in(client)


def test_a_stranger_gets_an_account_where_it_is_open(
    client: Client, provider: Provider, db: None, operator: Callable[..., None]
) -> None:
    operator(signup=True)
    somebody(provider, "stranger@example.test")
    assert sign_in(client).headers["location"] == "/whisper"
    made = User.objects.get()
    assert (made.email, made.name, made.tenant) == ("stranger@example.test", "Alice Archer", Tenant.objects.default())
    assert made.has_perm("whisper.use") and not made.has_perm("whisper.manage")
    assert not made.has_usable_password()
    assert client.get("/whisper").status_code == 200


@pytest.mark.parametrize("signup", [False, True])
def test_an_address_that_the_provider_has_not_verified_opens_nobodys_account(
    client: Client, provider: Provider, alice: User, operator: Callable[..., None], signup: bool
) -> None:
    operator(signup=signup)
    somebody(provider, alice.email, verified=False)
    sign_in(client)
    assert not is_in(client)
    assert not SocialAccount.objects.exists()


def test_somebody_deactivated_stays_out(client: Client, provider: Provider, alice: User) -> None:
    User.objects.update(is_active=False)
    somebody(provider, alice.email)
    sign_in(client)
    assert not is_in(client)


def test_two_step_sign_in_is_asked_for_as_after_a_password(
    client: Client, provider: Provider, alice: User, second_step: Callable[[User], str]
) -> None:
    secret = second_step(alice)
    somebody(provider, alice.email)
    assert sign_in(client).headers["location"] == "/account/two-step/authenticate/"
    assert not is_in(client)
    client.post("/account/two-step/authenticate/", {"code": code_of(secret)})
    assert is_in(client)


def test_an_answer_that_nobody_asked_for_is_refused(client: Client, provider: Provider, alice: User) -> None:
    somebody(provider, alice.email)
    address = leave(client)
    victim = Client()
    assert "Signing in did not work" in come_back(victim, address).text
    assert not is_in(victim)


def test_a_token_for_another_client_is_refused(client: Client, provider: Provider, alice: User) -> None:
    somebody(provider, alice.email)
    provider.audience = "somebody-else"
    assert "Signing in did not work" in sign_in(client).text
    assert not is_in(client)


def test_turning_back_over_there_is_told_kindly(client: Client, provider: Provider, db: None) -> None:
    state = parse_qs(urlsplit(leave(client)).query)["state"][0]
    answer = client.get(f"/account/oidc/oidc/callback/?error=access_denied&state={state}", follow=True)
    assert "You are not signed in" in answer.text


def test_a_provider_that_is_down_is_a_page_and_no_crash(client: Client, provider: Provider, settings: Any) -> None:
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["server_url"] = "http://127.0.0.1:9"
    assert "Signing in did not work" in client.post("/account/oidc/oidc/").text


def test_the_provider_too_is_asked_through_the_guarded_door(
    client: Client, provider: Provider, operator: Callable[..., None]
) -> None:
    operator(outbound_allow=())
    assert "Signing in did not work" in client.post("/account/oidc/oidc/").text
    assert provider.asked == []


def test_the_provider_cannot_send_us_elsewhere(client: Client, provider: Provider, alice: User) -> None:
    somebody(provider, alice.email)
    provider.redirect_tokens_to = f"{provider.url}/internal"
    assert "Signing in did not work" in sign_in(client).text
    assert "/internal" not in provider.asked


def test_somebody_signed_in_connects_and_disconnects_an_account(
    provider: Provider, alice: User, signed_in: Callable[[User], Client]
) -> None:
    page = signed_in(alice)
    somebody(provider, "alice.at.work@example.test")
    form = page.post("/account/oidc/oidc/?process=connect").text
    come_back(page, html.unescape(re.findall(r"0;url=([^\"]+)", form)[0]))
    connected = SocialAccount.objects.get()
    assert connected.user == alice
    assert "Radio ID" in page.get("/account/providers/").text
    page.post("/account/providers/", {"account": connected.pk})
    assert not SocialAccount.objects.exists()
