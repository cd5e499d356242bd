"""Mails: a forgotten password, a new address, a new account; in whose language, over real SMTP, and without a mail server."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.core import mail
from django.test import Client

from accounts import jwt
from accounts.models import Tenant, User
from tests.conftest import PASSWORD
from tests.serve.ports import free_port

NEW = "Another-horse-7-battery"
RESET = "/account/password/reset/"


class Mailbox:
    def __init__(self) -> None:
        self.got: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.got.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"


@pytest.fixture
def smtp(settings: Any) -> Iterator[Mailbox]:
    mailbox = Mailbox()
    server = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = server.hostname, server.port
    yield mailbox
    server.stop()


def link() -> str:
    found = re.search(r"http://\S+?(/account/password/reset/\S+)", str(mail.outbox[-1].body))
    assert found, mail.outbox[-1].body
    return found[1]


def code() -> str:
    found = re.search(r"^\s+(\d{8})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[1]


def choose(client: Client, path: str, password: str = NEW) -> Any:
    form = client.get(path, follow=True)
    return client.post(form.redirect_chain[-1][0], {"password1": password, "password2": password}, follow=True)


def test_a_mail_comes_over_smtp_from_the_operators_address(
    client: Client, alice: User, smtp: Mailbox, settings: Any
) -> None:
    settings.DEFAULT_FROM_EMAIL = "Radio <radio@example.test>"
    client.post(RESET, {"email": alice.email})
    (got,) = smtp.got
    assert (got["From"], got["To"]) == ("Radio <radio@example.test>", "alice@example.test")
    assert got["Subject"] == "Reset your password"
    assert "/account/password/reset/" in got.get_content()


def test_the_link_of_the_mail_sets_a_new_password_once(client: Client, alice: User) -> None:
    client.post(RESET, {"email": alice.email})
    path = link()
    assert "The password is changed" in choose(client, path).text
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert "no longer good" in Client().get(path, follow=True).text


def test_a_reset_ends_every_session_and_program(
    client: Client, alice: User, signed_in: Callable[[User], Client]
) -> None:
    page, pair = signed_in(alice), jwt.issue(alice)
    client.post(RESET, {"email": alice.email})
    choose(client, link())
    assert page.get("/whisper").status_code == 302
    assert client.post("/api/account/refresh", {"refresh": pair.refresh}).status_code == 401


def test_a_reset_does_not_get_past_two_step_sign_in(
    client: Client, alice: User, second_step: Callable[[User], str]
) -> None:
    second_step(alice)
    client.post(RESET, {"email": alice.email})
    choose(client, link())
    assert client.get("/whisper").status_code == 302
    answer = client.post("/login", {"login": alice.email, "password": NEW})
    assert answer.headers["location"] == "/account/two-step/authenticate/"


def test_a_link_of_somebody_else_or_made_up_is_refused(client: Client, alice: User, bob: User) -> None:
    client.post(RESET, {"email": alice.email})
    uid, _dash, key = link().rstrip("/").rpartition("/")[2].partition("-")
    client.post(RESET, {"email": bob.email})
    of_bob = link().rstrip("/").rpartition("/")[2].partition("-")[0]
    for path in (f"{RESET}{of_bob}-{key}/", f"{RESET}{uid}-abc-def/", f"{RESET}zzzzzzzzzzzzz-x-y/"):
        assert "no longer good" in Client().get(path, follow=True).text, path


def test_a_weak_password_is_refused_with_the_reason(client: Client, alice: User) -> None:
    client.post(RESET, {"email": alice.email})
    assert 'class="error"' in choose(client, link(), "short").text
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_the_page_tells_nobody_whether_an_address_has_an_account(client: Client, alice: User) -> None:
    pages = [client.post(RESET, {"email": to}, follow=True).text for to in (alice.email, "who@example.test")]
    marks = [re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page) for page in pages]
    assert marks[0] == marks[1]
    assert [sent.to for sent in mail.outbox] == [["alice@example.test"], ["who@example.test"]]
    assert "There is no account" in mail.outbox[1].subject


def test_nobody_is_flooded_with_mails(client: Client, alice: User) -> None:
    answers = [client.post(RESET, {"email": alice.email}).status_code for _try in range(6)]
    assert answers == [302] * 5 + [429]
    assert len(mail.outbox) == 5


def test_a_mail_is_in_the_language_of_the_person(client: Client, alice: User) -> None:
    User.objects.update(language="sv")
    client.post(RESET, {"email": alice.email}, headers={"accept-language": "en"})
    assert mail.outbox[0].subject != "Reset your password"


def test_without_a_mail_server_the_page_says_so_and_does_not_crash(client: Client, alice: User, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    assert "The mail could not be sent" in client.post(RESET, {"email": alice.email}, follow=True).text


def test_links_begin_with_the_public_address_of_the_site(
    client: Client, alice: User, settings: Any, operator: Callable[..., None]
) -> None:
    operator(public_url="https://whisper.example.test")
    settings.SITE_URL = "https://whisper.example.test"
    client.post(RESET, {"email": alice.email})
    assert "https://whisper.example.test/account/password/reset/" in str(mail.outbox[0].body)


def test_a_new_address_counts_once_its_code_is_entered(alice: User, signed_in: Callable[[User], Client]) -> None:
    page = signed_in(alice)
    page.post("/account/email/", {"email": "alice@new.test", "action_add": ""})
    alice.refresh_from_db()
    assert alice.email == "alice@example.test"
    page.post("/account/email/confirm/", {"code": code()})
    alice.refresh_from_db()
    assert alice.email == "alice@new.test"
    assert [a.email for a in alice.emailaddress_set.all()] == ["alice@new.test"]
    assert mail.outbox[-1].to == ["alice@example.test"]
    assert "→ alice@new.test" in str(mail.outbox[-1].body)


def test_a_wrong_code_changes_nothing(alice: User, signed_in: Callable[[User], Client]) -> None:
    page = signed_in(alice)
    page.post("/account/email/", {"email": "alice@new.test", "action_add": ""})
    assert 'class="error"' in page.post("/account/email/confirm/", {"code": "00000000"}).text
    alice.refresh_from_db()
    assert alice.email == "alice@example.test"


def test_signing_up_is_closed_unless_the_operator_opens_it(client: Client, db: None) -> None:
    assert "Create one" not in client.get("/login").text
    for call in (client.get, client.post):
        assert "Accounts are made by an administrator" in call("/account/signup/").text
    assert not User.objects.exists()


def test_who_signs_up_is_let_in_once_the_address_is_confirmed(
    client: Client, db: None, operator: Callable[..., None]
) -> None:
    operator(signup=True)
    assert "Create one" in client.get("/login").text
    answer = client.post("/account/signup/", {"email": "New@example.test", "password1": NEW})
    assert answer.headers["location"] == "/account/email/confirm/"
    assert client.get("/whisper").status_code == 302
    made = User.objects.get()
    assert (made.email, made.tenant, made.is_staff) == ("new@example.test", Tenant.objects.default(), False)
    assert client.post("/account/email/confirm/", {"code": code()}).headers["location"] == "/whisper"
    assert client.get("/whisper").status_code == 200


def test_signing_up_tells_nobody_whether_an_address_has_an_account(
    client: Client, alice: User, operator: Callable[..., None]
) -> None:
    operator(signup=True)
    answer = client.post("/account/signup/", {"email": alice.email, "password1": NEW})
    assert answer.headers["location"] == "/account/email/confirm/"
    assert mail.outbox[-1].subject == "You have an account already"
    assert User.objects.count() == 1
