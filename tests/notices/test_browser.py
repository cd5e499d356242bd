"""Signing out in a real browser ends its notices. No push service is in reach here, so its subscription is a stand-in."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from tests.notices.conftest import Browser
from tests.pages.browsing import Open
from tests.pages.browsing import browser as browser
from tests.pages.browsing import server as server
from tests.pages.browsing import signed_in as signed_in
from tests.pages.browsing import visit as visit
from tests.serve.servers import ADMIN

pytestmark = pytest.mark.browser
PAGE = "/account/notices/"
ENDPOINT = "http://127.0.0.1:9/browser"
LISTED = "127.0.0.1:9"
SUBSCRIBED = """
PushManager.prototype.getSubscription = async () => ({
  endpoint: %s,
  unsubscribe: async () => localStorage.setItem("ended", "yes"),
});
"""


def sign_in(page: Page) -> None:
    """With a session of its own, that it may end."""
    page.locator('input[type="email"], input[name="login"]').first.fill(ADMIN[0])
    page.locator('input[type="password"]').fill(ADMIN[1])
    page.keyboard.press("Enter")
    page.wait_for_url("**/whisper")
    # The page is there, and no other on its way.
    expect(page.get_by_role("button", name="Try it with a sample recording")).to_be_visible()
    page.wait_for_load_state("networkidle")


def sign_out(page: Page) -> None:
    page.evaluate("navigator.serviceWorker.ready")
    page.locator("details.menu summary").first.click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login**")


def subscribe(page: Page) -> None:
    token = page.locator('input[name="csrfmiddlewaretoken"]').first.input_value()
    origin = page.url.split("/whisper")[0]
    form: dict[str, str | float | bool] = {**Browser(ENDPOINT).told, "csrfmiddlewaretoken": token}
    answer = page.request.post(f"{origin}{PAGE}browser/", form=form, headers={"Referer": page.url})
    assert answer.status == 200, answer.text()


def test_whoever_signs_out_gets_no_more_notices_here(visit: Open) -> None:
    page = visit("/", storage_state=None)
    sign_in(page)
    subscribe(page)
    page.add_init_script(SUBSCRIBED % json.dumps(ENDPOINT))
    page.goto("/account/")
    sign_out(page)
    assert page.evaluate('localStorage.getItem("ended")') == "yes"
    sign_in(page)
    page.goto(PAGE)
    expect(page.locator("#push")).not_to_contain_text(LISTED)


@pytest.mark.parametrize(
    "broken",
    [
        "PushManager.prototype.getSubscription = () => Promise.reject(new Error('broken'));",
        "PushManager.prototype.getSubscription = () => new Promise(() => {});",
        "delete window.PushManager; delete ServiceWorkerRegistration.prototype.pushManager;",
    ],
)
def test_whatever_fails_signing_out_goes_on(visit: Open, broken: str) -> None:
    page = visit("/", storage_state=None)
    sign_in(page)
    page.add_init_script(broken)
    page.goto("/account/")
    sign_out(page)
