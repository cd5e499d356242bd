"""Enrolling by a real Chromium whose microphone plays a file: what was typed and recorded outlives what is wrong."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.capture.hearing import browser, server, signed_in, visit
from tests.pages.browsing import PATIENCE_MS, Open, tone
from tests.recognition.conftest import spoken
from tests.serve.ports import wait_until

__all__ = ["browser", "server", "signed_in", "visit"]
pytestmark = pytest.mark.browser
NAME, PURPOSE = "Augusta Ada King", "Minutes of the council."


def fill(page: Page) -> None:
    page.get_by_label("Name in transcripts").fill("Ada")
    page.get_by_label("Full legal name of the speaker").fill(NAME)
    page.get_by_label("What the voice is kept for").fill(PURPOSE)


def record_consent(page: Page, seconds: int) -> None:
    place = page.locator('[data-record="consent"]')
    place.get_by_role("button", name="Record with the microphone").click()
    clock = place.locator('[data-field="time"]')
    wait_until(lambda: int((clock.text_content() or "0:00").rsplit(":", 1)[1]) >= seconds, "it is recorded", seconds=60)
    expect(page.get_by_label("reads this aloud")).to_have_js_property("readOnly", True)
    place.get_by_role("button", name="Finish the recording").click()
    expect(place.get_by_role("button", name="Record it again")).to_be_visible()
    expect(place.locator("audio")).to_be_visible()


def choose_voice(page: Page, content: bytes) -> None:
    field = page.get_by_label("Recording of the voice")
    field.set_input_files({"name": "voice.wav", "mimeType": "audio/wav", "buffer": content})
    page.get_by_role("button", name="Enrol", exact=True).click()


def test_a_speaker_is_enrolled_at_the_second_attempt_with_what_was_typed_and_recorded_before(visit: Open) -> None:
    page = visit("/whisper/speakers")
    fill(page)
    text = page.get_by_label("reads this aloud")
    expect(text).to_have_value(
        re.compile(f"My name is {NAME}.*This is done for: Minutes of the council. I can", re.DOTALL)
    )
    record_consent(page, seconds=4)
    choose_voice(page, tone(5.0))
    result = page.locator("#enrol-result")
    expect(result).to_contain_text("There is too little speech in the recording.", timeout=PATIENCE_MS)
    expect(result).to_be_focused()
    expect(page.get_by_label("Full legal name of the speaker")).to_have_value(NAME)
    assert page.evaluate("document.getElementById('id_consent').files.length") == 1
    choose_voice(page, spoken(12.0))
    page.wait_for_url(re.compile(r"/whisper/speakers/[0-9a-f-]{36}$"), timeout=PATIENCE_MS)
    expect(page.get_by_role("heading", name="Ada", exact=True)).to_be_visible()
    expect(page.get_by_text("“Ada” is enrolled.")).to_be_visible()
    page.get_by_text("The consent", exact=True).click()
    expect(page.locator("blockquote")).to_contain_text(f"My name is {NAME}.")


def test_what_is_missing_is_shown_at_its_field(visit: Open) -> None:
    page = visit("/whisper/speakers")
    # The browser's own check is asked to stand aside, as a program would.
    page.evaluate("document.getElementById('enrol-form').noValidate = true")
    page.locator("#enrol summary").click() if not page.locator("#enrol[open]").count() else None
    page.get_by_label("Name in transcripts").fill("Ben")
    page.get_by_role("button", name="Enrol", exact=True).click()
    expect(page.locator("#id_reference_error")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_label("Full legal name of the speaker")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Name in transcripts")).to_have_value("Ben")
