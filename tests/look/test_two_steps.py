"""The pages of two-step verification can be read by everyone too; each is looked at where it comes in somebody's way."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.accounts.conftest import code_of
from tests.look.looking import complaints
from tests.look.pages import TWO_STEPS
from tests.pages.browsing import browser as browser
from tests.pages.browsing import close_windows
from tests.pages.browsing import server as server
from tests.serve.servers import RunningServer

PASSWORD = "nine-lives-of-a-cat"
CODE_PAGE = "account/two-step/authenticate/"


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "sv"])
def test_they_are_for_everyone(server: RunningServer, browser: Browser, language: str) -> None:
    email = f"{language}@example.test"
    secret = server.seed("tests.look.seed:careful", email, PASSWORD)
    # A passkey belongs to a name, never to a number.
    base = f"http://localhost:{server.port}"
    window = browser.new_context(base_url=base, locale=language, reduced_motion="reduce").new_page()
    try:
        _type_password(window, email)
        wrong = {CODE_PAGE: complaints(window, language)}
        _type_code(window, secret)
        _add_passkey(window)
        key = server.seed("tests.look.seed:key_of", email)
        for path in [each.format(key=key) for each in TWO_STEPS.values() if each != CODE_PAGE]:
            answer = window.goto("/" + path)
            assert answer is not None and (path, answer.status) == (path, 200)
            assert window.url.endswith(path), "it is that page which is looked at"
            wrong[path] = complaints(window, language)
    finally:
        close_windows(browser)
    assert {path: told for path, told in wrong.items() if told} == {}


def _type_password(window: Page, email: str) -> None:
    window.goto("/login")
    window.locator("input[name=login]").fill(email)
    window.locator("input[name=password]").fill(PASSWORD)
    window.keyboard.press("Enter")
    window.wait_for_url(f"**/{CODE_PAGE}")


def _type_code(window: Page, secret: str) -> None:
    window.locator("input[name=code]").fill(code_of(secret))
    window.keyboard.press("Enter")
    window.wait_for_url("**/whisper")


def _add_passkey(window: Page) -> None:
    devices = window.context.new_cdp_session(window)
    devices.send("WebAuthn.enable")
    key = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": {**key, "isUserVerified": True}})
    window.goto("/account/two-step/webauthn/add/")
    window.locator("input[name=name]").fill("My key")
    window.locator("#mfa_webauthn_add").click()
    window.wait_for_url(lambda url: "/add/" not in url)
