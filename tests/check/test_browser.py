"""Checking a transcript place by place, in a real browser against a whole server with the draft engine."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.hearing.talking import SECOND, speech
from tests.pages.browsing import PATIENCE_MS, Open, close_windows, wav
from tests.pages.browsing import browser as browser
from tests.pages.browsing import server as server
from tests.pages.browsing import signed_in as signed_in
from tests.pages.browsing import visit as visit

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}


#: So much of the sample has places of every kind, and is read in a third of the time of all of it.
HEARD_SECONDS = 15


def hand_in_sample(page: Page, **fields: str) -> str:
    """The path of a new job with the beginning of the sample, read by the engine that is unsure of much."""
    page.goto("/whisper")
    token = page.locator('input[name="csrfmiddlewaretoken"]').first.input_value()
    told: dict[str, Any] = {
        "media_file": {"name": "talk.wav", "mimeType": "audio/wav", "buffer": wav(speech()[: HEARD_SECONDS * SECOND])},
        "model": "pocketsphinx",
    }
    answer = page.request.post("/api/whisper/jobs", multipart={**told, **fields}, headers={"X-CSRFToken": token})
    assert answer.status == 201, answer.text()
    return str(answer.json()["job"]["url"])


@pytest.fixture(scope="module")
def transcript(server: Any, browser: Any, signed_in: Any) -> str:
    """The path of a job that is read once for all tests."""
    context = browser.new_context(base_url=f"http://127.0.0.1:{server.port}", storage_state=signed_in)
    page = context.new_page()
    path = hand_in_sample(page)
    page.goto(path)
    expect(page.locator('[data-field="status"]')).to_have_text("Completed", timeout=PATIENCE_MS)
    close_windows(browser)
    return path


@pytest.fixture
def job(visit: Open, transcript: str) -> str:
    """The same with the engine's own words."""
    page = visit("/whisper")
    answer = _post(page, f"/api{transcript}/corrections", {"request_id": str(uuid4()), "kind": "restore", "number": 0})
    # The first test finds them so.
    assert answer.status in (201, 422), answer.text()
    return transcript


def _post(page: Page, path: str, body: dict[str, Any]) -> Any:
    token = page.locator('input[name="csrfmiddlewaretoken"]').first.input_value()
    return page.request.post(path, data=body, headers={"X-CSRFToken": token})


def _place(page: Page) -> Any:
    return page.locator("#spot-place")


def _spots(page: Page, job: str) -> list[Any]:
    found: list[Any] = page.request.get(f"/api{job}/spots").json()["spots"]
    return found


def test_from_one_place_to_the_next_by_keyboard(visit: Open, job: str) -> None:
    page = visit(f"{job}/check")
    count = len(_spots(page, job))
    assert count >= 3
    expect(_place(page)).to_have_text(f"1 of {count}")
    expect(page.locator("#spot mark").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(_place(page)).to_have_text(f"2 of {count}")
    page.keyboard.press("e")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Quite <b>another</b> 😀 text")
    page.keyboard.press("Enter")
    expect(page.locator("#check-state")).to_have_text("Saved")
    expect(_place(page)).to_have_text(f"3 of {count}")
    page.keyboard.press("u")
    expect(_place(page)).to_have_text(f"2 of {count}")
    expect(page.locator("#spot-text")).not_to_have_value(re.compile("another"))
    page.keyboard.press("p")
    expect(_place(page)).to_have_text(f"1 of {count}")
    assert len(_spots(page, job)) == count - 1


def test_the_end_tells_what_was_done_and_offers_what_was_left(visit: Open, job: str) -> None:
    page = visit(f"{job}/check")
    count = len(_spots(page, job))
    expect(_place(page)).to_have_text(f"1 of {count}")
    page.keyboard.press("n")
    for place in range(2, count + 1):
        expect(_place(page)).to_have_text(f"{place} of {count}")
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="That was all")).to_be_visible()
    expect(page.locator("#end")).to_contain_text(f"{count - 1} found right, 0 changed, 1 left for later.")
    page.get_by_role("button", name="Look at those left").click()
    expect(_place(page)).to_have_text(f"1 of {count}")
    page.keyboard.press("Enter")
    expect(page.locator("#end")).to_contain_text(f"{count} found right, 0 changed, 0 left for later.")
    page.reload()
    expect(page.get_by_role("heading", name="Nothing looks suspicious")).to_be_visible()


