"""Listening in a real browser: the player, the words that go along with it, keys, search, links to places."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages.browsing import PATIENCE_MS, Open, close_windows, screens
from tests.pages.browsing import browser as browser
from tests.pages.browsing import server as server
from tests.pages.browsing import signed_in as signed_in
from tests.pages.browsing import visit as visit
from tests.pages.test_look import NAMELESS, SMALL_TARGETS, TWICE
from tests.serve.servers import RunningServer

pytestmark = pytest.mark.browser
#: Names of marks → the words that carry them.
MARKED = "(name) => [...(CSS.highlights.get(name) ?? [])].map(String)"


@pytest.fixture(scope="module")
def talk(server: RunningServer, signed_in: Any, browser: Browser) -> str:
    """The path of the sample, transcribed while its page was open; nothing jumped there."""
    context = browser.new_context(base_url=f"http://127.0.0.1:{server.port}", storage_state=signed_in, locale="en-GB")
    page = context.new_page()
    page.goto("/whisper")
    page.get_by_role("button", name="Try it with a sample recording").click()
    page.wait_for_url("**/whisper/jobs/*")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    expect(page.locator('[data-field="status"]')).to_have_text("Completed", timeout=PATIENCE_MS)
    # It came while the page was open, once the sound was decoded.
    expect(page.locator('[data-field="wave"] > *')).to_have_count(1)
    path = page.url.removeprefix(f"http://127.0.0.1:{server.port}")
    close_windows(browser)
    return path


def opened(visit: Open, path: str, **options: Any) -> Page:
    page = visit(path, **options)
    expect(page.locator("#text .paragraph").first).to_be_visible()
    return page


def time_of(page: Page) -> float:
    return float(page.evaluate("document.querySelector('[data-field=media]').currentTime"))


def is_playing(page: Page) -> bool:
    return not page.evaluate("document.querySelector('[data-field=media]').paused")


@screens
def test_a_click_on_a_word_plays_it_and_what_is_said_is_marked(talk: str, visit: Open, screen: dict[str, Any]) -> None:
    page = opened(visit, talk, **screen)
    box = page.evaluate("""() => {
      const span = document.querySelectorAll("#text [data-id]")[1];
      span.scrollIntoView({ block: "center" });
      const range = document.createRange();
      const end = span.textContent.indexOf(" ");
      range.setStart(span.firstChild, 0);
      range.setEnd(span.firstChild, end < 0 ? span.firstChild.length : end);
      const { x, y, width, height } = range.getBoundingClientRect();
      return { x: x + width / 2, y: y + height / 2, start: Number(span.dataset.start), word: String(range) };
    }""")
    page.mouse.click(box["x"], box["y"])
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    assert time_of(page) >= box["start"] - 0.1
    expect(page.locator(".paragraph.playing")).to_have_count(1)
    for _ in range(100):
        if page.evaluate(MARKED, "said"):
            break
        page.wait_for_timeout(50)
    assert len(page.evaluate(MARKED, "said")) == 1
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert not is_playing(page)


def test_a_selection_is_not_a_click(talk: str, visit: Open) -> None:
    page = opened(visit, talk)
    page.locator("#text [data-id]").first.dblclick()
    page.get_by_role("button", name="Pause").or_(page.get_by_role("button", name="Play", exact=True)).wait_for()
    page.keyboard.press("Space") if is_playing(page) else None
    before = time_of(page)
    page.locator("#text [data-id]").nth(2).select_text()
    page.locator("#text [data-id]").nth(2).dispatch_event("click")
    assert time_of(page) == before


def test_the_keys_move_the_sound_the_speed_and_the_reader(talk: str, visit: Open) -> None:
    page = opened(visit, talk)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator('[data-field="time"]')).to_have_text("0:10")
    page.keyboard.press("ArrowLeft")
    expect(page.locator('[data-field="time"]')).to_have_text("0:05")
    page.keyboard.press(">")
    expect(page.get_by_label("Speed")).to_have_value("1.25")
    assert page.evaluate("document.querySelector('[data-field=media]').preservesPitch")
    page.keyboard.press("ArrowDown")
    second = page.locator("#text .paragraph").nth(1)
    expect(second).to_be_focused()
    told = second.locator("[data-id]").first.get_attribute("data-start")
    assert time_of(page) == pytest.approx(float(told or -1), abs=0.1)
    page.keyboard.press("ArrowUp")
    expect(page.locator("#text .paragraph").first).to_be_focused()


def test_the_sheet_of_keys_opens_lists_them_and_closes(talk: str, visit: Open) -> None:
    page = opened(visit, talk)
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet).to_be_visible()
    for name in ("Play or pause", "Next paragraph", "Search in the transcript"):
        expect(sheet.get_by_text(name, exact=True)).to_be_visible()
    before = time_of(page)
    page.keyboard.press("ArrowRight")
    assert time_of(page) == before
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)


def test_search_counts_marks_and_goes_round(talk: str, visit: Open) -> None:
    page = opened(visit, talk)
    text = page.locator("#text").inner_text().lower()
    word = "the"
    total = len(re.findall(word, text))
    assert total > 1
    page.keyboard.press("/")
    field = page.get_by_role("searchbox", name="Search in the transcript")
    expect(field).to_be_focused()
    page.keyboard.type(word.upper())
    told = page.locator("#find output")
    expect(told).to_have_text(f"{total} found")
    assert [one.lower() for one in page.evaluate(MARKED, "found")] == [word] * total
    page.keyboard.press("Enter")
    expect(told).to_have_text(f"1 of {total}")
    page.keyboard.press("Shift+Enter")
    expect(told).to_have_text(f"{total} of {total}")
    # What is typed is no command.
    assert not is_playing(page)
    field.fill("no such words (at all")
    expect(told).to_have_text("No match")
    page.keyboard.press("Escape")
    expect(told).to_be_empty()
    assert page.evaluate(MARKED, "found") == []


def test_a_link_to_a_place_opens_there_and_can_be_copied(talk: str, visit: Open) -> None:
    page = opened(visit, f"{talk}#t=12", permissions=["clipboard-read", "clipboard-write"])
    expect(page.locator('[data-field="time"]')).to_have_text("0:12")
    expect(page.locator("#text .found")).to_be_in_viewport()
    assert not is_playing(page)
    paragraph = page.locator("#text .paragraph").nth(1)
    paragraph.hover()
    paragraph.get_by_role("button", name="Copy a link to this place").click()
    expect(page.locator("#announce")).to_have_text("Copied")
    href = paragraph.locator(".clock").get_attribute("href") or "-"
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.endswith(f"{talk}{href}")
    assert re.fullmatch(r"#t=\d+(\.\d+)?", href)


def test_place_and_speed_are_remembered_for_this_recording(talk: str, visit: Open) -> None:
    page = opened(visit, talk)
    page.keyboard.press("ArrowRight")
    page.get_by_label("Speed").select_option("1.5")
    expect(page.locator('[data-field="time"]')).to_have_text("0:05")
    page.reload()
    expect(page.locator('[data-field="time"]')).to_have_text("0:05")
    expect(page.get_by_label("Speed")).to_have_value("1.5")
    assert page.evaluate("document.querySelector('[data-field=media]').playbackRate") == 1.5


def test_a_part_is_played_and_stops_at_its_end(talk: str, visit: Open) -> None:
    page = opened(visit, talk)
    stopped = page.evaluate("""async () => {
      const scripts = performance.getEntriesByType("resource").map(({ name }) => name);
      const { playerOn } = await import(scripts.find((name) => /[/]player[.][^/]*js$/.test(new URL(name).pathname)));
      const player = playerOn(document.getElementById("player"));
      player.playSpan(3, 3.6);
      return new Promise((done) => player.media.addEventListener("pause", () => done(player.time), { once: true }));
    }""")
    assert 3.6 <= stopped < 4.5


def test_scrolling_by_hand_ends_following_and_f_takes_it_up(talk: str, visit: Open) -> None:
    page = opened(visit, talk)
    button = page.get_by_role("button", name="Follow")
    expect(button).to_have_attribute("aria-pressed", "true")
    page.mouse.move(600, 600)
    page.mouse.wheel(0, 200)
    expect(button).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("f")
    expect(button).to_have_attribute("aria-pressed", "true")


def test_a_recording_that_cannot_be_loaded_says_why(talk: str, visit: Open) -> None:
    page = visit("/whisper")
    page.route("**/media", lambda route: route.fulfill(status=404, body="gone"))
    page.goto(talk)
    expect(page.locator('[data-field="player-told"]')).to_have_text("The recording is no longer on this server.")


CORRECT = """async (path) => {
  const token = document.querySelector('input[name="csrfmiddlewaretoken"]').value;
  const headers = { "X-CSRFToken": token, "Content-Type": "application/json" };
  const { segments } = await (await fetch(`${path}/segments`)).json();
  const send = (body) => fetch(`${path}/corrections`, {
    method: "POST", headers, body: JSON.stringify({ request_id: crypto.randomUUID(), ...body }),
  });
  const [first, second] = segments.map(({ id, revision }) => ({ id, revision }));
  const answers = [
    await send({ kind: "text", segment: first, text: "Written anew by somebody else." }),
    await send({ kind: "delete", segments: [second] }),
    await send({ kind: "speakers", rename: { SPEAKER_00: "Åsa" } }),
  ];
  return answers.map(({ status }) => status).concat(segments[1].text);
}"""


def test_corrections_that_somebody_makes_elsewhere_come_into_the_text(talk: str, visit: Open) -> None:
    reading, correcting = opened(visit, talk), opened(visit, talk)
    expect(reading.locator("#live")).to_have_text("Live")
    reading.evaluate("document.querySelectorAll('#text .paragraph')[3].dataset.same = 'yes'")
    *statuses, gone = correcting.evaluate(CORRECT, f"/api{talk}")
    assert statuses == [201, 201, 201]
    text = reading.locator("#text")
    expect(text).to_contain_text("Written anew by somebody else.")
    expect(text).not_to_contain_text(gone)
    expect(text.locator(".speaker").first).to_have_text("Åsa")
    # What nobody touched stays where it is.
    expect(text.locator("[data-same]")).to_have_count(1)
    reading.reload()
    expect(text).to_contain_text("Written anew by somebody else.")
    expect(text.locator(".speaker").first).to_have_text("Åsa")


def test_everything_has_a_name_fits_a_phone_and_can_be_tapped(talk: str, visit: Open) -> None:
    page = opened(visit, talk, viewport={"width": 360, "height": 740}, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate(SMALL_TARGETS) == []
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate(TWICE) == []


def test_on_paper_there_is_the_text_and_nothing_to_press(talk: str, visit: Open) -> None:
    page = opened(visit, talk)
    page.emulate_media(media="print")
    for gone in (".player", ".transcript-tools", ".side", ".bar"):
        expect(page.locator(gone).first).to_be_hidden()
    for there in ("h1", "#text .clock", "#text .speaker", "#text [data-id]"):
        expect(page.locator(there).first).to_be_visible()


def test_without_scripts_the_recording_plays_with_the_browsers_own_player(talk: str, visit: Open) -> None:
    page = visit(talk, java_script_enabled=False)
    expect(page.locator("audio.player-plain")).to_be_visible()
