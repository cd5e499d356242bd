"""A browser and a whole server for a module of tests, and what a person does with them."""

from __future__ import annotations

import io
import re
import shutil
import wave
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

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
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("browser") / "data"
    running = RunningServer(folder, TOOLS_OUTBOUND_ALLOW="127.0.0.1/32", TOOLS_UPLOAD_MAX_MB="8")
    try:
        running.wait_ready()
        yield running
    finally:
        running.end()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Debian's Chromium where there is one, else the one that Playwright has fetched.
    own = shutil.which("chromium")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=own, args=FLAGS) as running:
        yield running


@pytest.fixture(scope="module")
def signed_in(server: RunningServer, browser: Browser) -> Any:
    """The cookies of the admin, who signs in by keyboard and lands on an empty queue."""
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
    context.close()
    return state


@pytest.fixture
def visit(server: RunningServer, browser: Browser, signed_in: Any) -> Iterator[Open]:
    """Opens a path in a fresh window. At the end no script may have failed and no policy may have been broken."""
    contexts: list[BrowserContext] = []
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
        contexts.append(browser.new_context(base_url=f"http://127.0.0.1:{server.port}", **settings))
        page = contexts[-1].new_page()
        page.on("console", lambda told: complain(told.text) if told.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complain(str(error)))
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def tone(seconds: float = 1.0) -> bytes:
    """A WAV file with a quiet tone and no speech."""
    samples = (np.sin(np.arange(int(16_000 * seconds)) * 0.2) * 2000).astype("<i2")
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
