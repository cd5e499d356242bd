"""Two people on one transcript, and transcripts that nobody hopes for."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.editor.desk import Desk, Store, said
from tests.editor.desk import store as store
from tests.pages.browsing import Open
from tests.pages.browsing import browser as browser
from tests.pages.browsing import server as server
from tests.pages.browsing import signed_in as signed_in
from tests.pages.browsing import visit as visit
from tests.pages.test_look import NAMELESS, SMALL_TARGETS, TWICE

pytestmark = pytest.mark.browser


def test_what_others_change_is_shown_and_a_caret_stays_where_it_is(visit: Open, store: Store) -> None:
    job = store(said("One.", "Two two.", "Three."))
    mine, theirs = Desk.opened(visit, job), Desk.opened(visit, job)
    mine.caret("Three.", "ee")
    theirs.caret("Two two.", "two")
    theirs.page.keyboard.press("Enter")
    theirs.saved()
    mine.shows("One.", "Two", "two.", "Three.")
    mine.page.keyboard.type("X")
    mine.shows("One.", "Two", "two.", "ThrXee.")


@pytest.mark.parametrize(("button", "left"), [("Keep mine", "One mine."), ("Take theirs", "One theirs.")])
def test_both_versions_of_a_segment_are_shown_and_one_is_chosen(
    visit: Open, store: Store, button: str, left: str
) -> None:
    desk = Desk.opened(visit, store(said("One.", "Two.")))
    first = desk.told()[0]
    desk.page.context.set_offline(True)
    desk.caret("One.", ".")
    desk.page.keyboard.type(" mine")
    expect(desk.page.locator("#saved")).to_contain_text("kept on this device")
    segment = {"id": first["id"], "revision": first["revision"]}
    request = "6f1c3a52-8a50-4c30-9f7e-0d6a3c0f2a11"
    desk.correct(request_id=request, kind="text", segment=segment, text="One theirs.")
    desk.page.context.set_offline(False)
    clash = desk.page.get_by_role("group", name="Two versions")
    expect(clash.get_by_label("Theirs")).to_have_value("One theirs.", timeout=15_000)
    expect(clash.get_by_label("Mine")).to_have_value("One mine.")
    expect(desk.page.locator("#saved")).to_contain_text("wait for you to decide")
    desk.page.reload()
    clash.get_by_role("button", name=button).click()
    expect(clash).to_have_count(0)
    desk.saved()
    desk.shows(left, "Two.")
    assert desk.texts() == [left, "Two."]


def test_words_typed_in_a_segment_that_somebody_deleted_come_back_if_wanted(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("One.", "Two.")))
    first = desk.told()[0]
    desk.page.context.set_offline(True)
    desk.caret("One.")
    desk.page.keyboard.type(" More.")
    segment = {"id": first["id"], "revision": first["revision"]}
    desk.correct(request_id="6f1c3a52-8a50-4c30-9f7e-0d6a3c0f2a12", kind="delete", segments=[segment])
    desk.page.context.set_offline(False)
    gone = desk.page.locator("#orphans")
    expect(gone.get_by_label("Mine")).to_have_value("One. More.", timeout=15_000)
    gone.get_by_role("button", name="Keep mine").click()
    desk.shows("One. More.", "Two.")
    desk.saved()
    assert desk.texts() == ["One. More.", "Two."]


def test_two_versions_are_shown_by_the_next_page_when_the_first_was_closed(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("One.", "Two.")))
    first, context, address = desk.told()[0], desk.page.context, desk.page.url
    context.set_offline(True)
    desk.caret("One.", ".")
    desk.page.keyboard.type(" mine")
    expect(desk.page.locator("#saved")).to_contain_text("kept on this device")
    segment = {"id": first["id"], "revision": first["revision"]}
    request = "6f1c3a52-8a50-4c30-9f7e-0d6a3c0f2a12"
    desk.correct(request_id=request, kind="text", segment=segment, text="One theirs.")
    desk.page.close()
    context.set_offline(False)
    page = context.new_page()
    page.goto(address)
    expect(page.get_by_role("button", name="Keep mine")).to_be_visible()
    expect(page.locator(".clash textarea").last).to_have_value("One mine.")


def test_a_speaker_that_one_gives_does_not_clash_with_words_that_another_writes(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("One.", "Two.")))
    first = desk.told()[0]
    desk.page.context.set_offline(True)
    desk.caret("One.")
    desk.page.keyboard.press("Alt+s")
    desk.page.keyboard.press("2")
    segment = {"id": first["id"], "revision": first["revision"]}
    request = "6f1c3a52-8a50-4c30-9f7e-0d6a3c0f2a13"
    desk.correct(request_id=request, kind="text", segment=segment, text="One theirs.")
    desk.page.context.set_offline(False)
    desk.saved()
    desk.shows("One theirs.", "Two.")
    told = desk.told()[0]
    assert (told["text"], told["speaker"]) == ("One theirs.", "SPEAKER_01")


def test_scripts_other_directions_and_200_speakers_are_only_words(visit: Open, store: Store) -> None:
    texts = ["<script>alert(1)</script>", "שלום עולם", "👩‍👩‍👧 emoji 😀", "line & <b>bold</b>"]
    segments = said(*texts)
    people = [
        {"start": 10.0 + place, "end": 10.5 + place, "text": f"Word {place}", "speaker": f"SPEAKER_{place:02}"}
        for place in range(200)
    ]
    names = {"SPEAKER_00": "<img src=x onerror=alert(1)>"}
    desk = Desk.opened(visit, store([*segments, *people], names=names, title="<script>alert(2)</script>"))
    for place, text in enumerate(texts):
        expect(desk.fields.nth(place)).to_have_text(text)
    assert desk.fields.nth(1).evaluate("field => getComputedStyle(field).direction") == "rtl"
    expect(desk.page.locator(".segment .who").first).to_have_text(names["SPEAKER_00"])
    desk.caret(texts[2], "😀")
    desk.page.keyboard.insert_text("नमस्ते 🏳️‍🌈 ")
    desk.page.keyboard.press("Alt+s")
    desk.page.get_by_label("Find a speaker").fill("Speaker 150")
    desk.page.keyboard.press("Enter")
    desk.saved()
    told = desk.told()[2]
    assert told["text"] == "👩‍👩‍👧 emoji नमस्ते 🏳️‍🌈 😀"
    assert told["speaker"] == "SPEAKER_149"


def test_a_segment_of_4000_words_can_be_written_in(visit: Open, store: Store) -> None:
    text = " ".join(f"w{place}" for place in range(4000))
    desk = Desk.opened(visit, store([{"start": 0.0, "end": 900.0, "text": text[:19_000]}]))
    desk.caret("w0", "w1 ")
    desk.page.keyboard.type("here ")
    desk.saved()
    assert desk.texts()[0].startswith("w0 here w1 ")


def test_what_the_server_refuses_stays_to_be_changed(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("One.")))
    desk.caret("One.")
    desk.page.evaluate("document.execCommand('insertText', false, ' long'.repeat(5000))")
    clash = desk.page.get_by_role("group", name="Two versions")
    expect(clash.get_by_label("Mine")).to_have_value(f"One.{' long' * 5000}")
    clash.get_by_label("Mine").fill("One, shorter.")
    clash.get_by_role("button", name="Keep mine").click()
    desk.saved()
    assert desk.texts() == ["One, shorter."]


def test_controls_have_names_and_can_be_tapped_on_a_small_phone(visit: Open, store: Store) -> None:
    segments = said("One.", "Two.")
    segments[0]["suspect"] = "unsure"
    desk = Desk.opened(visit, store(segments), viewport={"width": 360, "height": 740}, has_touch=True)
    desk.caret("One.")
    assert desk.page.evaluate("document.documentElement.scrollWidth") == 360
    small = [
        one for one in desk.page.evaluate(SMALL_TARGETS) if 'type="checkbox"' not in one and 'type="range"' not in one
    ]
    assert small == []
    nameless = [one for one in desk.page.evaluate(NAMELESS) if "hidden" not in one]
    assert nameless == []
    assert desk.page.evaluate(TWICE) == []


def split_and_typed_in(desk: Desk) -> dict[str, int]:
    """Splits the first segment where there is no network, types in both halves; returns what the server has of it."""
    first = desk.told()[0]
    desk.page.context.set_offline(True)
    desk.caret("One two.", "two")
    desk.page.keyboard.press("Enter")
    desk.shows("One", "two.", "Three.")
    desk.page.keyboard.type("and ")
    desk.caret("One")
    desk.page.keyboard.type(" more")
    desk.shows("One more", "and two.", "Three.")
    expect(desk.page.locator("#saved")).to_contain_text("kept on this device")
    return {"id": first["id"], "revision": first["revision"]}


@pytest.mark.parametrize(
    ("button", "is_kept", "left"),
    [
        ("Take theirs", True, ["One theirs.", "And two!", "Three."]),
        ("Take theirs", False, ["One theirs.", "Three."]),
        ("Keep mine", True, ["One more", "And two!", "Three."]),
    ],
)
def test_what_was_typed_in_a_half_that_is_not_stored_yet_is_shown_before_it_can_go(
    visit: Open, store: Store, button: str, is_kept: bool, left: list[str]
) -> None:
    desk = Desk.opened(visit, store(said("One two.", "Three.")))
    segment = split_and_typed_in(desk)
    request = "6f1c3a52-8a50-4c30-9f7e-0d6a3c0f2a14"
    desk.correct(request_id=request, kind="text", segment=segment, text="One theirs.")
    desk.page.context.set_offline(False)
    clash = desk.page.get_by_role("group", name="Two versions")
    expect(clash.get_by_label("Theirs")).to_have_value("One theirs.", timeout=15_000)
    desk.page.reload()
    expect(clash.get_by_label("Mine", exact=True)).to_have_value("One more")
    expect(clash.get_by_label("Mine, part 2")).to_have_value("and two.")
    clash.get_by_label("Mine, part 2").fill("And two!")
    beside = clash.get_by_label("Keep as a segment of its own")
    expect(beside).to_be_checked()
    beside.set_checked(is_kept)
    clash.get_by_role("button", name=button).click()
    expect(clash).to_have_count(0)
    desk.saved()
    desk.shows(*left)
    assert desk.texts() == left


def test_both_halves_of_a_segment_that_somebody_deleted_come_back_if_wanted(visit: Open, store: Store) -> None:
    desk = Desk.opened(visit, store(said("One two.", "Three.")))
    segment = split_and_typed_in(desk)
    desk.correct(request_id="6f1c3a52-8a50-4c30-9f7e-0d6a3c0f2a15", kind="delete", segments=[segment])
    desk.page.context.set_offline(False)
    gone = desk.page.locator("#orphans")
    expect(gone.get_by_label("Mine", exact=True)).to_have_value("One more", timeout=15_000)
    expect(gone.get_by_label("Mine, part 2")).to_have_value("and two.")
    gone.get_by_role("button", name="Keep mine").click()
    desk.saved()
    desk.shows("One more", "and two.", "Three.")
    assert desk.texts() == ["One more", "and two.", "Three."]
