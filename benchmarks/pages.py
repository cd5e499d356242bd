"""The pages in a browser: how soon they show something, how a transcript of 10,000 segments opens and scrolls, and the shared
page under many readers. Times are of this machine, on which the browser and the server share the processors."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from benchmarks.figure import Line, Options, at_least, at_most, percentile, told
from benchmarks.server import ADMIN, PASSWORD, Server, python
from tests.pages.browsing import running_browser

TITLE = "Pages in a browser"
HOUR, LONG = 60, 667
#: Of an hour: queue, job, library, editor, and the shared page.
PAGES = {
    "queue": "/whisper",
    "job": "/whisper/jobs/{job}",
    "library": "/whisper/library",
    "editor": "/whisper/jobs/{job}/correct",
    "share": "/shared/whisper/transcript/{share}",
}
#: What of a long transcript is seen first.
FIRST = {"job": "#text .paragraph", "share": "#text .paragraph", "editor": "#segments > *"}
RUNS, QUICK_RUNS = 5, 1
READERS, READS, QUICK_READS = 4, 400, 40
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1"
WATCH = """window.longTasks = [];
new PerformanceObserver((list) => longTasks.push(...list.getEntries().map((one) => one.duration))).observe({ type: "longtask" });"""
FRAME = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
Places = dict[str, Any]


def measure(options: Options) -> list[Line]:
    runs, reads = (QUICK_RUNS, QUICK_READS) if options.quick else (RUNS, READS)
    with Server(options.folder / "data") as server, running_browser() as browser:
        short, long = _filled(server, HOUR), _filled(server, LONG)
        context = _signed_in(browser, server)
        lines = [_painted(context, name, path.format(**short), runs) for name, path in PAGES.items()]
        lines += [_opened(context, name, PAGES[name].format(**long), runs) for name in FIRST]
        lines += [_scrolled(context, name, PAGES[name].format(**long)) for name in ("job", "share")]
        lines.append(_typed(context, PAGES["share"].format(**long)))
        lines.append(_weighed(browser, server, PAGES["share"].format(**short)))
        lines += _read(server, PAGES["share"].format(**short), reads)
    return lines


def _filled(server: Server, minutes: int) -> Places:
    """Stores a recording of so many minutes, among others, from a process of its own."""
    maker = python("-m", "tests.look.seed", str(minutes), **server.variables)
    said, _ = maker.communicate(timeout=600)
    if maker.returncode:
        raise RuntimeError("the recordings could not be stored")
    places: Places = json.loads(said.splitlines()[-1])
    return places


def _signed_in(browser: Browser, server: Server) -> BrowserContext:
    context = browser.new_context(
        base_url=f"http://127.0.0.1:{server.port}", locale="en-GB", viewport={"width": 1280, "height": 800}
    )
    context.add_init_script(WATCH)
    page = context.new_page()
    page.goto("/login")
    page.locator("input[name=login]").fill(ADMIN)
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/whisper")
    page.close()
    return context


@contextlib.contextmanager
def _window(context: BrowserContext) -> Any:
    page = context.new_page()
    try:
        yield page
    finally:
        page.close()


def _painted(context: BrowserContext, name: str, path: str, runs: int) -> Line:
    def once(page: Page) -> float:
        page.goto(path)
        page.wait_for_function(f"() => {PAINT} >= 0")
        return float(page.evaluate(PAINT))

    return at_most(f"{name}: first contentful paint", 1000, _each(context, once, runs), unit=" ms")


def _opened(context: BrowserContext, name: str, path: str, runs: int) -> Line:
    """Until the first words are there and the page answers."""

    def once(page: Page) -> float:
        began = time.monotonic()
        page.goto(path, wait_until="commit")
        page.locator(FIRST[name]).first.wait_for()
        page.evaluate(FRAME)
        return (time.monotonic() - began) * 1000

    return at_most(f"{name} of 10,000 segments: open", 1500, _each(context, once, runs), unit=" ms")


def _scrolled(context: BrowserContext, name: str, path: str) -> Line:
    with _window(context) as page:
        page.goto(path)
        page.wait_for_load_state("networkidle")
        page.evaluate("longTasks.length = 0")
        for _ in range(40):
            page.mouse.wheel(0, 3000)
            page.evaluate(FRAME)
        tasks = page.evaluate("longTasks")
    return at_most(f"{name} of 10,000 segments: longest task while scrolling", 100, [max(tasks, default=0)], unit=" ms")


def _typed(context: BrowserContext, path: str) -> Line:
    """From a key in the search field until every hit in 10,000 segments is counted and marked."""
    with _window(context) as page:
        page.goto(path)
        page.wait_for_load_state("networkidle")
        page.evaluate("longTasks.length = 0")
        page.locator("#find").press_sequentially("harbour", delay=150)
        page.wait_for_function("document.getElementById('found').textContent !== ''")
        page.wait_for_timeout(500)
        tasks = page.evaluate("longTasks")
    return at_most("share of 10,000 segments: longest task of a search", 100, [max(tasks, default=0)], unit=" ms")


def _each(context: BrowserContext, once: Callable[[Page], float], runs: int) -> list[float]:
    """The first one warms up: it fills the browser's cache, as any page of the site does for the next."""
    taken = []
    for _ in range(runs + 1):
        with _window(context) as page:
            taken.append(once(page))
    return taken[1:]


def _weighed(browser: Browser, server: Server, path: str) -> Line:
    """All that a stranger's browser gets for an hour of talk, as it was sent, with an empty cache and without sound."""
    context = browser.new_context(base_url=f"http://127.0.0.1:{server.port}")
    page = context.new_page()
    answers: list[Any] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(path)
    page.wait_for_load_state("networkidle")
    sizes = [one.request.sizes() for one in answers]
    context.close()
    weight = sum(one["responseBodySize"] + one["responseHeadersSize"] for one in sizes) / 1000
    return at_most("share of an hour: all that is sent", 100, [weight], spread=f"{len(sizes)} files, gzip", unit=" kB")


def _read(server: Server, path: str, reads: int) -> list[Line]:
    """Readers who come for the first time, so that each is counted."""
    taken, lock = list[float](), threading.Lock()

    def reader(_number: int) -> None:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
            for _ in range(reads // READERS):
                began = time.monotonic()
                connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    raise RuntimeError(f"{path}: {answer.status}")
                with lock:
                    taken.append((time.monotonic() - began) * 1000)

    began = time.monotonic()
    with ThreadPoolExecutor(READERS) as readers:
        list(readers.map(reader, range(READERS)))
    rate = len(taken) / (time.monotonic() - began)
    return [
        at_least(
            "share of an hour: readers a minute", 1000, [rate * 60], spread=f"{READERS} at once, {len(taken)} reads"
        ),
        told("share of an hour: p95 under that load", f"{percentile(taken, 0.95):.0f} ms"),
    ]
