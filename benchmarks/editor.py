"""Figure: the editor with a transcript of 10,000 segments, in Chromium against a server on the same machine."""

from __future__ import annotations

import statistics
from typing import Any

from playwright.sync_api import Page, expect

from benchmarks.figure import Line, Options, at_most, percentile
from benchmarks.server import ADMIN, PASSWORD, Server
from tests.editor.desk import store_job
from tests.pages.browsing import running_browser

TITLE = "Editor"
SEGMENTS, QUICK_SEGMENTS = 10_000, 1_000
SECONDS = 3.6
SENTENCE = "and so the harbour was rebuilt in nineteen hundred and four by the people who lived there"
RUNS, QUICK_RUNS = 5, 1
KEYS = 60
OPEN_MS, KEY_MS, TASK_MS = 1500, 30, 100


def measure(options: Options) -> list[Line]:
    count, runs = (QUICK_SEGMENTS, QUICK_RUNS) if options.quick else (SEGMENTS, RUNS)
    with Server(options.folder / "data") as server, running_browser() as browser:
        job = store_job(server.folder, _segments(count), email=ADMIN)
        page = browser.new_context(base_url=f"http://127.0.0.1:{server.port}").new_page()
        _sign_in(page)
        opened = [_open(page, job) for _ in range(runs)]
        expect(page.locator("#segments")).to_have_attribute("aria-busy", "false", timeout=120_000)
        keys, scrolled = _type(page), _scroll(page)
    return [
        at_most(f"{count:,} segments: first ones shown", OPEN_MS, opened, unit=" ms"),
        at_most("a key, until it is drawn: median", KEY_MS, [statistics.median(keys)], spread=_worst(keys), unit=" ms"),
        at_most(
            "scrolling to the end: longest task", TASK_MS, [max(scrolled, default=0.0)], spread="1 run", unit=" ms"
        ),
    ]


def _segments(count: int) -> list[dict[str, Any]]:
    return [
        {"start": place * SECONDS, "end": (place + 1) * SECONDS, "text": SENTENCE, "speaker": f"SPEAKER_0{place % 4}"}
        for place in range(count)
    ]


def _sign_in(page: Page) -> None:
    page.goto("/login")
    page.locator("#id_login").fill(ADMIN)
    page.locator("#id_password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/whisper")


def _open(page: Page, job: int) -> float:
    """Milliseconds from the request to the first segments."""
    page.add_init_script(FIRST_ROW)
    page.goto(f"/whisper/jobs/{job}/correct")
    page.locator(".segment").first.wait_for()
    return float(page.evaluate("window.firstRow"))


def _type(page: Page) -> list[float]:
    """Milliseconds from each key to the next frame, in the middle of the first segment."""
    page.locator(".said").first.evaluate("field => { field.focus(); getSelection().collapse(field.firstChild, 10); }")
    page.evaluate(WATCH_KEYS)
    page.keyboard.type("x" * KEYS, delay=40)
    times: list[float] = page.evaluate("window.keys")
    return times


def _scroll(page: Page) -> list[float]:
    """Milliseconds of every task over 50 ms while the whole list is scrolled through."""
    page.evaluate(WATCH_TASKS)
    page.evaluate(SCROLL)
    times: list[float] = page.evaluate("window.tasks")
    return times


def _worst(times: list[float]) -> str:
    return f"p95 {percentile(times, 0.95):.0f} ms, {len(times)} keys"


FIRST_ROW = """document.addEventListener("DOMContentLoaded", () => {
  const seen = new MutationObserver(() => {
    if (!document.querySelector(".segment")) return;
    seen.disconnect();
    requestAnimationFrame(() => { window.firstRow = performance.now(); });
  });
  seen.observe(document.body, { childList: true, subtree: true });
});"""
WATCH_KEYS = """() => {
  window.keys = [];
  addEventListener("keydown", () => {
    const began = performance.now();
    requestAnimationFrame(() => setTimeout(() => window.keys.push(performance.now() - began)));
  }, true);
}"""
WATCH_TASKS = """() => {
  window.tasks = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: "longtask" });
}"""
SCROLL = """async () => {
  const step = document.documentElement.scrollHeight / 150;
  for (let at = 0; at < 150; at += 1) {
    scrollBy(0, step);
    await new Promise(requestAnimationFrame);
    await new Promise((resolve) => setTimeout(resolve, 16));
  }
}"""
