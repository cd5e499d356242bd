"""A link from its making to its end, in a real browser: the owner's page, and visitors with and without scripts."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.pages.browsing import Open, screens
from tests.pages.browsing import browser as browser
from tests.pages.browsing import server as server
from tests.pages.browsing import signed_in as signed_in
from tests.pages.browsing import visit as visit
from tests.pages.test_look import SMALL_TARGETS, TWICE
from tests.serve.servers import RunningServer

pytestmark = pytest.mark.browser
STRANGER: dict[str, Any] = {"storage_state": {"cookies": [], "origins": []}}
NO_SCRIPTS = {**STRANGER, "java_script_enabled": False}


@pytest.fixture
def job(server: RunningServer, signed_in: Any) -> str:
    """The path of a finished talk's page."""
    return f"/whisper/jobs/{server.seed('tests.sharing.seed:talk')}"


def make_link(page: Page, **options: str) -> str:
    """Makes a link on the job's page that is open and gives its path."""
    if options:
        page.locator("#share summary").click()
        for label, value in options.items():
            page.locator("#share").get_by_label(label).fill(value)
        page.locator("#share").get_by_label("Visitors may play the recording").check()
    page.get_by_role("button", name="Make a link").click()
    expect(page.locator("#share-url")).to_be_focused()
    return urlsplit(page.locator("#share-url").input_value()).path


def is_marked(page: Page, place: str) -> bool:
    """Whether a place is in sight and stands out from the text around it."""
    background = f"getComputedStyle(document.getElementById('{place}')).backgroundColor"
    top = page.evaluate(f"document.getElementById('{place}').getBoundingClientRect().top")
    return bool(0 <= top < page.viewport_size["height"] and page.evaluate(background) != "rgba(0, 0, 0, 0)")  # type: ignore[index]


@screens
def test_a_link_is_made_read_by_a_stranger_and_revoked(visit: Open, job: str, screen: dict[str, Any]) -> None:
    owner, other = visit(job, **screen), visit(job)
    expect(other.locator("#live")).to_have_text("Live")
    link = make_link(owner)
    expect(other.locator("#share-url")).to_have_value(owner.locator("#share-url").input_value())
    stranger = visit(link, **NO_SCRIPTS, **screen)
    expect(stranger.get_by_role("heading", name="Board meeting")).to_be_visible()
    expect(stranger.get_by_text("Sentence 59,")).to_be_visible()
    stranger.get_by_role("link", name="Swedish").click()
    expect(stranger.get_by_text("Mening 59.")).to_be_visible()
    owner.get_by_role("button", name="Revoke").click()
    owner.get_by_role("button", name="Keep it").click()
    assert stranger.reload().status == 200  # type: ignore[union-attr]
    owner.get_by_role("button", name="Revoke").click()
    owner.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(owner.get_by_role("button", name="Make a link")).to_be_visible()
    expect(other.get_by_role("button", name="Make a link")).to_be_visible()
    assert stranger.reload().status == 410  # type: ignore[union-attr]
    expect(stranger.get_by_role("heading", name="This link no longer works")).to_be_visible()


def test_a_place_is_found_with_scripts_and_without(visit: Open, job: str) -> None:
    link = make_link(visit(job))
    reader = visit(f"{link}#t=203", **STRANGER)
    expect(reader.locator(".marked")).to_have_text(
        "Sentence 40, which is long enough to fill a line of the page, or nearly."
    )
    assert is_marked(reader, "t=200")
    reader.get_by_role("link", name="3:00").click()
    expect(reader.locator(".marked")).to_contain_text("Sentence 36,")
    plain = visit(f"{link}?t=203", **NO_SCRIPTS)
    assert plain.url.endswith(f"{link}#t=200")
    top = plain.locator('[id="t=200"]').bounding_box()
    assert top is not None and 0 <= top["y"] < 800


def test_the_passcode_opens_page_and_player_at_the_place_that_was_asked_for(visit: Open, job: str) -> None:
    link = make_link(visit(job), Passcode="open sesame")
    for options in (STRANGER, NO_SCRIPTS):
        reader = visit(f"{link}#t=203", **options)
        reader.get_by_label("Passcode").fill("wrong")
        reader.get_by_role("button", name="Open the transcript").click()
        expect(reader.get_by_text("That is not the passcode.")).to_be_visible()
        reader.get_by_label("Passcode").fill("open sesame")
        reader.keyboard.press("Enter")
        expect(reader.get_by_role("heading", name="Board meeting")).to_be_visible()
        if options is STRANGER:
            expect(reader.locator(".marked")).to_contain_text("Sentence 40,")
            reader.locator("audio").evaluate("(player) => player.load() || player.play()")
            reader.wait_for_function("document.querySelector('audio').currentTime >= 203")


