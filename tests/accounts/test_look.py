"""Every page of signing in and of the account is one of ours: in our frame, with a title, for strangers and for members."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver

from accounts import tokens, urls
from accounts.models import User
from accounts.permissions import grant

#: Pages that lead elsewhere or answer something else than a page, each for its reason.
NO_PAGE = {
    "logout": "by form only",
    "account_logout": "by form only",
    "set_language": "by form only",
    "openid_connect_login": "there is no provider",
    "openid_connect_callback": "there is no provider",
    "mfa_login_webauthn": "the start of a passkey sign-in, as JSON",
    "mfa_download_recovery_codes": "they are shown once",
}
#: What a member without a second step does not have.
NOT_THERE = {"mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_edit_webauthn", "mfa_remove_webauthn"}
FILLED_IN = {
    "<int:pk>": "1",
    r"(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)": "a-b",
    "<str:provider_id>": "oidc",
    "^": "",
    "$": "",
}


def addresses(patterns: list[Any], prefix: str = "/") -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        for place, value in FILLED_IN.items():
            path = path.replace(place, value)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield str(pattern.name), path


PAGES = sorted((name, path) for name, path in addresses(urls.urlpatterns) if name not in NO_PAGE)


def is_ours(html: str) -> bool:
    title = re.search(r"<title>\s*\S.* · Tools Whisper</title>", html)
    return bool(title) and '<main class="page"' in html and "css/account.css" in html and "<h1" in html


@pytest.fixture
def member(alice: User, second_step: Callable[[User], str]) -> User:
    grant(alice, "whisper.api")
    tokens.create(alice, tokens.API)
    Authenticator.objects.all().delete()
    return alice


def status_of(name: str) -> int:
    return 401 if name.endswith("login_error") else 200


def test_a_member_sees_our_frame(member: User, signed_in: Callable[[User], Client]) -> None:
    page = signed_in(member)
    for name, path in PAGES:
        own = path.replace("tokens/1/", f"tokens/{member.personal_tokens.get().pk}/")
        answer = page.get(own, follow=True)
        assert answer.status_code == (404 if name in NOT_THERE else status_of(name)), path
        if answer.status_code != 404 and answer.wsgi_request.path != "/whisper":
            assert is_ours(answer.text), path


def test_a_stranger_sees_our_frame_or_signs_in(client: Client, member: User) -> None:
    for name, path in PAGES:
        answer = client.get(path, follow=True)
        assert answer.status_code == status_of(name), path
        assert is_ours(answer.text), path


def test_no_page_carries_scripts_or_styles_of_its_own(member: User, signed_in: Callable[[User], Client]) -> None:
    page = signed_in(member)
    for _name, path in PAGES:
        html = page.get(path, follow=True).text
        assert "style=" not in html and "<style" not in html, path
        assert not re.search(r"<script(?![^>]*(src=|type=\"application/json\"))", html), path
        assert not re.search(r"\son\w+=", html), path


def test_the_library_has_no_page_that_is_not_looked_at() -> None:
    assert settings.LOGIN_URL == "/login"
    assert {name for name, _path in addresses(urls.urlpatterns)} >= set(NO_PAGE)
    assert len(PAGES) > 30
