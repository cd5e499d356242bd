"""The approval on a job's page follows what others do, in a real browser against a whole server."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.check.test_browser import hand_in_sample
from tests.pages.browsing import PATIENCE_MS, Open, screens
from tests.pages.browsing import browser as browser
from tests.pages.browsing import server as server
from tests.pages.browsing import signed_in as signed_in
from tests.pages.browsing import visit as visit

pytestmark = pytest.mark.browser


@screens
def test_the_part_comes_with_the_words_and_goes_along_with_another_tab(visit: Open, screen: dict[str, Any]) -> None:
    page = visit("/whisper", **screen)
    path = hand_in_sample(page, human_review="true")
    page.goto(path)
    part = page.locator("#approval")
    expect(part).to_contain_text("Nobody edits this yet.", timeout=PATIENCE_MS)
    expect(page.locator("#downloads")).to_be_visible()
    expect(page.locator("#text-state")).to_have_text("")
    other = visit(path, **screen)
    other.get_by_role("button", name="I edit this").click()
    expect(part).to_contain_text("You are editing this.", timeout=PATIENCE_MS)
    page.get_by_label("A note to whoever approves").fill("Half a sentence")
    other.get_by_role("button", name="Submit for approval").click()
    expect(other.locator("#approval")).to_contain_text("You have submitted this.", timeout=PATIENCE_MS)
    expect(page.get_by_label("A note to whoever approves")).to_have_value("Half a sentence")
    other.get_by_role("button", name="Approve", exact=True).click()
    expect(other.locator("#approval")).to_contain_text("approved this.", timeout=PATIENCE_MS)
    expect(page.locator('[data-field="status"]')).to_have_text("Completed", timeout=PATIENCE_MS)
