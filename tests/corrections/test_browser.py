"""The history in a real browser: read, taken back and restored without scripts, and how it looks."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import APIRequestContext, Page, expect

from tests.pages.browsing import Open, screens
from tests.pages.browsing import browser as browser
from tests.pages.browsing import server as server
from tests.pages.browsing import signed_in as signed_in
from tests.pages.browsing import visit as visit
from tests.serve.servers import RunningServer

pytestmark = pytest.mark.browser


@pytest.fixture
def job(server: RunningServer, signed_in: Any) -> str:
    """The path of a finished talk's page."""
    return f"/whisper/jobs/{server.seed('tests.sharing.seed:talk')}"


def correct(page: Page, job: str, kind: str, **fields: Any) -> None:
    """As the editor does it, with the page's own session."""
    request: APIRequestContext = page.context.request
    token = page.locator('input[name="csrfmiddlewaretoken"]').first.input_value()
    body = {"request_id": str(uuid4()), "kind": kind, **fields}
    origin = page.url.split("/whisper")[0]
    answer = request.post(
        f"{origin}/api{job}/corrections", data=body, headers={"X-CSRFToken": token, "Referer": page.url}
    )
    assert answer.status == 201, answer.text()


def refs(page: Page, job: str) -> list[dict[str, Any]]:
    origin = page.url.split("/whisper")[0]
    told = page.context.request.get(f"{origin}/api{job}/segments").json()["segments"]
    return [{"id": one["id"], "revision": one["revision"]} for one in told]


def changed(page: Page, job: str) -> None:
    """A talk with a correction of most kinds."""
    several = refs(page, job)
    correct(
        page, job, "text", segment=several[0], text="Sentence zero, which is long enough to fill a line, or nearly."
    )
    correct(page, job, "split", segment=several[1], at=11)
    correct(page, job, "replace", find="page", replace="book")
    correct(page, job, "speaker", segments=refs(page, job)[:1], speaker="SPEAKER_00")
    correct(page, job, "speakers", rename={"SPEAKER_00": "Åsa Öberg"})
    correct(page, job, "undo", number=5)


@screens
def test_the_history_is_read_and_taken_back_without_scripts(visit: Open, job: str, screen: dict[str, Any]) -> None:
    page = visit(job)
    changed(page, job)
    page = visit(f"{job}/history", java_script_enabled=False, **screen)
    expect(page.locator(".history-list > li")).to_have_count(6)
    expect(page.locator("del", has_text="0, which")).to_have_count(0)
    expect(page.get_by_text("Sentence")).not_to_have_count(0)
    page.get_by_role("button", name="Take back correction 3").click()
    expect(page.get_by_role("status")).to_contain_text("The correction is taken back.")
    expect(page.locator(".history-list > li")).to_have_count(7)
    page.get_by_role("link", name="Show the engine's original").click()
    expect(page.get_by_role("heading", name="The engine's original")).to_be_visible()
    page.get_by_role("button", name="Restore this version").click()
    expect(page.get_by_role("heading", name="The engine's original was restored")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 360])
def test_nothing_is_wider_than_the_window(visit: Open, job: str, width: int) -> None:
    page = visit(job)
    changed(page, job)
    for scheme in ("light", "dark"):
        for path in ("history", "history/0"):
            page = visit(f"{job}/{path}", viewport={"width": width, "height": 800}, color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
