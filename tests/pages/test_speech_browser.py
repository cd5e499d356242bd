"""Speakers on a job's page, in a real browser against a whole server."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.pages.browsing import PATIENCE_MS, Open
from tests.pages.browsing import browser as browser
from tests.pages.browsing import server as server
from tests.pages.browsing import signed_in as signed_in
from tests.pages.browsing import visit as visit

pytestmark = pytest.mark.browser


def test_two_voices_are_told_apart_and_counted_anew(visit: Open) -> None:
    page = visit("/whisper")
    page.get_by_role("button", name="Try it with a sample recording").click()
    page.wait_for_url("**/whisper/jobs/*")
    expect(page.locator('[data-field="status"]')).to_have_text("Completed", timeout=PATIENCE_MS)
    part = page.locator("#speech")
    expect(part.locator(".who")).to_have_text(["Speaker 1", "Speaker 2"])
    names = page.locator("#text .speaker")
    expect(names.first).to_have_text("Speaker 1")
    expect(names.nth(1)).to_have_text("Speaker 2")

    part.get_by_text("Tell them apart again").click()
    part.get_by_label("Number of speakers").select_option("1")
    part.get_by_role("button", name="Start").click()
    expect(page.locator("#speech .who")).to_have_text(["Speaker 1"], timeout=PATIENCE_MS)
    expect(page.locator("#text .speaker").first).to_have_text("Speaker 1")
    expect(page.locator("#text").get_by_text("Speaker 2")).to_have_count(0)


def test_the_form_sends_what_is_known_of_the_recording(visit: Open) -> None:
    page = visit("/whisper")
    page.get_by_text("Speakers, names and terms").click()
    page.get_by_label("Speakers", exact=True).select_option("off")
    page.get_by_label("Names and terms that occur").fill("Åsa, Kubernetes")
    page.get_by_label("Link to audio").fill("https://sound.invalid/talk.mp3")
    with page.expect_request("**/api/whisper/jobs") as sent:
        page.get_by_role("button", name="Transcribe", exact=True).click()
    body = json.loads(sent.value.post_data or "")
    assert body["hotwords"] == "Åsa, Kubernetes"
    assert body["disable_diarization"] == "true"
    assert "min_speakers" not in body
