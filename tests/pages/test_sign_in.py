"""Signing in and out, and the pages for those who may not come in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from tests.conftest import PASSWORD

Visit = Callable[[User | None], Client]


def test_the_front_page_leads_to_the_queue_and_the_queue_to_signing_in(client: Client, db: None) -> None:
    assert client.get("/").headers["location"] == "/whisper"
    assert client.get("/whisper?status=failed").headers["location"] == "/login?next=/whisper%3Fstatus%3Dfailed"


def test_signing_in_by_address_in_any_case_leads_to_where_one_wanted_to_go(client: Client, alice: User) -> None:
    answer = client.post("/login", {"login": " Alice@Example.TEST ", "password": PASSWORD, "next": "/whisper?q=x"})
    assert (answer.status_code, answer.headers["location"]) == (302, "/whisper?q=x")
    assert client.get("/login").headers["location"] == "/whisper"


@pytest.mark.parametrize(("email", "password"), [("alice@example.test", "wrong"), ("who@example.test", PASSWORD)])
def test_a_wrong_password_and_an_unknown_address_get_the_same_sentence(
    client: Client, alice: User, email: str, password: str
) -> None:
    page = client.post("/login", {"login": email, "password": password}).text
    assert "The e-mail address or the password is wrong." in page
    assert 'role="alert"' in page


def test_a_deactivated_user_is_told_no_more_than_a_stranger(client: Client, alice: User) -> None:
    alice.is_active = False
    alice.save()
    page = client.post("/login", {"login": alice.email, "password": PASSWORD}).text
    assert "The e-mail address or the password is wrong." in page
    assert "inactive" not in page


def test_signing_in_never_leads_to_another_site(client: Client, alice: User) -> None:
    login = {"login": alice.email, "password": PASSWORD, "next": "https://evil.example/"}
    assert client.post("/login", login).headers["location"] == "/whisper"


def test_signing_out_takes_a_form_and_not_a_link(visit: Visit, alice: User) -> None:
    client = visit(alice)
    assert client.get("/logout").status_code == 405
    assert client.get("/whisper").status_code == 200
    assert client.post("/logout").headers["location"] == "/login"
    assert client.get("/whisper").status_code == 302


def test_forms_from_other_sites_are_refused_with_a_page_that_says_what_to_do(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    answer = client.post("/whisper/sample")
    assert answer.status_code == 403
    assert "reload the page and try again" in answer.text


@pytest.mark.parametrize("path", ["/whisper", "/whisper/jobs/1"])
def test_somebody_without_the_permission_gets_a_page_that_says_so(visit: Visit, nobody: User, path: str) -> None:
    answer = visit(nobody).get(path)
    assert answer.status_code == 403
    assert "You may not open this page" in answer.text
    assert "no access to transcription" in answer.text
    assert 'class="button primary" href="/account/"' in answer.text
    assert "Sign out" in answer.text


def test_somebody_who_may_transcribe_is_not_told_that_they_may_not(visit: Visit, alice: User) -> None:
    answer = visit(alice).get("/whisper/manage")
    assert answer.status_code == 403
    assert "no access to transcription" not in answer.text
    assert 'class="button primary" href="/whisper"' in answer.text


def test_an_unknown_address_gets_a_friendly_page(client: Client, db: None) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


def test_a_crash_gets_a_friendly_page_too(visit: Visit, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whisper_jobs.queries.page_of_jobs", lambda *args: 1 / 0)
    client = visit(alice)
    client.raise_request_exception = False
    answer = client.get("/whisper", headers={"accept-language": "sv"})
    assert answer.status_code == 500
    assert "Något gick fel" in answer.text


def test_the_language_is_chosen_by_the_browser_and_then_by_hand(client: Client, db: None) -> None:
    assert "Logga in" in client.get("/login", headers={"accept-language": "sv-SE"}).text
    assert "Sign in" in client.get("/login", headers={"accept-language": "de"}).text
    client.post("/language", {"language": "sv", "next": "/login"})
    page = client.get("/login", headers={"accept-language": "en"}).text
    assert '<html lang="sv">' in page
    assert "Logga in" in page
