"""Large files from the page, by the official tus client in Chromium, over networks and servers that fail."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import re
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from tests.pages.browsing import PATIENCE_MS, Open, browser, row, server, signed_in, visit
from tests.serve.ports import wait_until
from tests.serve.servers import RunningServer
from tests.uploads.proxy import Proxy, bad_network

__all__ = ["browser", "server", "signed_in", "visit"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(settings.TUS_SCRIPT is None, reason="the set-up could not fetch tus-js-client"),
]
LARGE_BYTES = 7 << 20
CUT_AT = LARGE_BYTES * 6 // 10
SLOW = 2 << 20


@pytest.fixture
def proxy(server: RunningServer) -> Iterator[Proxy]:
    with bad_network(server.port) as proxy:
        yield proxy


@pytest.fixture
def recording(tmp_path: Path, request: Any) -> Path:
    """A file that is no recording, so that its job ends soon; its name is the test's."""
    file = tmp_path / f"{request.node.name[-40:]}.wav"
    file.write_bytes(random.Random(7).randbytes(LARGE_BYTES))
    return file


def hand_in(page: Page, file: Path) -> None:
    page.get_by_label("Choose a file").set_input_files(file)
    page.get_by_role("button", name="Transcribe", exact=True).click()


def ask(server: RunningServer, query: str, *values: object) -> Any:
    address = f"file:{server.folder / 'db.sqlite3'}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True, timeout=30)) as database:
        found = database.execute(query, values).fetchone()
        return found and found[0]


def arrived(server: RunningServer, file: Path) -> int:
    return int(ask(server, "SELECT offset_bytes FROM whisper_upload WHERE filename = ?", file.name) or 0)


def expect_job(page: Page, server: RunningServer, file: Path) -> None:
    """It is in the list once, and what the server has is what the file holds."""
    expect(row(page, file.name)).to_have_count(1, timeout=PATIENCE_MS)
    sha256 = ask(server, "SELECT source_sha256 FROM whisper_job WHERE source_filename = ?", file.name)
    assert sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    expect(page.locator("#sending")).to_be_hidden()


def test_a_large_file_goes_in_pieces_and_becomes_a_job(visit: Open, server: RunningServer, recording: Path) -> None:
    page = visit("/whisper")
    page.get_by_text("Add a title or a note").click()
    page.get_by_role("textbox", name="Title").fill("A large one")
    hand_in(page, recording)
    expect(row(page, "A large one")).to_have_count(1, timeout=PATIENCE_MS)
    expect(page.locator("#sending")).to_be_hidden()
    assert arrived(server, recording) == LARGE_BYTES
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('tus::'))") == []


def test_an_upload_cut_at_60_percent_says_so_and_goes_on_by_itself(
    visit: Open, server: RunningServer, proxy: Proxy, recording: Path
) -> None:
    page = visit(f"http://127.0.0.1:{proxy.port}/whisper")
    proxy.bytes_per_second, proxy.cut_at = SLOW, proxy.sent + CUT_AT
    hand_in(page, recording)
    expect(page.locator("#sending")).to_contain_text("The connection is lost. The upload goes on by itself")
    expect(page.locator("#composer-status")).to_contain_text("The connection is lost")
    wait_until(lambda: arrived(server, recording) > CUT_AT * 0.9, "what was sent before the cut is kept")
    before = proxy.sent
    proxy.is_down = False
    expect_job(page, server, recording)
    assert proxy.sent - before < LARGE_BYTES - CUT_AT + (2 << 20), "it began anew"


def test_a_reload_goes_on_when_the_file_is_chosen_again(
    visit: Open, server: RunningServer, proxy: Proxy, recording: Path
) -> None:
    page = visit(f"http://127.0.0.1:{proxy.port}/whisper")
    page.on("dialog", lambda dialog: dialog.accept())
    proxy.bytes_per_second = SLOW
    hand_in(page, recording)
    expect(page.locator("#sending")).to_contain_text(re.compile(r"[4-9]\d%.*MB/s.*left", re.DOTALL))
    page.reload()
    wait_until(lambda: arrived(server, recording) > LARGE_BYTES * 0.3, "what was sent is kept")
    before = proxy.sent
    hand_in(page, recording)
    expect_job(page, server, recording)
    assert proxy.sent - before < LARGE_BYTES * 0.8, "it began anew"


