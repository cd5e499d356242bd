"""A real browser against a whole server, as `manage.py serve` starts it: what a person does, from signing in on."""

from __future__ import annotations

import http.server
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.pages.browsing import PATIENCE_MS, Open, choose, hand_in, row, tone
from tests.pages.browsing import browser as browser
from tests.pages.browsing import server as server
from tests.pages.browsing import signed_in as signed_in
from tests.pages.browsing import visit as visit
from tests.serve.servers import RunningServer

pytestmark = pytest.mark.browser
WATCH_SHIFTS = """() => {
  window.shifted = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted.push(entry.value);
  }).observe({ type: "layout-shift" });
}"""


def test_the_sample_goes_from_one_click_to_a_transcript_without_a_jump(visit: Open) -> None:
    page = visit("/whisper")
    page.get_by_role("button", name="Try it with a sample recording").click()
    page.wait_for_url("**/whisper/jobs/*")
    page.evaluate(WATCH_SHIFTS)
    words = page.locator("#text")
    expect(words).to_contain_text("recording", timeout=PATIENCE_MS)
    expect(page.locator('[data-field="status"]')).to_have_text("Completed", timeout=PATIENCE_MS)
    expect(words).to_contain_text("thank you very much", ignore_case=True)
    assert sum(page.evaluate("window.shifted")) < 0.1
    expect(page.get_by_text("Draft quality.")).to_be_hidden()
    expect(page.locator('[data-field="engine"]')).to_contain_text("Moonshine tiny, which knows English only")
    expect(page.locator('#steps [data-state="done"]')).to_have_count(5)
    shown = words.text_content()
    page.reload()
    expect(words).to_have_text(re.compile("thank you very much", re.IGNORECASE))
    assert words.text_content() == shown
    page.locator("#downloads summary").click()
    for name, start in (
        ("Plain text", "Speaker 1: Hello"),
        ("SRT, For the web", "1\n00:00:0"),
        ("JSON", "{"),
        ("PDF", "%PDF-"),
    ):
        with page.expect_download() as download:
            page.get_by_role("link", name=name, exact=True).click()
        assert Path(download.value.path()).read_bytes().startswith(start.encode())
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="PDF")).to_be_hidden()
    expect(page.locator("#downloads summary")).to_be_focused()


def test_copying_takes_the_whole_text(visit: Open) -> None:
    page = visit("/whisper?status=completed", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name="Sample: two voices").click()
    page.get_by_role("button", name="Copy text").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("Speaker 1: Hello")
    assert copied.rstrip().endswith("easy.")


def test_a_chosen_file_is_uploaded_fails_with_a_reason_restarts_and_is_deleted(visit: Open) -> None:
    page = visit("/whisper")
    choose(page, "tone.wav", tone())
    expect(page.locator("#chosen")).to_contain_text("tone.wav")
    expect(page.get_by_label("Link to audio")).to_be_hidden()
    page.get_by_text("Add a title or a note").click()
    page.get_by_label("Title", exact=True).fill("A tone")
    page.get_by_role("button", name="Transcribe", exact=True).click()
    expect(row(page, "A tone")).to_contain_text("Failed", timeout=PATIENCE_MS)
    expect(row(page, "A tone")).to_contain_text("No speech was found")
    page.get_by_role("link", name="A tone").click()
    expect(page.get_by_text("This did not work")).to_be_visible()
    expect(page.locator('[data-field="failure-code"]')).to_have_text("no_speech")

    page.get_by_role("button", name="Restart").click()
    expect(page.locator("#log")).to_contain_text("Restarted")
    expect(page.get_by_text("This did not work")).to_be_visible(timeout=PATIENCE_MS)

    page.get_by_role("button", name="Move to the trash").click()
    expect(page).to_have_url(re.compile("/whisper$"))
    expect(row(page, "A tone")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("1 recording is back.")).to_be_visible()
    expect(row(page, "A tone")).to_have_count(1)


def test_another_window_sees_what_happens_here(visit: Open) -> None:
    watching, acting = visit("/whisper"), visit("/whisper")
    expect(watching.locator("#live")).to_have_text("Live")
    hand_in(acting, "seen-elsewhere.wav", tone())
    expect(row(watching, "seen-elsewhere.wav")).to_contain_text("Failed", timeout=PATIENCE_MS)
    row(acting, "seen-elsewhere.wav").get_by_role("link").click()
    acting.get_by_role("button", name="Move to the trash").click()
    expect(row(watching, "seen-elsewhere.wav")).to_have_count(0)
    expect(acting).to_have_url(re.compile("/whisper$"))


