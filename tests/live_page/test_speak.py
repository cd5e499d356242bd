"""Captions of a microphone in a real Chromium, from a whole server: over WebRTC, else over a WebSocket."""

from __future__ import annotations

import re
from typing import Any

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.capture.hearing import browser
from tests.live_page.house import server
from tests.pages.browsing import PATIENCE_MS, Open, signed_in, visit
from tests.serve.ports import wait_until
from tests.serve.servers import RunningServer

__all__ = ["browser", "server", "signed_in", "visit"]
pytestmark = pytest.mark.browser
NO_WEBRTC = "delete globalThis.RTCPeerConnection"
#: As behind a firewall: the answer names no address to send to.
NO_PACKETS = """
const set = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
  return set.call(this, { type, sdp: sdp.replace(/a=candidate:.*\\r\\n/g, "") });
};
"""
REFUSED = """navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "%s"))"""
#: Frames as the server sends them; `heard` is what is added outside of what screen readers pass over.
SAY = """async () => {
  const { makeCaptions } = await import("/static/js/live_captions/captions.js");
  const [place, placeholder, follow] = ["said", "said-placeholder", "live-follow"].map((id) => document.getElementById(id));
  globalThis.captions = makeCaptions({ place, placeholder, follow });
  globalThis.heard = [];
  const elementOf = (node) => (node.closest ? node : node.parentElement);
  const isLeaf = (node) => !node.firstElementChild;
  const isTold = (node) => isLeaf(node) && elementOf(node) && !elementOf(node).closest('[aria-hidden="true"]');
  new MutationObserver((changes) => {
    const added = changes.flatMap(({ addedNodes }) => [...addedNodes]);
    heard.push(...added.filter(isTold).map((node) => node.innerText ?? node.data));
  }).observe(place, { childList: true, subtree: true });
  const tell = (text, is_final, start, end, speaker_label) => captions.add({ text, is_final, start, end, speaker_label });
  tell("Hel", false, 0, 1);
  tell("Hello the", false, 0, 1.5);
  tell("Hello there.", true, 0, 2);
  tell("How", false, 2.1, 2.4);
  tell("How are you?", true, 2.1, 3);
  tell("<b>Fine</b>, thanks.", true, 6, 8, "Speaker 2");
  tell("你好", true, 8, 9, "Speaker 2");
}"""
WORD = re.compile("[0-9a-f]{8}")


def opened(visit: Open, script: str = "") -> Page:
    page = visit("/offline")
    if script:
        page.add_init_script(script)
    page.goto("/whisper/live")
    return page


def start(page: Page) -> None:
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#live-state")).to_have_text("Listening", timeout=PATIENCE_MS)


def final_words(page: Page) -> list[str]:
    """Those that stay."""
    told: list[str] = page.locator("#said p > span:not(.interim)").all_inner_texts()
    return WORD.findall(" ".join(told))


def hear(page: Page, words: int) -> list[str]:
    wait_until(lambda: len(final_words(page)) >= words, f"{words} words are there", seconds=90)
    return final_words(page)


def stop(page: Page) -> str:
    """The number of the recording."""
    page.get_by_role("button", name="Stop").click()
    link = page.get_by_role("link", name="Open the recording")
    expect(link).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#live-state")).to_have_text("Ended")
    return str(link.get_attribute("href")).rsplit("/", 1)[1]


def transcript(page: Page, number: str) -> str:
    def is_completed() -> bool:
        return str(page.request.get(f"/api/whisper/jobs/{number}").json()["job"]["status"]) == "completed"

    wait_until(is_completed, "the recording has its transcript", seconds=90)
    return page.request.get(f"/api/whisper/jobs/{number}/exports/txt").text()


def test_what_is_said_is_read_over_webrtc_and_becomes_a_recording(visit: Open) -> None:
    page = opened(visit)
    start(page)
    expect(page.locator("#live-way")).to_have_text("")
    wait_until(lambda: page.locator("#live-level").evaluate("(one) => one.value") > 0.2, "it is loud", seconds=30)
    words = hear(page, 4)
    number = stop(page)
    assert final_words(page)[: len(words)] == words
    assert WORD.findall(transcript(page, number)) == final_words(page)
    page.get_by_role("link", name="Open the recording").click()
    expect(page.locator("h1")).to_contain_text("live-20")


def test_where_webrtc_does_not_get_through_a_websocket_does_and_nothing_that_was_said_is_missing(visit: Open) -> None:
    page = opened(visit, NO_PACKETS)
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#live-way")).to_contain_text("did not get through", timeout=PATIENCE_MS)
    expect(page.locator("#live-state")).to_have_text("Listening", timeout=PATIENCE_MS)
    hear(page, 3)
    shown = page.locator("#live-time").inner_text()
    number = stop(page)
    assert WORD.findall(transcript(page, number)) == final_words(page)
    minutes, seconds = map(int, shown.split(":"))
    length = page.request.get(f"/api/whisper/jobs/{number}").json()["job"]["source_duration_seconds"]
    assert length >= 60 * minutes + seconds - 1
    jobs = page.request.get("/api/whisper/jobs").json()["jobs"]
    assert str(jobs[0]["id"]) == number


