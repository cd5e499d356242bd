"""How the pages look, read and feel in a real browser: colours, phones, names, keyboard, long transcripts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.pages.browsing import PATIENCE_MS, Open, close_windows, hand_in, row, tone
from tests.pages.browsing import browser as browser
from tests.pages.browsing import server as server
from tests.pages.browsing import signed_in as signed_in
from tests.pages.browsing import visit as visit
from whisper_jobs.speech.transcript import Segment, paragraphs

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def job(server: Any, signed_in: Any, browser: Any) -> str:
    """The path of a job that has ended without words."""
    context = browser.new_context(base_url=f"http://127.0.0.1:{server.port}", storage_state=signed_in)
    page = context.new_page()
    page.goto("/whisper")
    hand_in(page, "quiet.wav", tone())
    expect(row(page, "quiet.wav")).to_contain_text("Failed", timeout=PATIENCE_MS)
    path = row(page, "quiet.wav").get_by_role("link").get_attribute("href")
    close_windows(browser)
    return str(path)


def test_dark_is_a_choice_that_stays(visit: Open) -> None:
    page = visit("/whisper", color_scheme="light")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_text("Settings").click()
    page.get_by_role("radio", name="Dark").check()
    dark = page.evaluate(paper)
    assert light != dark
    page.reload()
    assert page.evaluate(paper) == dark
    page.get_by_text("Settings").click()
    expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    page.get_by_role("radio", name="System").check()
    assert page.evaluate(paper) == light
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(paper) == dark


@pytest.mark.parametrize("language", ["en", "sv"])
def test_nothing_is_cut_off_on_a_small_phone_and_everything_can_be_tapped(visit: Open, job: str, language: str) -> None:
    small = {"viewport": {"width": 360, "height": 740}, "locale": language, "has_touch": True}
    page = visit("/whisper", **small)
    for path in (
        "/whisper",
        job,
        "/whisper?q=nothing+at+all",
        "/whisper/jobs/999999",
        "/whisper/manage/doctor",
        "/whisper/organisation",
        "/whisper/organisation/audit",
        "/whisper/organisation/recordings",
        "/login",
    ):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == 360, path
        assert page.evaluate("document.documentElement.lang") == language
        assert page.evaluate(SMALL_TARGETS) == [], path


#: Controls that are shown and lower than 44 px, other than links inside a sentence and rows that are links as a whole. A box to
#: tick is as high as the label around it.
SMALL_TARGETS = """() => [...document.querySelectorAll("button, select, input, textarea, summary, a.button, .tabs a")]
  .filter((one) => one.checkVisibility() && one.getClientRects().length && !one.closest(".visually-hidden"))
  .filter((one) => one.type !== "file")
  .filter((one) => (one.type === "checkbox" && one.closest("label") || one).getBoundingClientRect().height < 43.5)
  .map((one) => one.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize(("path", "seen"), [("/api/docs", "Queue a recording"), ("/api/redoc", "Callbacks")])
def test_the_description_of_the_api_is_drawn_without_breaking_the_policy(visit: Open, path: str, seen: str) -> None:
    page = visit(path)
    expect(page.get_by_text(seen).first).to_be_visible(timeout=PATIENCE_MS)
    # What it would fetch from elsewhere, it would fetch by now.
    page.wait_for_load_state("networkidle")


def test_every_control_has_a_name_and_every_id_is_one_of_a_kind(visit: Open, job: str) -> None:
    page = visit("/whisper")
    for path in ("/whisper", job):
        page.goto(path)
        expect(page.locator("#live")).to_have_text("Live")
        assert page.evaluate(NAMELESS) == [], path
        assert page.evaluate(TWICE) == [], path


NAMELESS = """() => [...document.querySelectorAll("button, select, input:not([type=hidden]), textarea, a, progress, audio")]
  .filter((one) => !(one.labels?.length || one.ariaLabel || one.getAttribute("aria-labelledby") || one.textContent.trim()))
  .map((one) => one.outerHTML.slice(0, 80))"""
TWICE = """() => [...document.querySelectorAll("[id]")].map((one) => one.id)
  .filter((id, place, all) => all.indexOf(id) !== place)"""


def test_the_keyboard_alone_is_enough(visit: Open, job: str) -> None:
    page = visit("/whisper")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    reached = []
    for _ in range(25):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
        assert page.evaluate(FOCUS_IS_SEEN), reached[-1]
        if reached[-1] == "quiet.wav":
            break
    assert reached[:5] == ["id_source_url", "id_media_file", "record", "id_model", "id_language"]
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{job}")


FOCUS_IS_SEEN = """() => {
  const seen = (element) => element && getComputedStyle(element).outlineStyle !== "none";
  const one = document.activeElement;
  return seen(one) || seen(one.closest(".job")) || seen(one.nextElementSibling);
}"""


TRANSCRIPT = "/static/js/transcript.js"


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
        f"""async (told) => (await import("{TRANSCRIPT}")).paragraphs(told)
          .map(({{ start, text, speaker }}) => [start, text, speaker])""",
        told,
    )
    segments = [Segment(one["start"], one["end"], one["text"], speaker=one["speaker"]) for one in told]
    assert shown == [[one.start, one.text, one.speaker] for one in paragraphs(segments)]
    assert len(shown) > 20


def test_ten_thousand_segments_in_any_order_stay_quick_and_do_not_move_the_reader(visit: Open, job: str) -> None:
    page = visit(job)
    expect(page.locator("#live")).to_have_text("Live")
    told = [{**one, "text": f"Sentence number {one['id']} of a long day."} for one in _segments(10_000)]
    windows = [told[place : place + 100] for place in range(0, 10_000, 100)]
    late = windows.pop(0)
    took = page.evaluate(
        f"""async (windows) => {{
          const {{ TranscriptView }} = await import("{TRANSCRIPT}");
          const root = document.getElementById("text");
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
    assert seconds[0] == 0


def test_a_swede_reads_in_swedish_what_a_job_tells_of_itself(visit: Open, job: str) -> None:
    page = visit(job, locale="sv")
    expect(page.locator("[data-field=failure]")).to_contain_text("Inget tal hittades")
    expect(page.locator("#log")).to_contain_text("I kö.")
    arriving = "Download: The media server answered with error 503. Trying again in 30 s."
    assert (
        page.evaluate(TELL, arriving)
        == "Ladda ner: Servern med inspelningen svarade med fel 503. Försöker igen om 30 s."
    )


#: A sentence in the words that a script would show for it.
TELL = """async (sentence) => {
  const files = performance.getEntriesByType("resource").map(({ name }) => name);
  const { told } = await import(files.find((name) => new URL(name).pathname.startsWith("/static/js/texts.")));
  return told(sentence);
}"""
