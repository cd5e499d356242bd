"""The queue overview and the admin pages in a real browser: kept up to date by themselves, and under the same policy."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.pages.browsing import PATIENCE_MS, Open, hand_in, tone
from tests.pages.browsing import browser as browser
from tests.pages.browsing import server as server
from tests.pages.browsing import signed_in as signed_in
from tests.pages.browsing import visit as visit

pytestmark = pytest.mark.browser
PAGE = "/whisper/manage"


def tile(page: Page, name: str) -> str:
    return page.locator(".tiles a", has_text=name).locator("strong").inner_text()


def test_numbers_change_by_themselves_except_where_somebody_is(visit: Open) -> None:
    board = visit(PAGE)
    assert tile(board, "Failed") == "0"
    board.locator(".tiles a", has_text="Failed").focus()
    hand_in(visit("/whisper"), "quiet.wav", tone())
    expect(board.locator("[data-part=failures]")).to_contain_text("no_speech", timeout=PATIENCE_MS)
    assert tile(board, "Failed") == "0", "what has the focus is not taken away"
    board.evaluate("document.activeElement.blur()")
    expect(board.locator(".tiles a", has_text="Failed").locator("strong")).to_have_text("1", timeout=15_000)
    assert board.locator("#live").get_attribute("data-state") == "open"


def test_a_page_that_nobody_looks_at_asks_for_nothing(visit: Open) -> None:
    board = visit(PAGE)
    asked: list[str] = []
    board.on("request", lambda request: asked.append(request.url))
    with board.expect_request(f"**{PAGE}", timeout=15_000):
        pass
    board.evaluate(
        """Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
           document.dispatchEvent(new Event("visibilitychange"));"""
    )
    before = len(asked)
    board.wait_for_timeout(7_000)
    assert len(asked) == before
    with board.expect_request(f"**{PAGE}", timeout=3_000):
        board.evaluate(
            """Object.defineProperty(document, "visibilityState", { value: "visible", configurable: true });
               document.dispatchEvent(new Event("visibilitychange"));"""
        )


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits(visit: Open, width: int, scheme: str) -> None:
    board = visit(PAGE, viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert board.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/whisper/job/",
        "/admin/whisper/delivery/",
        "/admin/accounts/user/",
        "/admin/accounts/user/1/change/",
        "/admin/accounts/user/add/",
        "/admin/accounts/tenant/1/change/",
        "/admin/whisper/prompttemplate/add/",
    ],
)
def test_admin_pages_run_under_the_same_policy_as_all_others(visit: Open, path: str) -> None:
    page = visit(path)
    expect(page.get_by_text("Tools Whisper administration").first).to_be_visible()
    assert "unsafe" not in (page.request.get(path).headers["content-security-policy"])
