"""A failed job's callback in a real browser, from a whole server to a real receiver: live, and sent again by a click."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from uuid import uuid4

import pytest
from playwright.sync_api import Route, expect

from tests.callbacks.receiver import Call, Handler, Receiver, status
from tests.pages.browsing import PATIENCE_MS, Open
from tests.pages.browsing import browser as browser
from tests.pages.browsing import server as server
from tests.pages.browsing import signed_in as signed_in
from tests.pages.browsing import visit as visit
from tests.serve.servers import ADMIN, RunningServer

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def bearer(server: RunningServer) -> str:
    """A personal token of the admin."""
    told = server.manage("create_token", ADMIN[0], "--provider", "provider_whisper_api")
    return str(json.loads(told)["token"])


def submit(server: RunningServer, bearer: str, callback_url: str) -> int:
    """Hands in a file that is no recording, so that its job fails soon."""
    edge, begin = uuid4().hex, "Content-Disposition: form-data; name="
    parts = [
        f'{begin}"callback_url"\r\n\r\n{callback_url}',
        f'{begin}"source_label"\r\n\r\nBroken on purpose',
        f'{begin}"media_file"; filename="a.mp3"\r\n\r\n{"nonsense " * 90}',
    ]
    body = "".join(f"--{edge}\r\n{part}\r\n" for part in parts).encode() + f"--{edge}--\r\n".encode()
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": f"multipart/form-data; boundary={edge}"}
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        connection.request("POST", "/api/whisper/transcribe", body, headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
    assert answer.status == 201, told
    return int(told["job"]["id"])


def test_a_callback_is_followed_live_and_sent_again_by_a_click(
    server: RunningServer, bearer: str, receiver: Receiver, visit: Open
) -> None:
    receiver.answers = [status(503, Retry_After="600")]
    job = submit(server, bearer, receiver.url)
    page = visit(f"/whisper/jobs/{job}")
    box = page.locator("#callback")
    expect(box.locator("#attempts li")).to_have_count(1, timeout=PATIENCE_MS)
    expect(box.locator('[data-field="callback-status"]')).to_have_text("Waiting")
    expect(box.get_by_text("503")).to_be_visible()
    expect(box.get_by_text("Next attempt in 10 min")).to_be_visible()
    box.get_by_role("button", name="Send again").click()
    expect(box.locator('[data-field="callback-status"]')).to_have_text("Delivered", timeout=PATIENCE_MS)
    expect(box.locator("#attempts li")).to_have_count(2)
    assert len({call.id for call in receiver.calls}) == 1
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_an_answer_that_comes_late_does_not_undo_what_was_pushed(
    server: RunningServer, bearer: str, receiver: Receiver, visit: Open
) -> None:
    asked = threading.Event()

    def takes_it_once_the_page_has_asked(handler: Handler, call: Call) -> None:
        asked.wait(10)
        handler.reply()

    receiver.answers = [status(410), takes_it_once_the_page_has_asked]
    job = submit(server, bearer, receiver.url)
    page = visit(f"/whisper/jobs/{job}")
    shown = page.locator('[data-field="callback-status"]')
    expect(shown).to_have_text("Failed", timeout=PATIENCE_MS)

    def late(route: Route) -> None:
        """Read before the callback is delivered, handed over well after that was pushed."""
        answer = route.fetch()
        asked.set()
        time.sleep(3)
        route.fulfill(response=answer)

    page.route("**/callback/attempts", late)
    with page.expect_response("**/callback/attempts"):
        page.get_by_role("button", name="Send again").click()
    page.wait_for_timeout(500)
    expect(shown).to_have_text("Delivered", timeout=PATIENCE_MS)
