"""Every verb of the editor in a real browser against a whole server: what is shown is what is stored."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.editor.desk import Desk, Store, said
from tests.editor.desk import store as store
from tests.pages.browsing import Open, screens
from tests.pages.browsing import browser as browser
from tests.pages.browsing import server as server
from tests.pages.browsing import signed_in as signed_in
from tests.pages.browsing import visit as visit

pytestmark = pytest.mark.browser


@screens
def test_what_is_typed_is_saved_by_itself_and_still_there_after_a_reload(
    visit: Open, store: Store, screen: dict[str, Any]
) -> None:
    desk = Desk.opened(visit, store(said("Good morning.", "Hello there.")), **screen)
    desk.caret("Good morning.", ".")
    desk.page.keyboard.type(" everybody")
    desk.saved()
    assert desk.texts() == ["Good morning everybody.", "Hello there."]
    assert len(desk.log()) == 1
    desk.page.reload()
    desk.shows("Good morning everybody.", "Hello there.")


def test_a_space_at_the_end_stays_until_its_word_comes(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("One")))
    desk.caret("One")
    desk.page.keyboard.type(" two ")
    desk.saved()
    desk.page.wait_for_timeout(300)
    desk.page.keyboard.type("three")
    desk.saved()
    assert desk.texts() == ["One two three"]


def test_enter_splits_at_the_caret_and_backspace_at_the_beginning_merges(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("One two three four.", "Last.")))
    desk.caret("One two", "three")
    desk.page.keyboard.press("Enter")
    desk.shows("One two", "three four.", "Last.")
    desk.page.keyboard.type("And ")
    desk.saved()
    assert desk.texts() == ["One two", "And three four.", "Last."]
    first, second, _last = desk.told()
    assert first["end"] == second["start"] == pytest.approx(1.0, abs=0.01)

    desk.caret("And three", "And")
    desk.page.keyboard.press("Backspace")
    desk.shows("One two And three four.", "Last.")
    desk.saved()
    assert desk.texts() == ["One two And three four.", "Last."]
    assert desk.page.evaluate("getSelection().anchorOffset") == len("One two ")


def test_emoji_before_the_caret_do_not_move_the_cut(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("😀😀 one two")))
    desk.caret("one two", "two")
    desk.page.keyboard.press("Enter")
    desk.saved()
    assert desk.texts() == ["😀😀 one", "two"]


def test_segments_are_deleted_and_inserted(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("One.", "Two.", "Three.")))
    desk.caret("Two.")
    desk.page.keyboard.press("Control+Delete")
    desk.shows("One.", "Three.")
    desk.caret("One.")
    desk.page.keyboard.press("Control+Enter")
    desk.page.keyboard.type("In between.")
    desk.shows("One.", "In between.", "Three.")
    desk.saved()
    assert desk.texts() == ["One.", "In between.", "Three."]
    assert [(one["start"], one["end"]) for one in desk.told()] == [(0, 2), (2, 4), (4, 6)]


def test_a_boundary_moves_for_both_neighbours_by_keys_and_by_dragging(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("One.", "Two.", "Three.")))
    desk.caret("Two.")
    desk.page.keyboard.press("Alt+ArrowLeft")
    desk.page.keyboard.press("Alt+ArrowLeft")
    desk.saved()
    assert [(one["start"], one["end"]) for one in desk.told()] == [(0, 1.8), (1.8, 4), (4, 6)]
    assert len(desk.log()) == 1
    handle = desk.page.get_by_role("slider", name="End of the segment")
    expect(handle).to_have_attribute("aria-valuetext", "4.0 s")
    box = handle.bounding_box()
    assert box is not None
    at = (box["x"] + box["width"] / 2, box["y"] + 5)
    desk.page.mouse.move(*at)
    desk.page.mouse.down()
    desk.page.mouse.move(at[0] + 60, at[1])
    desk.page.mouse.up()
    desk.saved()
    first, second, third = desk.told()
    assert second["end"] == third["start"] > 4.05
    assert first["end"] == 1.8
    handle.press("ArrowLeft")
    desk.saved()
    assert desk.told()[1]["end"] == pytest.approx(second["end"] - 0.1, abs=0.002)


def test_a_speaker_is_chosen_by_number_and_a_new_one_is_made(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("One.", "Two.")))
    desk.caret("One.")
    desk.page.keyboard.press("Alt+s")
    desk.page.keyboard.press("2")
    expect(desk.row("One.").locator(".who")).to_have_text("Speaker 2")
    expect(desk.field("One.")).to_be_focused()
    desk.row("Two.").locator(".who").click()
    desk.page.get_by_role("menuitemradio", name="New speaker").click()
    expect(desk.row("Two.").locator(".who")).to_have_text("Speaker 3")
    desk.saved()
    assert [one["speaker"] for one in desk.told()] == ["SPEAKER_01", "SPEAKER_02"]


def test_speakers_get_names_and_colours_and_become_one(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("One.", "Two.")))
    panel = desk.page.locator("#speakers")
    panel.locator("summary").click()
    panel.get_by_label("Name of Speaker 1").fill("Åsa <b>")
    panel.get_by_label("Name of Speaker 1").press("Enter")
    expect(desk.row("One.").locator(".who")).to_have_text("Åsa <b>")
    desk.saved()
    panel.get_by_label("Colour of Åsa <b>: 1").click()
    expect(desk.row("One.").locator(".who")).to_have_attribute("data-voice", "1")
    desk.saved()
    panel.get_by_label("Choose Speaker 2").check()
    panel.get_by_label("Merge the chosen speakers into").select_option("Åsa <b>")
    panel.get_by_role("button", name="Merge").click()
    expect(desk.row("Two.").locator(".who")).to_have_text("Åsa <b>")
    desk.saved()
    assert [one["speaker"] for one in desk.told()] == ["SPEAKER_00", "SPEAKER_00"]
    desk.page.reload()
    expect(desk.row("Two.").locator(".who")).to_have_text("Åsa <b>")


def test_find_and_replace_shows_each_hit_and_changes_those_that_stay_ticked(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("The colour red.", "No match.", "Colour of the sea.", "discoloured")))
    desk.caret("No match.")
    desk.page.keyboard.press("Control+f")
    dialog = desk.page.get_by_role("dialog", name="Find and replace")
    dialog.get_by_label("Find", exact=True).fill("colour")
    expect(dialog.get_by_role("status")).to_have_text("Found in 3 segments.")
    dialog.get_by_label("Replace with").fill("color")
    dialog.get_by_label("Whole words").check()
    dialog.get_by_role("button", name="Show what would change").click()
    expect(dialog.locator("li")).to_have_count(2)
    dialog.get_by_role("checkbox", name="The colour red.").uncheck()
    dialog.get_by_role("button", name="Replace in 1 segments").click()
    desk.saved()
    assert desk.texts()[0] == "The colour red."
    assert desk.texts()[2].lower() == "color of the sea."
    assert [one["kind"] for one in desk.log()] == ["replace"]
    expect(desk.fields.nth(2)).to_have_text(desk.texts()[2])


def test_undo_and_redo_take_back_what_was_saved_and_what_was_not(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("One two.", "Three.")))
    desk.caret("One two.", "two")
    desk.page.keyboard.press("Enter")
    desk.saved()
    desk.caret("Three.")
    desk.page.keyboard.press("Control+Delete")
    desk.saved()
    desk.shows("One", "two.")
    desk.page.get_by_role("button", name="Undo").click()
    desk.shows("One", "two.", "Three.")
    desk.page.get_by_role("button", name="Undo").click()
    desk.shows("One two.", "Three.")
    desk.saved()
    assert desk.texts() == ["One two.", "Three."]
    desk.page.get_by_role("button", name="Redo").click()
    desk.shows("One", "two.", "Three.")
    desk.saved()
    assert desk.texts() == ["One", "two.", "Three."]


def test_undo_in_a_field_takes_back_the_typing_first(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("One.")))
    desk.caret("One.")
    desk.page.keyboard.type(" More")
    # As often as the browser takes steps for it.
    for _ in range(5):
        if desk.fields.inner_text().strip() != "One.":
            desk.page.keyboard.press("Control+z")
    desk.shows("One.")
    desk.saved()
    assert desk.log() == []
    desk.page.keyboard.type(" Again")
    desk.saved()
    desk.page.keyboard.press("Control+z")
    desk.shows("One.")
    desk.saved()
    assert [one["kind"] for one in desk.log()] == ["text", "undo"]
    assert desk.texts() == ["One."]


def test_doubts_are_visited_and_accepted(visit: Open, store: Store) -> None:
    segments = said("One.", "Two.", "Three.")
    segments[1]["suspect"] = segments[2]["suspect"] = "unsure"
    desk = Desk.opened(visit, store(segments))
    desk.page.keyboard.press("Alt+n")
    expect(desk.field("Two.")).to_be_focused()
    desk.page.keyboard.press("Alt+a")
    desk.page.keyboard.press("Alt+n")
    expect(desk.field("Three.")).to_be_focused()
    desk.row("Three.").get_by_role("button", name="Accept").click()
    desk.saved()
    assert [one["checked"] for one in desk.told()] == [False, True, True]


def test_pasting_brings_words_and_nothing_else(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("Start")))
    desk.caret("Start")
    desk.field("Start").evaluate(PASTE)
    desk.shows("Start bold next")
    assert desk.field("Start").evaluate("field => field.children.length") == 0
    desk.saved()
    assert desk.texts() == ["Start bold next"]


PASTE = """(field) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", " bold\\nnext");
  clipboardData.setData("text/html", "<b>bold</b><img src=x onerror=alert(1)>");
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""


