"""A real browser against a whole server, as `manage.py serve` starts it: what a person does, from signing in on."""

from __future__ import annotations

import http.server
import io
import json
import os
import re
import shutil
import signal
import threading
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.serve.servers import ADMIN, ROOT, RunningServer
from whisper_jobs.speech.transcript import Segment, paragraphs

pytestmark = pytest.mark.browser
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
#: A busy machine with two cores reads the sample well within it.
PATIENCE_MS = 120_000
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("browser") / "data"
    running = RunningServer(folder, TOOLS_OUTBOUND_ALLOW="127.0.0.1/32", TOOLS_UPLOAD_MAX_MB="8")
    try:
        running.wait_ready()
        yield running
    finally:
        running.end()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Debian's Chromium where there is one, else the one that Playwright has fetched.
        with playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS) as running:
            yield running


@pytest.fixture(scope="module")
def signed_in(server: RunningServer, browser: Browser) -> Any:
    """The cookies of the admin, who signs in by keyboard and lands on an empty queue."""
    context = browser.new_context(base_url=f"http://127.0.0.1:{server.port}", locale="en-GB")
    page = context.new_page()
    page.goto("/")
    page.keyboard.type(ADMIN[0])
    page.keyboard.press("Tab")
    page.keyboard.type(ADMIN[1])
    page.keyboard.press("Enter")
    page.wait_for_url("**/whisper")
    expect(page.get_by_role("button", name="Try it with a sample recording")).to_be_visible()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def visit(server: RunningServer, browser: Browser, signed_in: Any) -> Iterator[Open]:
    """Opens a path in a fresh window. At the end no script may have failed and no policy may have been broken."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def complain(text: str) -> None:
        # The browser itself reports every refused request and every lost socket; pages are meant to cope with them.
        if not re.match(r"Failed to load resource|WebSocket connection", text):
            complaints.append(text)

    def open_page(path: str, **options: Any) -> Page:
        settings = {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}, "storage_state": signed_in, **options}
        contexts.append(browser.new_context(base_url=f"http://127.0.0.1:{server.port}", **settings))
        page = contexts[-1].new_page()
        page.on("console", lambda told: complain(told.text) if told.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complain(str(error)))
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def tone(seconds: float = 1.0) -> bytes:
    """A WAV file with a quiet tone and no speech."""
    samples = (np.sin(np.arange(int(16_000 * seconds)) * 0.2) * 2000).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(samples.tobytes())
    return file.getvalue()


def choose(page: Page, name: str, content: bytes) -> None:
    page.get_by_label("Choose a file").set_input_files({"name": name, "mimeType": "audio/wav", "buffer": content})


def hand_in(page: Page, name: str, content: bytes) -> None:
    choose(page, name, content)
    page.get_by_role("button", name="Transcribe", exact=True).click()


def row(page: Page, title: str) -> Any:
    return page.locator(".job", has=page.get_by_role("link", name=title, exact=True))


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
    expect(words).to_contain_text("thank you very much")
    assert sum(page.evaluate("window.shifted")) < 0.1
    expect(page.get_by_text("Draft quality.")).to_be_visible()
    expect(page.locator('#steps [data-state="done"]')).to_have_count(4)
    shown = words.inner_text()
    page.reload()
    expect(words).to_have_text(re.compile("thank you very much"))
    assert words.inner_text() == shown
    for name, start in (("TXT", "hello"), ("SRT", "1\n00:00:00"), ("VTT", "WEBVTT"), ("JSON", "{")):
        with page.expect_download() as download:
            page.get_by_role("link", name=f"Download {name}").click()
        assert Path(download.value.path()).read_text().startswith(start)


def test_copying_takes_the_whole_text(visit: Open) -> None:
    page = visit("/whisper?status=completed", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name="Sample: two voices").click()
    page.get_by_role("button", name="Copy text").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("hello")
    assert copied.rstrip().endswith("easy")


def test_a_chosen_file_is_uploaded_fails_with_a_reason_restarts_and_is_deleted(visit: Open) -> None:
    page = visit("/whisper")
    choose(page, "tone.wav", tone())
    expect(page.locator("#chosen")).to_contain_text("tone.wav")
    expect(page.get_by_label("Link to audio")).to_be_hidden()
    page.get_by_text("Add a title or a note").click()
    page.get_by_label("Title").fill("A tone")
    page.get_by_role("button", name="Transcribe", exact=True).click()
    expect(row(page, "A tone")).to_contain_text("Failed", timeout=PATIENCE_MS)
    expect(row(page, "A tone")).to_contain_text("No speech was found")
    page.get_by_role("link", name="A tone").click()
    expect(page.get_by_text("This did not work")).to_be_visible()
    expect(page.locator('[data-field="failure-code"]')).to_have_text("no_speech")

    page.get_by_role("button", name="Restart").click()
    expect(page.locator("#log")).to_contain_text("Restarted")
    expect(page.get_by_text("This did not work")).to_be_visible(timeout=PATIENCE_MS)

    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.wait_for_url("**/whisper")
    expect(row(page, "A tone")).to_have_count(0)


def test_another_window_sees_what_happens_here(visit: Open) -> None:
    watching, acting = visit("/whisper"), visit("/whisper")
    expect(watching.locator("#live")).to_have_text("Live")
    hand_in(acting, "seen-elsewhere.wav", tone())
    expect(row(watching, "seen-elsewhere.wav")).to_contain_text("Failed", timeout=PATIENCE_MS)
    row(acting, "seen-elsewhere.wav").get_by_role("link").click()
    acting.get_by_role("button", name="Delete").click()
    acting.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row(watching, "seen-elsewhere.wav")).to_have_count(0)


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
    thread.join()
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


def test_dark_is_a_choice_that_stays(visit: Open) -> None:
    page = visit("/whisper", color_scheme="light")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_text("Settings").click()
    page.get_by_text("Dark").click()
    dark = page.evaluate(paper)
    assert light != dark
    page.reload()
    assert page.evaluate(paper) == dark
    page.get_by_text("Settings").click()
    expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    page.get_by_text("System").click()
    assert page.evaluate(paper) == light
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(paper) == dark


@pytest.mark.parametrize("language", ["en", "sv"])
def test_nothing_is_cut_off_on_a_small_phone_and_everything_can_be_tapped(visit: Open, language: str) -> None:
    small = {"viewport": {"width": 360, "height": 740}, "locale": language, "has_touch": True}
    page = visit("/whisper", **small)
    job = page.locator(".job a").first.get_attribute("href")
    for path in ("/whisper", job, "/whisper?q=nothing+at+all", "/whisper/jobs/999999", "/login"):
        page.goto(str(path))
        assert page.evaluate("document.documentElement.scrollWidth") == 360, path
        assert page.evaluate("document.documentElement.lang") == language
        assert page.evaluate(SMALL_TARGETS) == [], path


#: Controls that are shown and lower than 44 px, other than links inside a sentence and rows that are links as a whole.
SMALL_TARGETS = """() => [...document.querySelectorAll("button, select, input, textarea, summary, a.button, .tabs a")]
  .filter((one) => one.checkVisibility() && one.getClientRects().length && !one.closest(".visually-hidden"))
  .filter((one) => one.type !== "file" && one.getBoundingClientRect().height < 43.5)
  .map((one) => one.outerHTML.slice(0, 80))"""


def test_every_control_has_a_name_and_every_id_is_one_of_a_kind(visit: Open) -> None:
    page = visit("/whisper")
    job = page.locator(".job a").first.get_attribute("href")
    for path in ("/whisper", str(job)):
        page.goto(path)
        expect(page.locator("#live")).to_have_text("Live")
        assert page.evaluate(NAMELESS) == [], path
        assert page.evaluate(TWICE) == [], path


NAMELESS = """() => [...document.querySelectorAll("button, select, input:not([type=hidden]), textarea, a, progress, audio")]
  .filter((one) => !(one.labels?.length || one.ariaLabel || one.getAttribute("aria-labelledby") || one.textContent.trim()))
  .map((one) => one.outerHTML.slice(0, 80))"""
TWICE = """() => [...document.querySelectorAll("[id]")].map((one) => one.id)
  .filter((id, place, all) => all.indexOf(id) !== place)"""


def test_the_keyboard_alone_is_enough(visit: Open) -> None:
    page = visit("/whisper")
    page.get_by_label("Link to audio").blur()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    reached = []
    for _ in range(25):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
        assert page.evaluate(FOCUS_IS_SEEN), reached[-1]
        if "two voices" in reached[-1]:
            break
    assert reached[:5] == ["id_source_url", "id_media_file", "id_model", "id_language", "submit"]
    page.keyboard.press("Enter")
    page.wait_for_url("**/whisper/jobs/*")


FOCUS_IS_SEEN = """() => {
  const seen = (element) => element && getComputedStyle(element).outlineStyle !== "none";
  const one = document.activeElement;
  return seen(one) || seen(one.closest(".job")) || seen(one.nextElementSibling);
}"""


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


TRANSCRIPT = (ROOT / "static" / "js" / "transcript.js").name


def _segments(count: int) -> list[dict[str, Any]]:
    random = np.random.default_rng(4)
    told, clock = [], 0.0
    for number in range(count):
        length, pause = random.uniform(1, 6), random.choice([0.0, 0.3, 1.9, 2.5], p=[0.5, 0.3, 0.1, 0.1])
        text = random.choice(["So it goes.", "and then we", "  Ja,   det är sant. ", "", "これは本です。", "What?"])
        speaker = str(random.choice(["A", "B"])) if number > count // 2 else None
        told.append({"id": number, "start": clock, "end": clock + length, "text": str(text), "speaker": speaker})
        clock += length + pause
    return told


def test_paragraphs_on_the_page_are_those_of_the_downloads(visit: Open) -> None:
    told = _segments(600)
    page = visit("/whisper")
    shown = page.evaluate(
        f"""async (told) => (await import("/static/js/{TRANSCRIPT}")).paragraphs(told)
          .map(({{ start, text, speaker }}) => [start, text, speaker])""",
        told,
    )
    segments = [Segment(one["start"], one["end"], one["text"], speaker=one["speaker"]) for one in told]
    assert shown == [[one.start, one.text, one.speaker] for one in paragraphs(segments)]
    assert len(shown) > 20


def test_ten_thousand_segments_in_any_order_stay_quick_and_do_not_move_the_reader(visit: Open) -> None:
    page = visit("/whisper?status=completed")
    page.get_by_role("link", name="Sample: two voices").click()
    expect(page.locator("#live")).to_have_text("Live")
    told = [{**one, "text": f"Sentence number {one['id']} of a long day."} for one in _segments(10_000)]
    windows = [told[place : place + 100] for place in range(0, 10_000, 100)]
    late = windows.pop(0)
    took = page.evaluate(
        f"""async (windows) => {{
          const {{ TranscriptView }} = await import("/static/js/{TRANSCRIPT}");
          const root = document.getElementById("text");
          root.replaceChildren();
          window.view = new TranscriptView(root);
          const times = [];
          for (const segments of windows) {{
            const started = performance.now();
            window.view.add(segments);
            await new Promise(requestAnimationFrame);
            times.push(performance.now() - started);
          }}
          return times;
        }}""",
        windows,
    )
    assert page.evaluate("window.view.size") == 9900
    assert sorted(took)[len(took) // 2] < 250
    page.evaluate("document.querySelectorAll('.paragraph')[40].scrollIntoView()")
    page.wait_for_timeout(300)
    place = "document.querySelector('#reading').getBoundingClientRect().top"
    page.evaluate("document.querySelectorAll('.paragraph')[41].id = 'reading'")
    before = page.evaluate(place)
    page.evaluate("(late) => window.view.add(late)", late)
    page.wait_for_timeout(300)
    assert abs(page.evaluate(place) - before) < 2
    starts = page.evaluate("[...document.querySelectorAll('.paragraph .clock')].map((one) => one.textContent)")
    seconds = [sum(int(part) * 60**power for power, part in enumerate(reversed(one.split(":")))) for one in starts]
    assert seconds == sorted(seconds)
    assert json.dumps(seconds)[:2] == "[0"