PAINTED = "(name) => [...(CSS.highlights.get(name) ?? [])].map((range) => range.toString())"


def test_words_are_found_marked_counted_and_gone_to(visit: Open, job: str) -> None:
    reader = visit(make_link(visit(job)), **STRANGER)
    reader.keyboard.press("/")
    expect(reader.get_by_label("Search in the transcript")).to_be_focused()
    reader.keyboard.type("Sentence  4")
    expect(reader.locator("#found")).to_have_text("1 of 11")
    assert reader.evaluate(PAINTED, "hit") == ["Sentence 4"] * 11
    reader.keyboard.press("Shift+Enter")
    expect(reader.locator("#found")).to_have_text("11 of 11")
    assert reader.evaluate(PAINTED, "hit-now") == ["Sentence 4"]
    expect(reader.get_by_text("Sentence 49,")).to_be_in_viewport()
    reader.get_by_role("button", name="Next place").click()
    expect(reader.locator("#found")).to_have_text("1 of 11")
    reader.get_by_label("Search in the transcript").fill("(.*")
    expect(reader.locator("#found")).to_have_text("Not found")
    reader.get_by_label("Search in the transcript").press("Escape")
    expect(reader.locator("#found")).to_have_text("")
    assert reader.evaluate(PAINTED, "hit") == []


def test_the_word_that_is_said_is_marked_and_a_click_plays_from_there(visit: Open, job: str) -> None:
    owner = visit(job)
    owner.locator("#share summary").click()
    owner.locator("#share").get_by_label("Visitors may play the recording").check()
    reader = visit(make_link(owner), **STRANGER)
    player = reader.locator("audio")
    with reader.expect_response("**/words"):
        player.evaluate("(player) => player.play()")
    reader.wait_for_function("() => CSS.highlights.has('said')")
    player.evaluate("(player) => player.pause()")
    reader.get_by_text("Sentence 12,").click()
    reader.wait_for_function("() => document.querySelector('audio').currentTime >= 60")
    reader.wait_for_function("() => [...CSS.highlights.get('said')][0].toString().startsWith('Sentence 12,')")
    reader.get_by_label("Speed").select_option("1.5")
    assert player.evaluate("(player) => player.playbackRate") == 1.5


def test_a_link_to_a_paragraph_is_copied(visit: Open, job: str) -> None:
    link = make_link(visit(job))
    reader = visit(link, **STRANGER, permissions=["clipboard-read", "clipboard-write"])
    reader.get_by_role("link", name="3:00").focus()
    reader.keyboard.press("Tab")
    expect(reader.get_by_role("button", name="Copy a link to this place")).to_be_focused()
    reader.keyboard.press("Enter")
    expect(reader.get_by_text("The link is copied.")).to_be_attached()
    assert reader.evaluate("navigator.clipboard.readText()").endswith(f"{link}#t=180")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_every_screen(visit: Open, job: str, width: int, scheme: str) -> None:
    screen = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme, "has_touch": width == 360}
    owner = visit(job, **screen)
    link = make_link(owner, Passcode="sesame")
    owner.locator("#share summary").click()
    stranger = visit(link, **STRANGER, **screen)
    for page in (owner, stranger):
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(TWICE) == []
    small = [one for one in owner.evaluate(SMALL_TARGETS) if 'type="checkbox"' not in one]
    assert [*small, *stranger.evaluate(SMALL_TARGETS)] == []
    stranger.get_by_label("Passcode").fill("sesame")
    stranger.keyboard.press("Enter")
    expect(stranger.get_by_role("heading", name="Board meeting")).to_be_visible()
    assert stranger.evaluate("document.documentElement.scrollWidth") == width
    assert stranger.evaluate(SMALL_TARGETS) == []
    paper = stranger.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (sum(map(int, paper[4:-1].split(","))) > 384) == (scheme == "light")


def test_the_owner_shares_without_scripts_too(visit: Open, job: str) -> None:
    owner = visit(job, java_script_enabled=False)
    owner.get_by_role("button", name="Make a link").click()
    expect(owner.locator("#share-url")).to_be_visible()
    owner.get_by_role("button", name="Revoke").click()
    expect(owner.get_by_role("button", name="Make a link")).to_be_visible()
