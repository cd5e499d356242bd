"""Every page can be read by everyone, as far as axe-core can tell: light and dark, in both languages, wide and narrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.look.looking import routes, seeded
from tests.look.pages import NO_PAGES, OUTSIDE, OUTSIDE_STATES, PAGES, STATES, path_to
from tests.pages.browsing import browser as browser
from tests.pages.browsing import close_windows
from tests.pages.browsing import server as server
from tests.pages.browsing import signed_in as signed_in
from tests.serve.servers import RunningServer

WIDTHS, SCHEMES = (1280, 360), ("light", "dark")
INSIDE = [*PAGES.values(), *STATES.values()]
ALL = [*INSIDE, *OUTSIDE.values(), *OUTSIDE_STATES.values()]
#: What is folded is read as well, and what arrives softly has arrived.
UNFOLDED = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"


def test_no_page_is_forgotten() -> None:
    known = {**PAGES, **OUTSIDE, **NO_PAGES}
    assert len(known) == len(PAGES) + len(OUTSIDE) + len(NO_PAGES)
    assert sorted(routes() - set(known)) == [], "say in tests/look/pages.py where these are looked at"
    assert sorted(set(known) - routes()) == []


@pytest.fixture(scope="module")
def places(server: RunningServer, signed_in: Any) -> dict[str, Any]:
    return seeded(server, minutes=3)


@pytest.fixture(scope="module", params=["en", "sv"])
def windows(
    request: pytest.FixtureRequest, browser: Browser, server: RunningServer, signed_in: Any
) -> Iterator[dict[bool, Page]]:
    """A window of somebody who is signed in, and one of a stranger."""

    def window(state: Any) -> Page:
        base = f"http://127.0.0.1:{server.port}"
        kept = {"storage_state": state, "locale": request.param, "reduced_motion": "reduce"}
        return browser.new_context(base_url=base, **kept).new_page()

    yield {True: window(signed_in), False: window(None)}
    close_windows(browser)


@pytest.mark.browser
@pytest.mark.parametrize("page", ALL)
def test_a_page_is_for_everyone(windows: dict[bool, Page], places: dict[str, Any], page: str) -> None:
    window, wrong = windows[page in INSIDE], []
    answer = window.goto(path_to(page, places))
    assert answer is not None and answer.status < 500
    assert answer.status == 200 or page not in PAGES.values()
    window.wait_for_load_state("networkidle")
    window.evaluate(UNFOLDED)
    for width in WIDTHS:
        window.set_viewport_size({"width": width, "height": 800})
        if window.evaluate("document.documentElement.scrollWidth") > width:
            wrong.append(f"{width}: it scrolls sideways")
        for scheme in SCHEMES:
            window.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            wrong += [f"{width} {scheme}: {told}" for told in violations(window)]
    assert wrong == []


def violations(window: Page) -> list[str]:
    found = Axe().run(window).response["violations"]
    return [
        f"{one['id']}: {node['html'][:150]} {node['failureSummary'][:250]}" for one in found for node in one["nodes"]
    ]