def test_who_comes_second_sees_the_others_text_and_loses_none_of_their_own(visit: Open, job: str) -> None:
    first, second = visit(f"{job}/check"), visit(f"{job}/check")
    expect(_place(second)).to_contain_text("1 of")
    second.locator("#spot-text").fill("mine")
    first.locator("#spot-text").fill("theirs")
    first.keyboard.press("Enter")
    expect(first.locator("#check-state")).to_have_text("Saved")
    second.keyboard.press("Enter")
    expect(second.locator("#spot-text")).to_have_value("theirs")
    expect(second.locator('[data-field="mine"]')).to_have_text("mine")
    second.get_by_role("button", name="Take my text").click()
    expect(second.locator("#spot-text")).to_have_value("mine")
    second.keyboard.press("Enter")
    expect(_place(second)).to_contain_text("2 of")
    texts = [one["text"] for one in second.request.get(f"/api{job}/segments").json()["segments"]]
    assert "mine" in texts


def test_what_is_typed_outlives_a_lost_connection_and_a_reload(visit: Open, job: str) -> None:
    page = visit(f"{job}/check")
    expect(_place(page)).to_contain_text("1 of")
    page.context.set_offline(True)
    page.locator("#spot-text").fill("typed without a network")
    page.keyboard.press("Enter")
    expect(page.locator("#check-error")).to_contain_text("could not be reached")
    page.context.set_offline(False)
    page.reload()
    expect(page.locator("#spot-text")).to_have_value("typed without a network")
    page.locator("#spot-text").press("Enter")
    expect(_place(page)).to_contain_text("2 of")
    made = [one["kind"] for one in page.request.get(f"/api{job}/corrections?order=newest").json()["corrections"]]
    assert made[:1] == ["text"]
    assert made[1:2] != ["text"]


def test_a_word_is_changed_everywhere_and_kept_in_the_glossary(visit: Open, job: str) -> None:
    page = visit(f"{job}/check")
    expect(_place(page)).to_contain_text("1 of")
    page.keyboard.press("g")
    page.get_by_label("Find").fill("the")
    page.get_by_label("Write instead").fill("THE")
    expect(page.locator("#everywhere .matches ins").first).to_contain_text("THE")
    count = page.locator("#everywhere .matches li").count()
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.locator("#check-state")).to_have_text(f"Changed in {count} places")
    texts = " ".join(one["text"] for one in page.request.get(f"/api{job}/segments").json()["segments"])
    assert "THE" in texts.split()
    assert "the" not in texts.split()
    page.locator("#spot, #end").locator("visible=true").get_by_role("button", name="Take back").click()
    expect(page.locator("#check-state")).to_have_text("Taken back")
    page.keyboard.press("a")
    page.get_by_label("Name or term").fill("Kubernetes")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#check-state")).to_have_text("“Kubernetes” is in your glossary now.")
    assert "Kubernetes" in page.request.get("/api/whisper/glossary").json()["terms"]


def test_on_a_phone_by_touch_and_nothing_is_cut_off(visit: Open, job: str) -> None:
    page = visit(f"{job}/check", **PHONE)
    expect(_place(page)).to_contain_text("1 of")
    page.get_by_role("button", name="It is right").tap()
    expect(_place(page)).to_contain_text("2 of")
    page.get_by_role("button", name="Later").tap()
    expect(_place(page)).to_contain_text("3 of")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_sound_around_a_place_is_played_by_itself_and_stops(visit: Open, job: str) -> None:
    page = visit(f"{job}/check")
    spot = _spots(page, job)[0]
    expect(_place(page)).to_contain_text("1 of")
    media = page.locator("[data-player] [data-field=media]")
    page.keyboard.press("Space")
    page.wait_for_function("media => !media.paused", arg=media.element_handle())
    page.wait_for_function("media => media.paused", arg=media.element_handle())
    stopped = media.evaluate("media => media.currentTime")
    assert spot["start"] < stopped
    assert stopped - spot["end"] < 3.5