def test_an_upload_survives_the_sudden_death_of_the_web_process(
    visit: Open, server: RunningServer, proxy: Proxy, recording: Path
) -> None:
    page = visit(f"http://127.0.0.1:{proxy.port}/whisper")
    proxy.bytes_per_second = SLOW
    hand_in(page, recording)
    expect(page.locator("#sending")).to_contain_text(re.compile(r"[3-9]\d%"))
    killed = server.pid_of("web")
    os.kill(killed, signal.SIGKILL)
    proxy.bytes_per_second = 0
    expect_job(page, server, recording)
    assert server.pid_of("web") not in (0, killed)


def test_a_connection_that_says_nothing_any_more_is_given_up(
    visit: Open, server: RunningServer, proxy: Proxy, recording: Path
) -> None:
    page = visit("about:blank")
    page.clock.install()
    page.goto(f"http://127.0.0.1:{proxy.port}/whisper")
    # Early, since what is in the buffers of the network counts as sent in the browser.
    proxy.bytes_per_second, proxy.mute_at = SLOW, proxy.sent + LARGE_BYTES // 10
    hand_in(page, recording)
    wait_until(lambda: proxy.is_mute, "the network is silent")
    proxy.is_mute = False
    with page.expect_request(lambda asked: asked.method == "HEAD", timeout=30_000):
        page.clock.run_for(25_000)
    expect_job(page, server, recording)


def test_a_stopped_upload_is_forgotten(visit: Open, server: RunningServer, proxy: Proxy, recording: Path) -> None:
    page = visit(f"http://127.0.0.1:{proxy.port}/whisper")
    proxy.bytes_per_second = SLOW
    hand_in(page, recording)
    expect(page.locator("#sending")).to_contain_text(re.compile(r"[1-9]\d?%.*MB/s.*left", re.DOTALL))
    page.get_by_role("button", name="Stop the upload").click()
    expect(page.locator("#sending")).to_be_hidden()
    expect(page.locator("#composer-status")).to_have_text("The upload was stopped.")
    wait_until(
        lambda: ask(server, "SELECT count(*) FROM whisper_upload WHERE filename = ?", recording.name) == 0, "it is gone"
    )
    expect(row(page, recording.name)).to_have_count(0)
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('tus::'))") == []


def test_an_upload_that_has_a_job_by_now_makes_no_second_one(
    visit: Open, server: RunningServer, proxy: Proxy, recording: Path
) -> None:
    """The answer that told of the job was lost, so the browser still knows the upload, and asks by the same name."""
    page = visit(f"http://127.0.0.1:{proxy.port}/whisper")
    page.route("**/api/whisper/jobs", lambda route: (route.fetch(), route.abort())[1])
    hand_in(page, recording)
    expect(page.locator("#form-error")).to_contain_text("could not be reached", timeout=PATIENCE_MS)
    page.unroute("**/api/whisper/jobs")
    page.get_by_role("button", name="Transcribe", exact=True).click()
    expect_job(page, server, recording)
    assert ask(server, "SELECT count(*) FROM whisper_job WHERE source_filename = ?", recording.name) == 1


def test_what_the_server_refuses_is_told_in_its_words(visit: Open, recording: Path) -> None:
    page = visit("/whisper")
    told = '{"ok": false, "message": "You have 20 unfinished uploads.", "code": "uploads_waiting", "errors": {}}'
    page.route("**/api/whisper/uploads/", lambda route: route.fulfill(status=422, body=told))
    hand_in(page, recording)
    expect(page.locator("#form-error")).to_contain_text("You have 20 unfinished uploads.")
    expect(page.locator("#sending")).to_be_hidden()


def test_without_the_client_a_large_file_goes_in_one_request(
    visit: Open, server: RunningServer, recording: Path
) -> None:
    page = visit("about:blank")
    page.route("**/tus.min*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto("/whisper")
    hand_in(page, recording)
    expect_job(page, server, recording)
    assert ask(server, "SELECT count(*) FROM whisper_upload WHERE filename = ?", recording.name) == 0
