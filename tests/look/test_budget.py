"""What a page may weigh and move: scripts and styles, a shared hour as a whole, and nothing jumps while it loads."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Response

from tests.look.looking import seeded
from tests.look.pages import path_to
from tests.pages.browsing import Open
from tests.pages.browsing import browser as browser
from tests.pages.browsing import server as server
from tests.pages.browsing import signed_in as signed_in
from tests.pages.browsing import visit as visit
from tests.serve.servers import RunningServer

pytestmark = pytest.mark.browser
MOST_CODE_BYTES, MOST_SHARED_BYTES, MOST_SHIFT = 150_000, 100_000, 0.02
STRANGER: dict[str, Any] = {"storage_state": {"cookies": [], "origins": []}}
PAGES = {
    "queue": "whisper",
    "job": "whisper/jobs/{job}",
    "library": "whisper/library",
    "editor": "whisper/jobs/{job}/correct",
    "share": "shared/whisper/transcript/{share}",
}
#: How far what is seen has moved without anybody's doing (https://web.dev/articles/cls, without its windows in time).
SHIFT = """() => new Promise((tell) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) sum += one.value;
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => tell(sum), 0)));
})"""


@pytest.fixture(scope="module")
def places(server: RunningServer, signed_in: Any) -> dict[str, Any]:
    """An hour of talk, among others."""
    return seeded(server, minutes=60)


def loaded(visit: Open, path: str, **options: Any) -> tuple[Page, list[Response]]:
    """A page with all that it loads by itself. The fixture fails on any error or broken policy that the console tells."""
    page, answers = visit("/offline", **options), list[Response]()
    page.on("response", lambda answer: answers.append(answer))
    page.goto(path)
    page.wait_for_load_state("networkidle")
    return page, answers


def sent_bytes(answers: list[Response], *kinds: str) -> int:
    """As they were sent: compressed, with their heads."""
    sizes = [one.request.sizes() for one in answers if not kinds or one.request.resource_type in kinds]
    return sum(one["responseBodySize"] + one["responseHeadersSize"] for one in sizes)


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_light_and_keeps_still(visit: Open, places: dict[str, Any], name: str, width: int) -> None:
    page, answers = loaded(visit, path_to(PAGES[name], places), viewport={"width": width, "height": 800})
    assert answers[0].status == 200
    assert 5_000 < sent_bytes(answers, "script", "stylesheet") <= MOST_CODE_BYTES
    assert page.evaluate(SHIFT) <= MOST_SHIFT


def test_a_shared_hour_is_light_as_a_whole(visit: Open, places: dict[str, Any]) -> None:
    page, answers = loaded(visit, path_to(PAGES["share"], places), **STRANGER)
    assert page.locator("#text .paragraph").count() > 50
    assert not [one for one in answers if one.request.resource_type == "media" or one.url.endswith("/words")]
    assert sent_bytes(answers) < MOST_SHARED_BYTES


@pytest.mark.parametrize("width", [1280, 360])
def test_nothing_jumps_while_a_shared_hour_is_scrolled_through(visit: Open, places: dict[str, Any], width: int) -> None:
    page, _answers = loaded(
        visit, path_to(PAGES["share"], places), viewport={"width": width, "height": 800}, **STRANGER
    )
    for _ in range(30):
        page.mouse.wheel(0, 600)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("scrollY") > 10_000
    assert page.evaluate(SHIFT) <= MOST_SHIFT