def test_what_cannot_be_taken_is_told_beside_its_field(visit: Open) -> None:
    page = visit("/whisper")
    button, link = page.get_by_role("button", name="Transcribe", exact=True), page.get_by_label("Link to audio")
    button.click()
    expect(page.locator("#source_url_error")).to_have_text("Put in a link or choose a file.")
    link.fill("http://10.0.0.1/talk.mp3")
    button.click()
    expect(page.locator("#source_url_error")).to_contain_text("not on the public internet")
    expect(link).to_be_focused()
    expect(link).to_have_attribute("aria-invalid", "true")
    choose(page, "nothing.wav", b"")
    expect(page.locator("#chosen")).to_contain_text("This file is empty.")
    choose(page, "big.wav", bytes(9 << 20))
    expect(page.locator("#chosen")).to_contain_text("this server takes at most 8 MB")
    page.get_by_role("button", name="Remove the file").click()
    expect(link).to_have_value("http://10.0.0.1/talk.mp3")


def test_the_upload_shows_its_own_progress_and_can_be_stopped(visit: Open) -> None:
    page = visit("/whisper")
    network = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 300_000}
    network.send("Network.emulateNetworkConditions", slow)
    hand_in(page, "long-upload.wav", tone(100))
    expect(page.locator("#sending")).to_contain_text(re.compile(r"[1-9]\d?%.*MB/s.*left", re.DOTALL))
    page.get_by_role("button", name="Stop the upload").click()
    expect(page.locator("#sending")).to_be_hidden()
    expect(page.locator("#composer-status")).to_have_text("The upload was stopped.")
    expect(page.locator("#chosen")).to_contain_text("long-upload.wav")
    expect(row(page, "long-upload.wav")).to_have_count(0)


def test_a_file_can_be_dropped_anywhere(visit: Open) -> None:
    page = visit("/whisper")
    carried = page.evaluate_handle(
        "() => { const held = new DataTransfer(); held.items.add(new File(['x'], 'dropped.wav')); return held; }"
    )
    page.dispatch_event("footer", "dragover", {"dataTransfer": carried})
    expect(page.locator("#veil")).to_be_visible()
    page.dispatch_event("footer", "drop", {"dataTransfer": carried})
    expect(page.locator("#veil")).to_be_hidden()
    expect(page.locator("#chosen")).to_contain_text("dropped.wav")


class _Endless(http.server.BaseHTTPRequestHandler):
    """A recording that never ends."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "audio/mpeg")
        self.end_headers()
        try:
            while True:
                self.wfile.write(bytes(8192))
                time.sleep(0.05)
        except OSError:
            return

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def endless() -> Iterator[str]:
    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Endless)
    thread = threading.Thread(target=site.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{site.server_port}/endless.mp3"
    site.shutdown()
    thread.join(15)
    site.server_close()


def test_a_link_is_downloaded_and_cancelled(visit: Open, endless: str) -> None:
    page = visit("/whisper")
    page.get_by_label("Link to audio").fill(endless)
    page.keyboard.press("Enter")
    expect(row(page, endless)).to_contain_text("Downloading", timeout=PATIENCE_MS)
    page.get_by_role("link", name=endless).click()
    expect(page.locator('[data-field="status"]')).to_have_text("Downloading")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator('[data-field="failure-title"]')).to_have_text("Cancelled", timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()


def test_a_page_says_that_it_lost_the_server_and_catches_up_by_itself(visit: Open, server: RunningServer) -> None:
    page = visit("/whisper")
    expect(page.locator("#live")).to_have_text("Live")
    os.kill(server.pid_of("web"), signal.SIGKILL)
    expect(page.locator("#live")).to_have_text("Connection lost. Trying again…")
    expect(page.locator("#live")).to_have_text("Live", timeout=PATIENCE_MS)
    page.context.set_offline(True)
    expect(page.locator("#live")).to_contain_text("You are offline")
    page.context.set_offline(False)
    expect(page.locator("#live")).to_have_text("Live")


def test_filters_and_search_narrow_the_list_without_a_reload(visit: Open) -> None:
    page = visit("/whisper")
    page.evaluate("window.same = true")
    page.get_by_role("link", name="Completed").click()
    expect(page.locator(".job")).to_have_count(1)
    page.get_by_role("searchbox").fill("nothing like this")
    expect(page.get_by_text("No recording matches")).to_be_visible()
    assert page.url.endswith("?status=completed&q=nothing+like+this")
    page.get_by_role("searchbox").fill("two voices")
    expect(page.locator(".job")).to_have_count(1)
    assert page.evaluate("window.same")
    page.reload()
    expect(page.locator(".job")).to_have_count(1)


def test_without_scripts_a_file_can_be_handed_in_and_followed(visit: Open) -> None:
    page = visit("/whisper", java_script_enabled=False)
    page.locator("#id_media_file").set_input_files({"name": "plain.wav", "mimeType": "audio/wav", "buffer": tone()})
    page.get_by_role("button", name="Transcribe", exact=True).click()
    page.wait_for_url("**/whisper/jobs/*")
    for _ in range(100):
        if page.locator('[data-field="status"]').inner_text() == "Failed":
            break
        time.sleep(0.3)
        page.reload()
    expect(page.get_by_text("No speech was found").first).to_be_visible()
