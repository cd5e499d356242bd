"""Every page can be read by everyone, as far as axe-core can tell: light and dark, wide and narrow, and in the other language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.look.looking import complaints, routes, seeded
from tests.look.pages import NO_PAGES, OUTSIDE, OUTSIDE_STATES, PAGES, STATES, TWO_STEPS, path_to
from tests.pages.browsing import browser as browser
from tests.pages.browsing import close_windows
from tests.pages.browsing import server as server
from tests.pages.browsing import signed_in as signed_in
from tests.serve.servers import RunningServer

INSIDE = [*PAGES.values(), *STATES.values()]
ALL = [*INSIDE, *OUTSIDE.values(), *OUTSIDE_STATES.values()]


def test_no_page_is_forgotten() -> None:
    known = {**PAGES, **OUTSIDE, **TWO_STEPS, **NO_PAGES}
    assert len(known) == len(PAGES) + len(OUTSIDE) + len(TWO_STEPS) + len(NO_PAGES)
    assert sorted(routes() - set(known)) == [], "say in tests/look/pages.py where these are looked at"
    assert sorted(set(known) - routes()) == []


@pytest.fixture(scope="module")
def places(server: RunningServer, signed_in: Any) -> dict[str, Any]:
    return seeded(server, minutes=3)


@pytest.fixture(scope="module", params=["en", "sv"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def windows(browser: Browser, server: RunningServer, signed_in: Any, language: str) -> Iterator[dict[bool, Page]]:
    """A window of somebody who is signed in, and one of a stranger."""

    def window(state: Any) -> Page:
        base = f"http://127.0.0.1:{server.port}"
        kept = {"storage_state": state, "locale": language, "reduced_motion": "reduce"}
        return browser.new_context(base_url=base, **kept).new_page()

    yield {True: window(signed_in), False: window(None)}
    close_windows(browser)


@pytest.mark.browser
@pytest.mark.parametrize("page", ALL)
def test_a_page_is_for_everyone(windows: dict[bool, Page], language: str, places: dict[str, Any], page: str) -> None:
    window = windows[page in INSIDE]
    answer = window.goto(path_to(page, places))
    assert answer is not None and answer.status < 500
    assert answer.status == 200 or page not in PAGES.values()
    assert complaints(window, language) == []
