"""Two-step sign-in on the pages: turned on, asked for, got past with a recovery code, turned off."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import code_of
from tests.conftest import PASSWORD

SignIn = Callable[[User], Client]
TurnOn = Callable[[User], str]


def password(client: Client, user: User) -> str:
    return str(client.post("/login", {"login": user.email, "password": PASSWORD}).headers["location"])


@pytest.mark.django_db(transaction=True)
def test_it_is_turned_on_with_a_code_and_shows_recovery_codes_once(alice: User, signed_in: SignIn) -> None:
    page = signed_in(alice)
    form = page.get("/account/two-step/totp/activate/").text
    secret = re.search(r'id="authenticator_secret"[^>]*>([A-Z2-7]+)<', form)
    assert secret
    assert page.post("/account/two-step/totp/activate/", {"code": "000000"}).status_code == 200
    assert not Authenticator.objects.exists()
    answer = page.post("/account/two-step/totp/activate/", {"code": code_of(secret[1])}, follow=True)
    codes = re.search(r'id="recovery_codes"[^>]*>([0-9\s]+)<', answer.text)
    assert codes and len(codes[1].split()) == 10
    assert codes[1].split()[0] not in page.get("/account/two-step/recovery-codes/").text
    assert "Two-step sign-in is on" in [sent.subject for sent in mail.outbox]


def test_secrets_lie_sealed_in_the_database(alice: User, second_step: TurnOn) -> None:
    secret = second_step(alice)
    assert secret not in repr(list(Authenticator.objects.values()))


def test_the_password_leads_to_the_second_step_and_that_to_the_pages(
    client: Client, alice: User, second_step: TurnOn
) -> None:
    secret = second_step(alice)
    assert password(client, alice) == "/account/two-step/authenticate/"
    assert client.get("/whisper").headers["location"].startswith("/login")
    wrong = client.post("/account/two-step/authenticate/", {"code": "abc"})
    assert (wrong.status_code, 'class="error"' in wrong.text) == (200, True)
    assert client.get("/whisper").status_code == 302
    answer = client.post("/account/two-step/authenticate/", {"code": code_of(secret)})
    assert answer.headers["location"] == "/whisper"
    assert client.get("/whisper").status_code == 200


def test_after_a_change_of_the_secret_key_no_code_fits(
    client: Client, alice: User, second_step: TurnOn, settings: Any
) -> None:
    secret = second_step(alice)
    settings.SECRET_KEY = "another"
    password(client, alice)
    client.post("/account/two-step/authenticate/", {"code": code_of(secret)})
    assert client.get("/whisper").status_code == 302


def test_the_second_step_cannot_be_opened_without_the_first(client: Client, alice: User, second_step: TurnOn) -> None:
    secret = second_step(alice)
    answer = client.post("/account/two-step/authenticate/", {"code": code_of(secret)})
    assert answer.headers["location"].startswith("/login")
    assert client.get("/whisper").status_code == 302


def test_turning_it_off_wants_a_fresh_proof(alice: User, second_step: TurnOn, settings: Any) -> None:
    second_step(alice)
    page = Client()
    page.force_login(alice)
    answer = page.post("/account/two-step/totp/deactivate/")
    assert answer.headers["location"].startswith("/account/reauthenticate/")
    assert Authenticator.objects.exists()
    page.post(answer.headers["location"], {"password": PASSWORD})
    assert not Authenticator.objects.filter(type="totp").exists()


@pytest.mark.django_db(transaction=True)
def test_a_security_key_has_its_name_in_the_readers_language(alice: User, signed_in: SignIn) -> None:
    page = signed_in(alice)
    for language, label in (("en", "Name"), ("sv", "Namn")):
        shown = page.get("/account/two-step/webauthn/add/", headers={"accept-language": language}).text
        assert f'<label for="id_name">{label}</label>' in shown


@pytest.mark.parametrize("path", ["", "totp/activate/", "recovery-codes/generate/", "webauthn/", "webauthn/add/"])
def test_strangers_sign_in_first(client: Client, db: None, path: str) -> None:
    assert client.get(f"/account/two-step/{path}").headers["location"].startswith("/login")
