"""The language a person has chosen, on pages and in the API."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts import jwt, tokens
from accounts.models import User
from accounts.permissions import grant

SignIn = Callable[[User], Client]
ENGLISH, SWEDISH = {"accept-language": "en"}, {"accept-language": "sv"}


def language_of(page: Client, path: str = "/whisper", headers: dict[str, str] = ENGLISH) -> str:
    return str(page.get(path, headers=headers).text.partition('<html lang="')[2][:2])


def test_the_chosen_language_wins_over_the_browser(alice: User, signed_in: SignIn) -> None:
    page = signed_in(alice)
    assert language_of(page) == "en"
    page.post("/account/", {"name": "Alice", "language": "sv"})
    assert (language_of(page), language_of(signed_in(alice))) == ("sv", "sv")
    alice.refresh_from_db()
    assert (alice.name, alice.language) == ("Alice", "sv")


def test_following_the_browser_can_be_chosen_again(alice: User, signed_in: SignIn) -> None:
    page = signed_in(alice)
    page.post("/language", {"language": "sv", "next": "/account/"})
    assert language_of(page) == "sv"
    page.post("/account/", {"name": "", "language": ""})
    assert (language_of(page), language_of(page, headers=SWEDISH)) == ("en", "sv")


def test_the_switch_in_the_menu_is_kept_with_the_person(alice: User, bob: User, signed_in: SignIn) -> None:
    signed_in(alice).post("/language", {"language": "sv", "next": "/whisper"})
    assert language_of(signed_in(alice)) == "sv"
    assert language_of(signed_in(bob)) == "en"


@pytest.mark.parametrize("language", ["de", "xx", "../../etc"])
def test_a_language_that_the_site_does_not_speak_is_not_kept(alice: User, signed_in: SignIn, language: str) -> None:
    page = signed_in(alice)
    page.post("/language", {"language": language, "next": "/whisper"})
    assert page.post("/account/", {"name": "", "language": language}).status_code == 422
    alice.refresh_from_db()
    assert alice.language == ""


def test_the_api_answers_in_the_language_of_who_asks_by_whatever_means(alice: User) -> None:
    grant(alice, "whisper.api")
    User.objects.update(language="sv")
    told = {}
    for name, bearer in (("jwt", jwt.issue(alice).access), ("token", tokens.create(alice, tokens.API).token)):
        path = "/api/whisper/jobs/999" if name == "jwt" else "/api/whisper/transcribe/jobs/999"
        headers = {**ENGLISH, "authorization": f"Bearer {bearer}"}
        told[name] = Client().get(path, headers=headers).json()["message"]
    assert told["jwt"] == told["token"] != "There is no such job."


def test_one_persons_language_does_not_stay_for_the_next(alice: User, bob: User, signed_in: SignIn) -> None:
    User.objects.filter(pk=alice.pk).update(language="sv")
    his, hers = signed_in(bob), signed_in(alice)
    assert [language_of(hers), language_of(his), language_of(Client(), "/login")] == ["sv", "en", "en"]
