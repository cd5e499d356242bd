"""The analysis and the languages of a recording in a real browser, against a whole server with a model on loopback."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from benchmarks.server import CLOCKWORK
from benchmarks.sound import speech, write_wav
from tests.enrichment.model_server import ModelServer, helpful, refused
from tests.pages.browsing import PATIENCE_MS, Open, hand_in, row
from tests.pages.browsing import browser as browser
from tests.pages.browsing import signed_in as signed_in
from tests.pages.browsing import visit as visit
from tests.pages.test_look import NAMELESS, SMALL_TARGETS, TWICE
from tests.serve.servers import RunningServer, running_server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with ModelServer().running() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, model: ModelServer) -> Iterator[RunningServer]:
    variables = {
        "OPENAI_BASE_URL": model.url,
        "OPENAI_API_KEY": "a-key",
        "TOOLS_OUTBOUND_ALLOW": "127.0.0.1/32",
        "TOOLS_EXTRA_ENGINES": CLOCKWORK,
        "TOOLS_DEFAULT_MODEL": "clockwork",
        "CLOCKWORK_FACTOR": "0.001",
    }
    with running_server(tmp_path_factory.mktemp("enrichment") / "data", **variables) as running:
        yield running


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path: Path = write_wav(tmp_path_factory.mktemp("sound") / "talk.wav", speech(None, 100))
    return path.read_bytes()


@pytest.fixture(scope="module")
def talk(server: RunningServer, signed_in: Any, browser: Browser, model: ModelServer, recording: bytes) -> str:
    """The path of a recording that was handed in with the form; its analysis came without a reload of its page."""
    context = browser.new_context(base_url=f"http://127.0.0.1:{server.port}", storage_state=signed_in, locale="en-GB")
    page = context.new_page()
    page.goto("/whisper")
    page.get_by_text("Speakers, names and terms").click()
    page.get_by_label("Speakers", exact=True).select_option("off")
    page.get_by_text("Analyse or translate the transcript").click()
    page.get_by_label("Analyse in").select_option("English")
    expect(page.get_by_label("Language 2")).to_be_hidden()
    page.get_by_label("Language 1").select_option("Swedish")
    page.get_by_label("Language 2").select_option("German")
    expect(page.get_by_label("Language 3")).to_be_visible()
    hold = threading.Event()
    model.behaviour = lambda asked: replace(helpful(asked), hold=hold)
    hand_in(page, "talk.wav", recording)
    row(page, "talk.wav").get_by_role("link").click()
    page.wait_for_url("**/whisper/jobs/*")
    card = page.locator("#analysis")
    # Under load it may be asked for and answered between two looks of this test.
    expect(card.locator(".analysis-head .pill")).to_have_text(re.compile("Waiting|Running"), timeout=PATIENCE_MS)
    expect(page.locator("#text")).not_to_be_empty(timeout=PATIENCE_MS)
    hold.set()
    expect(card).to_contain_text("They talked about the budget.", timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="German")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator('[data-field="status"]')).to_have_text("Completed", timeout=PATIENCE_MS)
    expect(card.get_by_text("Analyse again or translate to another language")).to_be_visible(timeout=PATIENCE_MS)
    path = page.url.removeprefix(f"http://127.0.0.1:{server.port}")
    context.close()
    return path


def test_a_chapter_leads_to_its_place_in_the_transcript(talk: str, visit: Open) -> None:
    page = visit(talk)
    expect(page.locator("#text .paragraph").first).to_be_visible()
    page.locator("#analysis").get_by_role("link", name=re.compile("Welcome")).click()
    expect(page.locator(".paragraph:has(.found)")).to_be_focused()
    assert page.url.endswith("#t=0")


def test_a_link_to_a_time_opens_there(talk: str, visit: Open) -> None:
    page = visit(f"{talk}#t=61")
    expect(page.locator(".paragraph .found")).to_be_in_viewport()


def test_the_transcript_stands_in_another_language_beside_its_own(talk: str, visit: Open) -> None:
    page = visit(talk)
    first = page.locator("#text .paragraph").first
    expect(first).to_be_visible()
    original = first.locator("p").first.inner_text()
    page.get_by_role("button", name="Swedish").click()
    expect(first.locator("p.other")).to_have_text(original.upper())
    expect(first.locator("p.other")).to_have_attribute("lang", "sv")
    assert first.locator("p").first.inner_text() == original
    page.locator("#downloads summary").click()
    captions = page.get_by_role("link", name="SRT, As transcribed", exact=True)
    with page.expect_download() as download:
        captions.click()
    assert download.value.path().read_text().splitlines()[2] in original.upper()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Original").click()
    expect(first.locator("p.other")).to_have_count(0)
    page.locator("#downloads summary").click()
    assert "language=" not in (captions.get_attribute("href") or "")


def test_copying_takes_the_analysis_as_text(talk: str, visit: Open) -> None:
    page = visit(talk, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy analysis").click()
    expect(page.locator("#copy-analysis")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("They talked about the budget.\n\nKey points\n- ")


def test_everything_fits_a_small_phone_and_has_a_name(talk: str, visit: Open) -> None:
    page = visit("/whisper", viewport={"width": 360, "height": 740}, has_touch=True)
    for path in (talk, "/whisper/templates", "/whisper"):
        page.goto(path)
        if path == talk:
            expect(page.locator("#text .paragraph").first).to_be_visible()
            page.get_by_role("button", name="Swedish").click()
            expect(page.locator("p.other").first).to_be_visible()
        page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")
        assert page.evaluate("document.documentElement.scrollWidth") == 360, path
        # Of a checkbox the label around it is what is tapped.
        assert [one for one in page.evaluate(SMALL_TARGETS) if 'type="checkbox"' not in one] == [], path
        assert page.evaluate(NAMELESS) == [], path
        assert page.evaluate(TWICE) == [], path


def test_a_failed_analysis_says_why_and_is_made_again_from_the_page(talk: str, visit: Open, model: ModelServer) -> None:
    page, hold = visit(talk), threading.Event()
    card = page.locator("#analysis")
    card.get_by_text("Analyse again or translate to another language").click()
    model.behaviour = lambda asked: refused(402)
    card.get_by_role("button", name="Analyse", exact=True).click()
    expect(card).to_contain_text("The credit at the language model's provider is used up.", timeout=PATIENCE_MS)
    expect(card).to_contain_text("They talked about the budget.")
    model.behaviour = lambda asked: replace(helpful(asked), hold=hold)
    card.get_by_text("Analyse again or translate to another language").click()
    card.get_by_label("Analyse in").select_option("German")
    card.get_by_role("button", name="Analyse", exact=True).click()
    expect(card.locator(".analysis-head .pill")).to_have_text("Running", timeout=PATIENCE_MS)
    hold.set()
    expect(card.locator(".analysis-head .pill")).to_have_text("Done", timeout=PATIENCE_MS)
    expect(card.locator(".analysis-head")).to_contain_text("German")
