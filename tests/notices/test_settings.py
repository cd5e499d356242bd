"""The page of notices in a person's account: mails on and off, browsers added, tried and removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts import push_key
from accounts.models import User
from tests.callbacks.receiver import Receiver, status
from tests.notices.conftest import Browser, browsers_of
from whisper_jobs import notices

PAGE = "/account/notices/"
Visit = Callable[[User | None], Client]


def said(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_account_leads_there(visit: Visit, alice: User) -> None:
    assert f'href="{PAGE}"' in said(visit(alice).get("/account/"))


def test_strangers_sign_in_first(visit: Visit) -> None:
    assert visit(None).get(PAGE).status_code == 302


def test_mails_are_turned_on_and_off(visit: Visit, alice: User) -> None:
    for sent, wanted in (({"mails_when_done": "on"}, True), ({}, False)):
        visit(alice).post(PAGE, sent)
        alice.refresh_from_db()
        assert alice.mails_when_done is wanted


def test_a_browser_is_added_and_shown(visit: Visit, alice: User, service: Receiver) -> None:
    browser = Browser(service.url)
    answer = visit(alice).post(f"{PAGE}browser/", browser.told)
    assert answer.json() == {"digest": notices.digest_of(service.url)}
    page = said(visit(alice).get(PAGE))
    assert f"127.0.0.1:{service.server_port}" in page
    assert push_key.public_key() in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "http://10.1.2.3/"},
        {"endpoint": "no address"},
        {"endpoint": "http://127.0.0.1/" + "a" * 2000},
        {"p256dh": "AAAA"},
        {"p256dh": "ä"},
        {"auth": "AAAA"},
        {"endpoint": ""},
    ],
)
def test_what_is_no_subscription_is_refused(
    visit: Visit, alice: User, service: Receiver, wrong: dict[str, str]
) -> None:
    answer = visit(alice).post(f"{PAGE}browser/", {**Browser(service.url).told, **wrong})
    assert answer.status_code == 400
    assert browsers_of(alice) == 0


def test_a_browser_is_removed_by_its_owner_alone(visit: Visit, alice: User, bob: User, subscribed: Any) -> None:
    subscribed(alice)
    row = alice.push_subscriptions.get()
    assert visit(bob).post(f"{PAGE}browser/forget/", {"browser": row.pk}).status_code == 404
    assert visit(alice).post(f"{PAGE}browser/forget/", {"browser": row.pk}).status_code == 302
    assert browsers_of(alice) == 0


def test_a_browser_removes_itself(visit: Visit, alice: User, bob: User, subscribed: Any) -> None:
    browser = subscribed(alice)
    asked = {"endpoint": browser.endpoint}
    assert visit(bob).post(f"{PAGE}browser/forget/", asked).json() == {"forgotten": False}
    assert visit(alice).post(f"{PAGE}browser/forget/", asked).json() == {"forgotten": True}


def test_a_trial_reaches_the_browser(visit: Visit, alice: User, service: Receiver, subscribed: Any) -> None:
    browser = subscribed(alice)
    row = alice.push_subscriptions.get()
    answer = visit(alice).post(f"{PAGE}try/", {"browser": row.pk}, follow=True)
    assert "It is sent." in said(answer)
    assert browser.read(service.calls[0].body)["title"] == "This is a test"


@pytest.mark.parametrize(("code", "left"), [(410, 0), (500, 1)])
def test_a_trial_that_fails_says_so(
    visit: Visit, alice: User, service: Receiver, subscribed: Any, code: int, left: int
) -> None:
    subscribed(alice)
    service.answers = [status(code)]
    row = alice.push_subscriptions.get()
    answer = visit(alice).post(f"{PAGE}try/", {"browser": row.pk}, follow=True)
    assert "The receiver" in said(answer)
    assert browsers_of(alice) == left


def test_a_trial_by_mail_is_sent(visit: Visit, alice: User, mailoutbox: list[Any]) -> None:
    visit(alice).post(f"{PAGE}try/", {"mail": "1"})
    assert mailoutbox[0].to == [alice.email]


@pytest.mark.parametrize("number", ["", "x", "9" * 40, "-1", "²"])
def test_what_is_no_browser_is_not_found(visit: Visit, alice: User, number: str) -> None:
    for path in ("try/", "browser/forget/"):
        assert visit(alice).post(f"{PAGE}{path}", {"browser": number}).status_code == 404
