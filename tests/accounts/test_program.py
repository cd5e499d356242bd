"""Programs sign in with e-mail, password and second step, and are signed out again: /api/account/."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from accounts import jwt
from accounts.models import User
from tests.accounts.conftest import code_of
from tests.conftest import PASSWORD

TurnOn = Callable[[User], str]


@pytest.fixture
def client() -> APIClient:
    return APIClient()


def login(client: APIClient, user: User, password: str = PASSWORD, **more: str) -> Any:
    return client.post("/api/account/login", {"email": user.email, "password": password, **more}, format="json")


def refused(answer: Any, status: int, code: str) -> bool:
    told = answer.json()
    assert set(told) == {"ok", "message", "code", "errors"}, told
    assert (answer.status_code, told["ok"], told["code"]) == (status, False, code), told
    return bool(told["message"])


def test_login_tells_who_one_is(client: APIClient, alice: User) -> None:
    told = login(client, alice).json()
    assert set(told) == {"ok", "access", "refresh", "user"}
    assert told["user"] == {
        "id": alice.pk,
        "email": "alice@example.test",
        "name": "",
        "language": None,
        "is_admin": False,
        "tenant": "default",
        "permissions": ["whisper.use"],
    }


def test_an_answer_with_tokens_is_kept_by_no_cache(client: APIClient, alice: User) -> None:
    assert login(client, alice)["Cache-Control"] == "no-store"


@pytest.mark.parametrize("body", [{}, {"email": "alice@example.test"}, {"email": "no address", "password": "x"}, []])
def test_what_is_missing_or_no_address_is_422(client: APIClient, alice: User, body: Any) -> None:
    assert client.post("/api/account/login", body, format="json").status_code == 422


def test_somebody_deactivated_is_told_no_more_than_a_stranger(client: APIClient, alice: User) -> None:
    User.objects.update(is_active=False)
    deactivated = login(client, alice)
    alice.email = "nobody-knows@example.test"
    assert refused(deactivated, 401, "wrong_credentials")
    assert deactivated.json() == login(client, alice).json()


def test_an_address_that_was_never_confirmed_opens_nothing(client: APIClient, alice: User) -> None:
    alice.emailaddress_set.update(verified=False)
    assert refused(login(client, alice), 401, "email_unverified")


def test_a_user_without_any_address_row_was_made_by_an_operator(client: APIClient, alice: User) -> None:
    alice.emailaddress_set.all().delete()
    assert login(client, alice).status_code == 200
    assert alice.emailaddress_set.get().verified


def test_with_two_step_sign_in_a_password_alone_is_not_enough(
    client: APIClient, alice: User, second_step: TurnOn
) -> None:
    secret = second_step(alice)
    answer = login(client, alice)
    assert refused(answer, 401, "mfa_required")
    assert "WWW-Authenticate" in answer
    assert "access" not in answer.json()
    assert login(client, alice, code=code_of(secret)).status_code == 200


def test_a_wrong_code_and_one_that_was_used_are_refused(client: APIClient, alice: User, second_step: TurnOn) -> None:
    secret = second_step(alice)
    code = code_of(secret)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert refused(login(client, alice, code=wrong), 401, "mfa_wrong_code")
    assert login(client, alice, code=code).status_code == 200
    assert refused(login(client, alice, code=code), 401, "mfa_wrong_code")


def test_a_recovery_code_helps_once(client: APIClient, alice: User, second_step: TurnOn) -> None:
    second_step(alice)
    code = RecoveryCodes.activate(alice).get_unused_codes()[0]
    assert login(client, alice, code=code).status_code == 200
    assert refused(login(client, alice, code=code), 401, "mfa_wrong_code")


def test_a_code_does_not_replace_the_password(client: APIClient, alice: User, second_step: TurnOn) -> None:
    secret = second_step(alice)
    assert refused(login(client, alice, "wrong", code=code_of(secret)), 401, "wrong_credentials")


def test_guessing_passwords_is_ended_with_a_word_on_when_to_go_on(client: APIClient, alice: User) -> None:
    answers = [login(client, alice, "wrong").status_code for _try in range(6)]
    assert answers == [401] * 5 + [429]
    locked = login(client, alice)
    assert refused(locked, 429, "throttled")
    assert int(locked["Retry-After"]) > 0


def test_the_page_and_the_api_count_together(client: APIClient, alice: User) -> None:
    page = Client()
    for _try in range(5):
        page.post("/login", {"login": alice.email, "password": "wrong"})
    assert login(client, alice).status_code == 429


def test_guessing_codes_is_ended_too(client: APIClient, alice: User, second_step: TurnOn) -> None:
    secret = second_step(alice)
    answers = [login(client, alice, code="abc").status_code for _try in range(6)]
    assert answers == [401] * 5 + [429]
    assert login(client, alice, code=code_of(secret)).status_code == 429


def test_all_tries_from_one_address_are_counted(client: APIClient, alice: User, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "2/m/ip"}
    assert [login(client, alice).status_code for _try in range(3)] == [200, 200, 429]


def test_a_refresh_token_makes_one_new_pair(client: APIClient, alice: User) -> None:
    first = login(client, alice).json()["refresh"]
    told = client.post("/api/account/refresh", {"refresh": first}).json()
    assert set(told) == {"ok", "access", "refresh", "user"}
    assert refused(client.post("/api/account/refresh", {"refresh": first}), 401, "token_not_valid")
    assert client.post("/api/account/refresh", {"refresh": told["refresh"]}).status_code == 200


@pytest.mark.parametrize("text", ["", "x", "a.b.c"])
def test_what_is_no_refresh_token_is_refused(client: APIClient, db: None, text: str) -> None:
    answer = client.post("/api/account/refresh", {"refresh": text})
    assert answer.status_code == (401 if text else 422)


def test_an_access_token_is_no_refresh_token(client: APIClient, alice: User) -> None:
    access = login(client, alice).json()["access"]
    assert refused(client.post("/api/account/refresh", {"refresh": access}), 401, "token_not_valid")


def test_the_refresh_token_of_somebody_deleted_or_deactivated_is_refused(
    client: APIClient, alice: User, bob: User
) -> None:
    of_alice, of_bob = login(client, alice).json()["refresh"], login(client, bob).json()["refresh"]
    User.objects.filter(pk=alice.pk).update(is_active=False)
    bob.delete()
    for text in (of_alice, of_bob):
        assert refused(client.post("/api/account/refresh", {"refresh": text}), 401, "token_not_valid")


@pytest.mark.parametrize("path", ["/api/account/logout", "/api/account/revoke"])
def test_signing_out_ends_the_refresh_token(client: APIClient, alice: User, path: str) -> None:
    refresh = login(client, alice).json()["refresh"]
    assert client.post(path, {"refresh": refresh}).json() == {"ok": True}
    assert refused(client.post("/api/account/refresh", {"refresh": refresh}), 401, "token_not_valid")
    assert client.post(path, {"refresh": "x"}).status_code == 401


def test_a_new_password_ends_what_was_signed_in_with_the_old_one(
    client: APIClient, alice: User, signed_in: Callable[[User], Client]
) -> None:
    told = login(client, alice).json()
    page = signed_in(alice)
    new = "Another-horse-7-battery"
    page.post("/account/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {told['access']}")
    assert client.get("/api/whisper/status").status_code == 401
    assert client.post("/api/account/refresh", {"refresh": told["refresh"]}).status_code == 401
    assert page.get("/whisper").status_code == 200
    assert login(client, alice, new).status_code == 200


def test_a_password_that_was_changed_behind_our_back_ends_it_too(client: APIClient, alice: User) -> None:
    refresh = login(client, alice).json()["refresh"]
    alice.set_password("Another-horse-7-battery")
    alice.save()
    assert refused(client.post("/api/account/refresh", {"refresh": refresh}), 401, "token_not_valid")


@pytest.mark.django_db(transaction=True)
def test_of_two_that_come_with_the_same_refresh_token_one_gets_a_pair(alice: User) -> None:
    refresh = jwt.issue(alice).refresh

    def use(_turn: int) -> bool:
        try:
            jwt.rotate(refresh)
        except jwt.Refused:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, range(4))) == [False, False, False, True]