def test_a_click_on_a_word_goes_to_its_sound_and_a_time_plays(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("One.", "First second third fourth")))
    desk.field("First").click(position={"x": 12, "y": 20})
    expect(desk.page.locator("[data-field=seek]")).to_have_value("2")
    desk.row("First").locator(".time").click()
    expect(desk.page.locator("#player")).to_have_attribute("data-state", "playing")
    expect(desk.row("First")).to_have_class("segment current heard")
    assert desk.page.evaluate(HEARD) == ["First"]
    desk.field("First").focus()
    desk.page.keyboard.press("Control+Space")
    expect(desk.page.locator("#player")).not_to_have_attribute("data-state", "playing")


#: The word that is marked, as soon as one is.
HEARD = """() => new Promise((resolve) => {
  const look = () => {
    const marked = CSS.highlights.get("heard");
    if (marked?.size) resolve([...marked].map(String));
    else requestAnimationFrame(look);
  };
  look();
})"""


def test_an_address_with_a_time_opens_there(visit: Open, store: Store) -> None:
    job = store(said("One.", "Two.", "Three."))
    desk = Desk(visit(f"/whisper/jobs/{job}/correct#t=3"), job)
    expect(desk.field("Two.")).to_be_focused()


def test_the_sheet_of_keys_tells_the_editor_s_own(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("One.")))
    desk.page.get_by_role("button", name="Keys").click()
    expect(desk.page.get_by_role("dialog")).to_contain_text("Split at the caret")
