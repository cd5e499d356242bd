"""The library in a real browser: found while it is typed, chosen by mouse and keyboard, thrown away and taken back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.pages.browsing import Open, screens
from tests.pages.browsing import browser as browser
from tests.pages.browsing import server as server
from tests.pages.browsing import signed_in as signed_in
from tests.pages.browsing import visit as visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", autouse=True)
def shelf(server: Any, signed_in: Any) -> None:
    server.seed("tests.library.seed:main")


def titles(page: Page) -> Any:
    return page.locator(".find-title")


def boxes(page: Page) -> Any:
    return page.locator('input[name="jobs"]')


@screens
def test_results_come_while_one_types_and_the_address_keeps_them(visit: Open, screen: dict[str, Any]) -> None:
    page = visit("/whisper/library", **screen)
    expect(titles(page)).to_have_count(5)
    page.keyboard.press("/")
    page.keyboard.type("harb")
    expect(titles(page)).to_have_count(2)
    expect(page.locator(".places mark").first).to_have_text("harbour")
    expect(page).to_have_url(re.compile(r"\?q=harb$"))
    page.reload()
    expect(titles(page)).to_have_count(2)
    page.locator(".places a").first.click()
    expect(page).to_have_url(re.compile(r"/whisper/jobs/\d+#t=\d+$"))
    page.go_back()
    expect(page.get_by_role("searchbox")).to_have_value("harb")


def test_what_was_said_stays_text(visit: Open) -> None:
    page = visit("/whisper/library?q=script")
    expect(page.locator(".places li")).to_contain_text("the <script>harbour</script> is")


def test_nothing_found_says_so_and_a_lost_server_too(visit: Open) -> None:
    page = visit("/whisper/library")
    page.get_by_role("searchbox").fill("xylophonist")
    expect(page.get_by_role("heading", name="No recording matches")).to_be_visible()
    page.route("**/whisper/library**", lambda route: route.abort())
    page.get_by_role("searchbox").fill("harbour")
    expect(page.get_by_role("alert")).to_contain_text("The server could not be reached")
    page.unroute("**/whisper/library**")
    page.get_by_role("button", name="Try again").click()
    expect(titles(page)).to_have_count(2)
    expect(page.get_by_role("alert")).to_be_hidden()


def test_by_keyboard_alone(visit: Open) -> None:
    page = visit("/whisper/library?sort=title")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(titles(page).nth(1).get_by_role("link")).to_be_focused()
    page.keyboard.press("x")
    expect(boxes(page).nth(1)).to_be_checked()
    expect(page.locator("#count")).to_have_text("Chosen: 1")
    page.keyboard.press("k")
    expect(titles(page).nth(0).get_by_role("link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/whisper/jobs/\d+"))


def test_shift_chooses_all_between(visit: Open) -> None:
    page = visit("/whisper/library")
    discard = page.get_by_role("button", name="Move to the trash")
    expect(discard).to_be_disabled()
    boxes(page).nth(1).check()
    boxes(page).nth(3).click(modifiers=["Shift"])
    expect(page.locator("#count")).to_have_text("Chosen: 3")
    expect(discard).to_be_enabled()
    page.get_by_label("All on this page").check()
    expect(page.locator("#count")).to_have_text("Chosen: 5")


@screens
def test_the_trash_gives_back_what_it_took(visit: Open, screen: dict[str, Any]) -> None:
    page = visit("/whisper/library?q=choir", **screen)
    boxes(page).check()
    page.get_by_role("button", name="Move to the trash").click()
    expect(page.locator("#undo")).to_contain_text("1 recording is in the trash.")
    expect(page).to_have_url(re.compile(r"\?q=choir$"))
    expect(titles(page)).to_have_count(0)
    page.get_by_role("link", name="Open the trash").click()
    expect(titles(page)).to_have_text(["Choir practice"])
    boxes(page).check()
    page.get_by_role("button", name="Take out of the trash").click()
    expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()
    page.goto("/whisper/library?q=choir")
    expect(titles(page)).to_have_count(1)


def test_undo_is_one_press_away(visit: Open) -> None:
    page = visit("/whisper/library?q=choir")
    boxes(page).check()
    page.get_by_role("button", name="Move to the trash").click()
    page.get_by_role("button", name="Undo").click()
    expect(titles(page)).to_have_text(["Choir practice"])


def test_a_tag_is_put_on_found_and_taken_off(visit: Open) -> None:
    page = visit("/whisper/library?q=motley")
    boxes(page).check()
    page.locator("summary", has_text="Tags").click()
    page.get_by_label("Tag", exact=True).last.fill("Music")
    page.get_by_role("button", name="Add the tag").click()
    page.get_by_role("link", name="Music").click()
    expect(titles(page)).to_have_count(1)
    expect(titles(page)).to_contain_text("Mötley")


def test_a_filter_narrows_at_once(visit: Open) -> None:
    page = visit("/whisper/library")
    page.get_by_text("Filters and order").click()
    page.get_by_label("Tag", exact=True).first.select_option(label="Council")
    expect(titles(page)).to_have_text(["Harbour meeting, spring"])
    expect(page).to_have_url(re.compile(r"\?tag=\d+$"))


def test_everything_fits_a_small_phone(visit: Open) -> None:
    page = visit("/whisper/library?q=the", viewport={"width": 360, "height": 740}, has_touch=True)
    for path in (
        "/whisper/library?q=the",
        "/whisper/library?tag=1",
        "/whisper/library?view=trash",
        "/whisper/library/shelves",
    ):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_without_scripts_all_of_it_works(visit: Open) -> None:
    page = visit("/whisper/library", java_script_enabled=False)
    page.get_by_role("searchbox").fill("crane")
    page.get_by_role("button", name="Search").click()
    expect(titles(page)).to_have_text(["Harbour meeting, spring"])
    boxes(page).check()
    page.get_by_role("button", name="Move to the trash").click()
    expect(page.locator("#undo")).to_contain_text("1 recording is in the trash.")
    page.get_by_role("button", name="Undo").click()
    expect(titles(page)).to_have_count(1)
