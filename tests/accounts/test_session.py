"""Where somebody is signed in, and signing out everywhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts import jwt
from accounts.models import User
from config.sessions import SessionStore
from tests.conftest import PASSWORD

SignIn = Callable[[User], Client]
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_the_list_names_browsers_and_marks_this_one(alice: User, bob: User, signed_in: SignIn) -> None:
    Client().post("/login", {"login": alice.email, "password": PASSWORD}, headers={"user-agent": FIREFOX})
    signed_in(bob)
    page = signed_in(alice).get("/account/sessions/").text
    assert "Firefox · Linux" in page
    assert page.count("127.0.0.1") == 2
    assert page.count("This browser") == 1


def test_signing_out_everywhere_else_keeps_this_browser_and_ends_programs(
    alice: User, bob: User, signed_in: SignIn
) -> None:
    here, there, of_bob = signed_in(alice), signed_in(alice), signed_in(bob)
    mine, his = jwt.issue(alice), jwt.issue(bob)
    assert here.post("/account/sessions/").status_code == 302
    assert here.get("/whisper").status_code == 200
    assert there.get("/whisper").status_code == 302
    assert of_bob.get("/whisper").status_code == 200
    program = Client()
    assert program.post("/api/account/refresh", {"refresh": mine.refresh}).status_code == 401
    assert program.post("/api/account/refresh", {"refresh": his.refresh}).status_code == 200


def test_programs_are_ended_from_the_only_browser_too(alice: User, signed_in: SignIn) -> None:
    here, pair = signed_in(alice), jwt.issue(alice)
    here.post("/account/sessions/")
    assert Client().post("/api/account/refresh", {"refresh": pair.refresh}).status_code == 401
    assert here.get("/whisper").status_code == 200


def test_a_caller_without_an_address_signs_in_as_well(alice: User) -> None:
    page = Client(REMOTE_ADDR="")
    assert page.post("/login", {"login": alice.email, "password": PASSWORD}).headers["location"] == "/whisper"


def test_what_a_caller_says_of_its_address_is_not_believed_without_a_proxy_of_ours(alice: User) -> None:
    spoofed = {"x-forwarded-for": "203.0.113.9"}
    page = Client()
    page.post("/login", {"login": alice.email, "password": PASSWORD}, headers=spoofed)
    assert "203.0.113.9" not in page.get("/account/sessions/").text


def test_behind_our_proxy_the_address_that_it_tells_counts(alice: User, settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    page = Client()
    told = {"x-forwarded-for": "198.51.100.7, 203.0.113.9"}
    page.post("/login", {"login": alice.email, "password": PASSWORD}, headers=told)
    assert "203.0.113.9" in page.get("/account/sessions/").text


def test_who_came_past_too_few_of_our_proxies_is_answered_all_the_same(db: None, settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2
    wrong = {"email": "alice@example.com", "password": "wrong"}
    for told in ("203.0.113.9", "no address, at all"):
        answer = Client().post("/api/account/login", wrong, headers={"x-forwarded-for": told})
        assert answer.status_code == 401


@pytest.mark.parametrize("key", ["\0" + "a" * 31, "\0" * 20, "a" * 31 + "'"])
def test_what_no_session_can_be_called_is_looked_for_in_no_database(client: Client, db: None, key: str) -> None:
    assert SessionStore("a" * 32).session_key == "a" * 32
    assert SessionStore(key).session_key is None
    quoted = "".join(f"\\{ord(char):03o}" if char == "\0" else char for char in key)
    assert client.get("/login", headers={"cookie": f'sessionid="{quoted}"'}).status_code == 200
