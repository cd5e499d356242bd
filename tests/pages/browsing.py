"""A browser and a whole server for a module of tests, and what a person does with them."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import threading
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from playwright.sync_api import Browser, CDPSession, Error, Page, expect, sync_playwright

from tests.serve.lasting import LastingServer
from tests.serve.servers import ADMIN, RunningServer

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: A busy machine with two cores reads the sample well within it.
PATIENCE_MS = 120_000
#: For everything that Playwright itself would wait for without a limit when a browser closes.
CLOSE_SECONDS = 20.0
PICTURE_MS = 10_000
Open = Callable[..., Page]
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
#: For what people do on a phone as well; `visit(path, **screen)`.
screens = pytest.mark.parametrize("screen", [{}, PHONE], ids=["wide", "phone"])


@pytest.fixture(scope="module")
def server(renewed_server: LastingServer, browser: Browser) -> RunningServer:
    """The server of all such modules. The first that has a browser signs the admin in for all."""
    if renewed_server.cookies is None:
        renewed_server.cookies = _sign_in(renewed_server, browser)
        renewed_server.keep()
    return renewed_server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@contextlib.contextmanager
def running_browser() -> Iterator[Browser]:
    """Debian's Chromium where there is one, else the one that Playwright has fetched. It is killed when it will not end."""
    playwright = sync_playwright().start()
    try:
        running = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield running
        close_windows(running)
        with killed_after(CLOSE_SECONDS):
            running.close()
    finally:
        with killed_after(CLOSE_SECONDS):
            playwright.stop()


@contextlib.contextmanager
def killed_after(seconds: float) -> Iterator[None]:
    """Kills the browsers of this process when the block takes longer, so that whatever waits for them goes on."""
    timer = threading.Timer(seconds, _kill_browsers)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _kill_browsers() -> None:
    for driver in filter(_is_driver, psutil.Process().children()):
        for one in [*driver.children(recursive=True), driver]:
            with contextlib.suppress(psutil.Error):
                one.kill()


def _is_driver(process: psutil.Process) -> bool:
    """Not one that has ended meanwhile, whoever started it."""
    with contextlib.suppress(psutil.Error):
        return "playwright" in " ".join(process.cmdline())
    return False


def close_windows(browser: Browser) -> None:
    """Closes every window and context.

    A close that meets the commit of a navigation away from a page with a `beforeunload` listener is lost in Chromium, and
    Playwright would wait for it without end. Asked again, the window closes; a context without windows closes at once.
    """
    with killed_after(CLOSE_SECONDS):
        session = browser.new_browser_cdp_session()
        deadline = time.monotonic() + CLOSE_SECONDS / 2
        while windows := _windows(session):
            assert time.monotonic() < deadline, "the browser does not close its windows"
            _ask_to_close(session, windows)
        session.detach()
        for context in browser.contexts:
            context.close()


def _ask_to_close(session: CDPSession, windows: list[str]) -> None:
    for window in windows:
        # It may have gone meanwhile.
        with contextlib.suppress(Error):
            session.send("Target.closeTarget", {"targetId": window})
    until = time.monotonic() + 0.5
    while time.monotonic() < until and _windows(session):
        time.sleep(0.05)


def _windows(session: CDPSession) -> list[str]:
    targets = session.send("Target.getTargets")["targetInfos"]
    return [target["targetId"] for target in targets if target["type"] == "page"]


@pytest.fixture(scope="module")
def signed_in(server: RunningServer, browser: Browser) -> Any:
    """The cookies of the admin."""
    return server.cookies or _sign_in(server, browser)


def _sign_in(server: RunningServer, browser: Browser) -> Any:
    """By keyboard; the admin lands on an empty queue."""
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
    close_windows(browser)
    return state


@pytest.fixture
def visit(server: RunningServer, browser: Browser, signed_in: Any, tmp_path: Path) -> Iterator[Open]:
    """Opens a path in a fresh window. At the end no script may have failed and no policy may have been broken."""
    complaints: list[str] = []

    def complain(text: str) -> None:
        # The browser itself reports every refused request and every lost socket; pages are meant to cope with them.
        if not re.match(r"Failed to load resource|WebSocket connection", text):
            complaints.append(text)

    def open_page(path: str, **options: Any) -> Page:
        settings = {
            "locale": "en-GB",
            "viewport": {"width": 1280, "height": 800},
            "storage_state": signed_in,
            **options,
        }
        page = browser.new_context(base_url=f"http://127.0.0.1:{server.port}", **settings).new_page()
        page.on("console", lambda told: complain(told.text) if told.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complain(str(error)))
        page.goto(path)
        return page

    yield open_page
    keep_pictures(browser, tmp_path)
    close_windows(browser)
    assert complaints == [], complaints


def keep_pictures(browser: Browser, folder: Path) -> None:
    """What each window shows at the end, for people to look at: pytest keeps the folders of its last three runs."""
    pages = [page for context in browser.contexts for page in context.pages]
    for number, page in enumerate(pages, start=1):
        # One that shows a dialog of the browser, or has crashed, has no picture.
        with contextlib.suppress(Error):
            page.screenshot(path=folder / f"window-{number}.png", timeout=PICTURE_MS)


def tone(seconds: float = 1.0) -> bytes:
    """A WAV file with a quiet tone and no speech."""
    return wav((np.sin(np.arange(int(16_000 * seconds)) * 0.2) * 2000).astype("<i2"))


def wav(samples: Any) -> bytes:
    """A WAV file with these samples, 16,000 of 16 bits a second."""
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
