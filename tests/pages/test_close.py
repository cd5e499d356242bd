"""A browser that is closed ends, whatever it is doing: no test may wait for one without a limit."""

from __future__ import annotations

import contextlib
import http.server
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from playwright.sync_api import Error

from tests.pages import browsing
from tests.pages.browsing import close_windows, running_browser

pytestmark = pytest.mark.browser
PAGE = b"<script>addEventListener('beforeunload', () => {})</script>"


class _Leaving(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        time.sleep(0.03)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def leaving() -> Iterator[str]:
    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Leaving)
    thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{site.server_port}/"
    site.shutdown()
    thread.join(10)
    site.server_close()


def test_windows_close_in_the_middle_of_a_navigation(leaving: str) -> None:
    with running_browser() as running:
        # Some of these closes meet the commit, about 45 ms after the navigation began.
        for milliseconds in range(38, 54, 2):
            page = running.new_context().new_page()
            page.goto(leaving)
            page.evaluate("setTimeout(() => location.assign('/elsewhere'), 5)")
            time.sleep(milliseconds / 1000)
            close_windows(running)
            assert running.contexts == []


def _freeze() -> list[psutil.Process]:
    frozen = [one for one in psutil.Process().children(recursive=True) if "chrom" in one.name()]
    for one in frozen:
        one.send_signal(signal.SIGSTOP)
    return frozen


def test_a_browser_that_does_not_answer_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsing, "CLOSE_SECONDS", 1.0)
    ending = contextlib.ExitStack()
    ending.enter_context(running_browser()).new_context().new_page()
    frozen = _freeze()
    assert frozen
    before = time.monotonic()
    with pytest.raises(Error):
        ending.close()
    assert time.monotonic() - before < 10
    _, alive = psutil.wait_procs(frozen, timeout=5)
    assert not alive
