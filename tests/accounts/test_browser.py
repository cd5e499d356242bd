"""In a real browser: two-step sign-in by app and by passkey, a token that is copied, the language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.accounts.conftest import code_of
from tests.conftest import PASSWORD
from tests.pages.browsing import browser as browser
from tests.pages.browsing import server as server
from tests.serve.servers import RunningServer

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def person(server: RunningServer) -> Callable[[str], str]:
    """Makes somebody who may use tokens; answers the address."""

    def make(name: str) -> str:
        email = f"{name}@example.test"
        permissions = ["--perm", "whisper.use", "--perm", "whisper.api"]
        server.manage("create_user", email, "--password", PASSWORD, *permissions)
        return email

    return make


@pytest.fixture
def window(server: RunningServer, browser: Browser) -> Iterator[Open]:
    """A fresh window without anybody signed in. At the end no script may have failed and no policy may have been broken."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_window(**options: Any) -> Page:
        # By name, since passkeys belong to names.
        base = f"http://localhost:{server.port}"
        contexts.append(browser.new_context(base_url=base, **{"locale": "en-GB", **options}))
        page = contexts[-1].new_page()
        page.on("console", lambda told: complaints.append(told.text) if told.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page: Page, email: str) -> None:
    page.goto("/login")
    page.keyboard.type(email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: urlsplit(url).path != "/login")


def sign_out(page: Page) -> None:
    page.goto("/account/")
    page.get_by_text("Settings", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")


def test_an_authenticator_app_is_set_up_and_asked_for(window: Open, person: Callable[[str], str]) -> None:
    page, email = window(viewport={"width": 360, "height": 760}), person("ann")
    sign_in(page, email)
    page.goto("/account/")
    page.get_by_role("link", name="Manage two-step sign-in").click()
    page.get_by_role("link", name="Set up").click()
    expect(page.get_by_alt_text("QR code of the secret below")).to_be_visible()
    secret = page.get_by_label("Secret").input_value()
    page.get_by_label("Authenticator code").fill(code_of(secret))
    page.get_by_role("button", name="Turn on").click()
    codes = page.get_by_label("Unused codes").input_value().split()
    assert len(codes) == 10
    page.get_by_role("link", name="I have saved them").click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    sign_out(page)
    sign_in(page, email)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    page.keyboard.type(codes[0])
    page.keyboard.press("Enter")
    page.wait_for_url("**/whisper")


def test_a_passkey_lets_in_without_a_password(window: Open, person: Callable[[str], str]) -> None:
    page = window()
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    key = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": {**key, "isUserVerified": True}})
    sign_in(page, person("ben"))
    page.goto("/account/two-step/webauthn/add/")
    page.get_by_label("Name").fill("Phone")
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    page.wait_for_url("**/recovery-codes/**")
    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/whisper")
    page.goto("/account/two-step/webauthn/")
    expect(page.get_by_text("Phone")).to_be_visible()


def test_a_key_that_is_not_there_is_told(window: Open) -> None:
    page = window()
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    key = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": {**key, "isUserVerified": False}})
    page.goto("/login")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("The key could not be used")


def test_a_token_is_made_copied_and_works(window: Open, person: Callable[[str], str], server: RunningServer) -> None:
    page = window()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(page, person("cia"))
    page.goto("/account/")
    page.get_by_role("link", name="New token").click()
    page.get_by_label("Name").fill("archive")
    page.get_by_label("Expires after").select_option("365")
    page.get_by_role("button", name="Create the token").click()
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    token = page.evaluate("navigator.clipboard.readText()")
    assert token == page.get_by_label("Token", exact=True).input_value()
    url = f"http://localhost:{server.port}/api/whisper/transcribe/status"
    assert httpx2.get(url, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    page.get_by_role("link", name="I have copied them").click()
    page.get_by_role("link", name="archive").click()
    page.get_by_role("link", name="Revoke the token").click()
    page.get_by_role("button", name="Revoke the token").click()
    expect(page.get_by_role("status")).to_contain_text("revoked")
    assert httpx2.get(url, headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_the_language_goes_with_the_person(window: Open, person: Callable[[str], str]) -> None:
    page, email = window(), person("dan")
    sign_in(page, email)
    page.goto("/account/")
    page.get_by_label("Language", exact=True).select_option("sv")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("lang", "sv")
    other = window()
    sign_in(other, email)
    expect(other.locator("html")).to_have_attribute("lang", "sv")
