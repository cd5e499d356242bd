"""Notes, highlights and the title on a job's page, in a real browser against a whole server."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.editor.desk import Store, said
from tests.editor.desk import store as store
from tests.pages.browsing import PATIENCE_MS, Open, screens
from tests.pages.browsing import browser as browser
from tests.pages.browsing import server as server
from tests.pages.browsing import signed_in as signed_in
from tests.pages.browsing import visit as visit

pytestmark = pytest.mark.browser
TALK = ("The harbour is closed today.", "Nobody wants the crane.", "It rains again.")
#: Selects the words of `text`, which may lie in several segments.
SELECT = """(text) => {
  const spans = [...document.querySelectorAll("#text [data-id]")];
  const whole = spans.map((span) => span.textContent).join(" ");
  const place = (at) => {
    for (const span of spans) {
      if (at <= span.textContent.length) return [span.firstChild, at];
      at -= span.textContent.length + 1;
    }
  };
  const from = whole.indexOf(text);
  const range = document.createRange();
  range.setStart(...place(from));
  range.setEnd(...place(from + text.length));
  range.startContainer.parentElement.scrollIntoView({ block: "center" });
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}"""
MARKED = "(name) => [...(CSS.highlights.get(name) ?? [])].map(String)"


def opened(visit: Open, job: int, **screen: Any) -> Page:
    page = visit(f"/whisper/jobs/{job}", **screen)
    expect(page.locator("#text .paragraph").first).to_be_visible()
    expect(page.locator("#live")).to_have_text("Live")
    return page


def bar(page: Page) -> Any:
    return page.locator("#note-bar")


def sheet(page: Page) -> Any:
    return page.get_by_role("dialog")


def items(page: Page) -> Any:
    return page.locator(".note-item")


def select(page: Page, words: str) -> None:
    page.evaluate(SELECT, words)
    expect(bar(page)).to_be_visible()


def write(page: Page, words: str, note: str) -> None:
    select(page, words)
    bar(page).get_by_role("button", name="Note", exact=True).click()
    sheet(page).get_by_label("Note", exact=True).fill(note)
    sheet(page).get_by_role("button", name="Save").click()
    expect(sheet(page)).to_be_hidden()


def marked(page: Page, name: str, *words: str) -> None:
    """Waits until these words carry the mark."""
    page.wait_for_function(f"([name, words]) => ({MARKED})(name).join('|') === words", arg=[name, "|".join(words)])


def stored(page: Page, job: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.request.get(f"/api/whisper/jobs/{job}/notes").json()["notes"]
    return found


@screens
def test_selected_words_are_highlighted_and_stay_so(visit: Open, store: Store, screen: dict[str, Any]) -> None:
    job = store(said(*TALK))
    page = opened(visit, job, **screen)
    select(page, "harbour is closed")
    bar(page).get_by_role("button", name="Highlight: Green").click()
    expect(bar(page)).to_be_hidden()
    marked(page, "note-green", "harbour is closed")
    expect(items(page)).to_have_count(1)
    assert [(one["quote"], one["colour"], one["text"]) for one in stored(page, job)] == [
        ("harbour is closed", "green", "")
    ]
    page.reload()
    page.locator("#text [data-id]").first.scroll_into_view_if_needed()
    marked(page, "note-green", "harbour is closed")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@screens
def test_a_note_stands_under_its_paragraph_and_other_pages_follow(
    visit: Open, store: Store, screen: dict[str, Any]
) -> None:
    job = store(said(*TALK))
    page, other = opened(visit, job, **screen), opened(visit, job)
    hostile = "<img src=x onerror=alert(1)> مرحبا 👩‍🚀"
    write(page, "wants the crane", hostile)
    for one in (page, other):
        expect(one.locator(".note-line")).to_have_text(hostile)
        expect(items(one).locator(".note-text")).to_have_text(hostile)
        one.locator(".note-line").scroll_into_view_if_needed()
        marked(one, "noted", "wants the crane.")
    expect(other.locator('a[href="#notes"] .count')).to_have_text("1")


def test_a_selection_across_segments_and_overlapping_highlights(visit: Open, store: Store) -> None:
    page = opened(visit, store(said(*TALK, speaker="A")))
    select(page, "today. Nobody wants")
    bar(page).get_by_role("button", name="Highlight: Blue").click()
    marked(page, "note-blue", "today. Nobody wants")
    select(page, "Nobody wants the crane")
    expect(bar(page).get_by_role("button", name="Change")).to_be_visible()
    bar(page).get_by_role("button", name="Highlight: Pink").click()
    marked(page, "note-pink", "Nobody wants the crane.")
    marked(page, "note-blue", "today. Nobody wants")


def test_by_keyboard_alone(visit: Open, store: Store) -> None:
    job = store(said(*TALK, speaker="A"))
    page = opened(visit, job)
    page.keyboard.press("n")
    expect(bar(page).get_by_role("button", name="Highlight: Yellow")).to_be_focused()
    marked(page, "note-chosen", TALK[0])
    page.keyboard.press("ArrowDown")
    marked(page, "note-chosen", TALK[1])
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    marked(page, "note-green", TALK[1])
    expect(bar(page)).to_be_hidden()
    page.keyboard.press("n")
    page.keyboard.press("Escape")
    expect(bar(page)).to_be_hidden()
    assert len(stored(page, job)) == 1


def test_what_is_deleted_can_be_brought_back_until_the_page_is_left(visit: Open, store: Store) -> None:
    job = store(said(*TALK))
    page = opened(visit, job)
    write(page, "crane", "Which one?")
    items(page).get_by_role("button", name="Delete the note").click()
    expect(items(page)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(items(page)).to_have_count(1)
    expect(page.locator(".note-line")).to_have_count(1)
    items(page).get_by_role("button", name="Delete the note").click()
    assert len(stored(page, job)) == 1
    page.goto("/whisper")
    page.wait_for_function(f"async () => !(await (await fetch('/api/whisper/jobs/{job}/notes')).json()).notes.length")


def test_what_was_typed_outlives_a_reload_and_a_lost_connection(visit: Open, store: Store) -> None:
    job = store(said(*TALK))
    page = opened(visit, job)
    select(page, "crane")
    bar(page).get_by_role("button", name="Note", exact=True).click()
    sheet(page).get_by_label("Note", exact=True).fill("Half a thought")
    page.reload()
    expect(sheet(page).get_by_label("Note", exact=True)).to_have_value("Half a thought")
    page.context.set_offline(True)
    sheet(page).get_by_role("button", name="Save").click()
    expect(sheet(page).get_by_role("alert")).to_contain_text("could not be reached")
    page.context.set_offline(False)
    sheet(page).get_by_role("button", name="Save").click()
    expect(sheet(page)).to_be_hidden()
    assert [one["text"] for one in stored(page, job)] == ["Half a thought"]
    page.reload()
    expect(items(page)).to_have_count(1)
    expect(sheet(page)).to_be_hidden()


def test_two_who_change_one_note_see_each_others_text(visit: Open, store: Store) -> None:
    job = store(said(*TALK))
    page, other = opened(visit, job), opened(visit, job)
    write(page, "crane", "First")
    other.locator(".note-line").click()
    page.locator(".note-line").click()
    for one, text in ((page, "Mine"), (other, "Theirs")):
        sheet(one).get_by_label("Note", exact=True).fill(text)
        sheet(one).get_by_role("button", name="Save").click()
    expect(sheet(other).get_by_role("alert")).to_contain_text("“Mine”")
    expect(sheet(other).get_by_label("Note", exact=True)).to_have_value("Theirs")
    sheet(other).get_by_role("button", name="Save").click()
    expect(page.locator(".note-line")).to_have_text("Theirs")


def test_the_list_is_narrowed_and_leads_to_the_place(visit: Open, store: Store) -> None:
    page = opened(visit, store(said(*TALK)))
    write(page, "crane", "Which one?")
    select(page, "rains")
    bar(page).get_by_role("button", name="Highlight: Purple").click()
    expect(items(page)).to_have_count(2)
    page.get_by_label("Notes that are shown").select_option("With a text")
    expect(items(page).filter(visible=True)).to_have_count(1)
    page.get_by_label("Notes that are shown").select_option("Green")
    expect(page.get_by_text("No note matches.")).to_be_visible()
    page.get_by_label("Notes that are shown").select_option("All")
    items(page).nth(1).get_by_role("link").click()
    expect(page.locator("#text .found")).to_have_text(TALK[2])
    assert float(page.evaluate("document.querySelector('[data-field=media]').currentTime")) >= 4


def test_a_long_recording_marks_what_can_be_seen(visit: Open, store: Store) -> None:
    notes = [{"start": n * 40, "end": n * 40 + 30, "text": f"Note {n}" if n % 2 else ""} for n in range(500)]
    job = store(said(*(f"Sentence number {n} of a long day." for n in range(10_000)), speaker="A"), notes=notes)
    page = visit(f"/whisper/jobs/{job}")
    expect(items(page)).to_have_count(500)
    page.wait_for_function("() => CSS.highlights.get('note-yellow')?.size")
    assert page.evaluate("CSS.highlights.get('note-yellow').size") < 60
    expect(page.locator("#text [data-start]")).to_have_count(10_000, timeout=PATIENCE_MS)
    items(page).last.get_by_role("link").click()
    expect(page.locator("#text .found")).to_have_text("Sentence number 9980 of a long day.", timeout=PATIENCE_MS)
    expect(page.locator("#text .found")).to_be_in_viewport()


@screens
def test_the_title_is_changed_without_leaving_the_page(visit: Open, store: Store, screen: dict[str, Any]) -> None:
    job = store(said(*TALK))
    page, other = opened(visit, job, **screen), opened(visit, job)
    other.get_by_text("Title and note").click()
    other.get_by_label("About the recording").fill("Being written")
    page.get_by_text("Title and note").click()
    expect(page.get_by_label("Title", exact=True)).to_be_focused()
    page.get_by_label("Title", exact=True).fill("Quay & pier <b>")
    page.keyboard.press("Enter")
    for one in (page, other):
        expect(one.get_by_role("heading", level=1)).to_have_text("Quay & pier <b>")
    expect(page.get_by_label("Title", exact=True)).to_be_hidden()
    expect(other.get_by_label("About the recording")).to_have_value("Being written")
    other.get_by_role("button", name="Save").click()
    expect(page.locator(".job-head .note")).to_have_text("Being written")
    expect(other.get_by_role("heading", level=1)).to_have_text("Quay & pier <b>")
    page.get_by_text("Title and note").click()
    page.get_by_label("Title", exact=True).fill("")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("talk.wav")