def test_a_lost_connection_is_made_again_and_it_stays_one_recording(visit: Open, server: RunningServer) -> None:
    page = opened(visit, NO_WEBRTC)
    start(page)
    expect(page.locator("#live-way")).to_have_text("")
    before = hear(page, 2)
    psutil.Process(server.pid_of("web")).kill()
    expect(page.locator("#live-state")).to_have_text("Connection lost. Trying again…", timeout=PATIENCE_MS)
    expect(page.locator("#live-state")).to_have_text("Listening", timeout=PATIENCE_MS)
    after = hear(page, len(before) + 2)
    assert after[: len(before)] == before
    shown = page.locator("#live-time").inner_text()
    number = stop(page)
    assert WORD.findall(transcript(page, number)) == final_words(page)
    minutes, seconds = map(int, shown.split(":"))
    length = page.request.get(f"/api/whisper/jobs/{number}").json()["job"]["source_duration_seconds"]
    assert length >= 60 * minutes + seconds - 1


def test_after_a_lost_live_process_the_captions_go_on_in_another_recording(visit: Open, server: RunningServer) -> None:
    page = opened(visit, NO_WEBRTC)
    start(page)
    before = hear(page, 2)
    psutil.Process(server.pid_of("live")).kill()
    expect(page.locator("#live-results")).to_contain_text("becomes a recording of its own", timeout=PATIENCE_MS)
    expect(page.locator("#live-state")).to_have_text("Listening", timeout=PATIENCE_MS)
    words = hear(page, len(before) + 3)
    number = stop(page)
    assert words[: len(before)] == before
    later = WORD.findall(transcript(page, number))
    assert later and final_words(page)[-len(later) :] == later


def test_a_lost_web_process_ends_no_webrtc_session(visit: Open, server: RunningServer) -> None:
    page = opened(visit)
    start(page)
    before = hear(page, 2)
    psutil.Process(server.pid_of("web")).kill()
    expect(page.locator("#live-state")).to_have_text("Connection lost. Trying again…", timeout=PATIENCE_MS)
    expect(page.locator("#live-state")).to_have_text("Listening", timeout=PATIENCE_MS)
    after = hear(page, len(before) + 2)
    assert after[: len(before)] == before
    number = stop(page)
    assert WORD.findall(transcript(page, number)) == final_words(page)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("NotAllowedError", "The microphone was not allowed."),
        ("NotFoundError", "No microphone was found."),
        ("NotReadableError", "in use by another program"),
    ],
)
def test_a_microphone_that_can_not_be_had_is_said(visit: Open, name: str, sentence: str) -> None:
    page = opened(visit, REFUSED % name)
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#live-problem")).to_contain_text(sentence)
    expect(page.get_by_role("button", name="Start")).to_be_enabled()


def test_without_scripts_the_page_says_what_it_needs(visit: Open) -> None:
    page = visit("/whisper/live", java_script_enabled=False)
    expect(page.get_by_text("Live captions need JavaScript")).to_be_visible()
    expect(page.locator("#live-form")).to_be_hidden()


def test_a_screen_reader_hears_final_words_once_and_no_interim_ones(visit: Open) -> None:
    page = opened(visit)
    expect(page.get_by_role("log", name="Captions")).to_be_visible()
    page.evaluate(SAY)
    assert page.evaluate("captions.text") == "Hello there. How are you?\n\nSpeaker 2: <b>Fine</b>, thanks. 你好"
    expect(page.locator("#said p:visible")).to_have_count(2)
    expect(page.locator("#said .voice")).to_have_text("Speaker 2")
    page.wait_for_function("heard.join(' ').includes('thanks')")
    heard: list[Any] = page.evaluate("heard")
    told = " ".join(one for one in heard if one and one.strip())
    assert told.count("Hello") == 1 and "Hello the " not in told and told.count("How") == 1


def test_the_captions_fill_the_screen_and_keep_their_size(visit: Open) -> None:
    page = opened(visit)
    page.get_by_role("radio", name="Large", exact=True).check()
    page.get_by_role("button", name="Fill the screen").click()
    expect(page.locator("#stage")).to_have_class(re.compile("fills"))
    page.get_by_role("button", name="Fill the screen").click()
    expect(page.locator("#stage")).not_to_have_class(re.compile("fills"))
    page.reload()
    expect(page.get_by_role("radio", name="Large", exact=True)).to_be_checked()
    expect(page.locator("#stage")).to_have_attribute("data-size", "large")
