"""Recording in the page, by a real Chromium whose microphone plays a file: what is said becomes a job, whatever dies meanwhile."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.capture.hearing import browser, hear, heard_seconds, kept, record, server, signed_in, visit
from tests.pages.browsing import PATIENCE_MS, Open

__all__ = ["browser", "server", "signed_in", "visit"]
pytestmark = pytest.mark.browser
NAME = re.compile(r"Recording 20\d\d-")
DROP = """(place, name) => {
  const held = new DataTransfer();
  held.items.add(new File(["x"], name));
  place.dispatchEvent(new DragEvent("drop", { dataTransfer: held, bubbles: true }));
}"""


def transcribe(page: Page) -> None:
    page.get_by_role("button", name="Transcribe", exact=True).click()


def left_over(page: Page) -> int:
    """Pieces that the device still keeps."""
    return int(
        page.evaluate(
            """() => new Promise((resolve) => {
              const request = indexedDB.open("recordings");
              request.onsuccess = () => {
                const count = request.result.transaction("pieces").objectStore("pieces").count();
                count.onsuccess = () => { request.result.close(); resolve(count.result); };
              };
            })"""
        )
    )


def test_what_the_microphone_hears_becomes_a_transcript(visit: Open) -> None:
    page = visit("/whisper")
    record(page, seconds=4)
    expect(page.locator("#recorder meter")).to_have_js_property("max", 1)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#recorder")).to_contain_text("Paused")
    page.get_by_role("button", name="Go on").click()
    hear(page, seconds=12)
    assert left_over(page) >= 10
    page.get_by_role("button", name="Finish").click()
    expect(page.locator("#chosen")).to_contain_text(NAME)
    transcribe(page)
    job = page.locator(".job", has=page.get_by_role("link", name=NAME))
    expect(job).to_contain_text(re.compile("Completed|Failed"), timeout=PATIENCE_MS)
    expect(job).to_contain_text("Completed")
    assert left_over(page) == 0
    number = str(job.get_by_role("link").get_attribute("href")).rsplit("/", 1)[1]
    told = page.request.get(f"/api/whisper/jobs/{number}/exports/txt").text()
    assert len(told.split()) >= 8, told
    seconds = page.request.get(f"/api/whisper/jobs/{number}").json()["job"]["source_duration_seconds"]
    assert seconds >= 11


def test_a_tab_that_is_gone_in_the_middle_loses_a_second_at_most(visit: Open) -> None:
    page = visit("/whisper")
    record(page, seconds=5)
    shown, context = heard_seconds(page), page.context
    page.close(run_before_unload=False)
    again = context.new_page()
    again.goto("/whisper")
    expect(kept(again)).to_contain_text("is kept on this device.")
    told = re.search(r"of 0:(\d\d) is", kept(again).inner_text())
    assert told is not None
    assert int(told[1]) >= shown - 1
    again.get_by_role("button", name="Listen").click()
    expect(again.locator("#kept audio")).to_be_visible()
    assert again.locator("#kept audio").evaluate("(audio) => audio.error") is None
    again.get_by_role("button", name="Upload").click()
    expect(again.get_by_role("link", name=NAME).first).to_be_visible(timeout=PATIENCE_MS)
    expect(kept(again)).to_have_count(0)
    expect(again.locator("#sending")).to_be_hidden()
    assert left_over(again) == 0


def test_a_recording_in_another_tab_is_not_offered_as_left_over(visit: Open) -> None:
    page = visit("/whisper")
    record(page, seconds=2)
    other = page.context.new_page()
    other.goto("/whisper")
    expect(other.locator("#live")).to_have_text("Live")
    expect(kept(other)).to_have_count(0)
    page.close()
    other.reload()
    expect(kept(other)).to_have_count(1)


def test_discarding_asks_first(visit: Open) -> None:
    page = visit("/whisper")
    record(page, seconds=2)
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#recorder")).to_contain_text("Recording…")
    page.get_by_role("button", name="Discard").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    expect(page.locator("#recorder")).to_be_hidden()
    expect(page.get_by_role("button", name="Record with the microphone")).to_be_focused()
    assert left_over(page) == 0


def test_a_recording_taken_out_of_the_form_is_still_there(visit: Open) -> None:
    page = visit("/whisper")
    record(page, seconds=2)
    page.get_by_role("button", name="Finish").click()
    page.get_by_role("button", name="Remove the file").click()
    expect(kept(page)).to_have_count(1)
    page.get_by_role("button", name="Discard").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    expect(kept(page)).to_have_count(0)


def test_beside_files_that_come_later_it_is_in_the_list_alone(visit: Open) -> None:
    page = visit("/whisper")
    record(page, seconds=2)
    page.get_by_role("button", name="Finish").click()
    for count, name in ((2, "first.wav"), (3, "second.wav")):
        page.locator("footer").evaluate(DROP, name)
        expect(page.locator(".batch-row")).to_have_count(count)
    expect(page.locator(".batch-row").first).to_contain_text(NAME)
    page.wait_for_timeout(500)
    assert kept(page).count() == 0


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("NotAllowedError", "The microphone was not allowed."),
        ("NotFoundError", "No microphone was found."),
        ("NotReadableError", "The microphone is in use by another program."),
    ],
)
def test_why_there_is_no_sound_is_told(visit: Open, error: str, sentence: str) -> None:
    page = visit("/whisper")
    refuse = f"async () => {{ throw new DOMException('no', '{error}'); }}"
    page.evaluate(f"() => {{ navigator.mediaDevices.getUserMedia = {refuse}; }}")
    page.get_by_role("button", name="Record with the microphone").click()
    expect(page.locator("#record-problem")).to_contain_text(sentence)
    expect(page.get_by_role("button", name="Record with the microphone")).to_be_enabled()


def test_a_device_without_room_records_on_and_says_so(visit: Open, server: Any) -> None:
    page = visit("/whisper")
    session = page.context.new_cdp_session(page)
    full = {"origin": f"http://127.0.0.1:{server.port}", "quotaSize": 1000}
    session.send("Storage.overrideQuotaForOrigin", full)
    record(page, seconds=3)
    expect(page.locator("#record-problem")).to_contain_text("This device has no room left.")
    page.get_by_role("button", name="Finish").click()
    expect(page.locator("#chosen")).to_contain_text(NAME)
    transcribe(page)
    expect(page.get_by_role("link", name=NAME).first).to_be_visible(timeout=PATIENCE_MS)
