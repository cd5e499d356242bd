"""A Chromium that hears the sample recording in place of a microphone, and a whole server."""

from __future__ import annotations

import shutil
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.pages.browsing import CLOSE_SECONDS, FLAGS, close_windows, killed_after, server, signed_in, visit
from tests.serve.ports import wait_until

__all__ = ["browser", "server", "signed_in", "visit"]
#: The clock of the recording, in seconds; no hours.
SHOWN = """document.querySelector('#recorder [data-field="time"]').textContent.split(":").reduce((m, s) => 60 * m + Number(s), 0)"""
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    spoken = tmp_path_factory.mktemp("microphone") / "spoken.wav"
    as_wave(ROOT / "static" / "sample" / "two-voices.mp3", spoken)
    heard = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={spoken}",
    ]
    playwright = sync_playwright().start()
    try:
        running = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[*FLAGS, *heard])
        yield running
        close_windows(running)
        with killed_after(CLOSE_SECONDS):
            running.close()
    finally:
        with killed_after(CLOSE_SECONDS):
            playwright.stop()


def as_wave(source: Path, target: Path) -> None:
    with av.open(str(source)) as media, wave.open(str(target), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
        for frame in media.decode(audio=0):
            for piece in resampler.resample(frame):
                out.writeframes(piece.to_ndarray().tobytes())


def record(page: Page, *, seconds: int) -> None:
    """Starts the microphone and waits until so much has been heard."""
    page.get_by_role("button", name="Record with the microphone").click()
    hear(page, seconds=seconds)


def hear(page: Page, *, seconds: int) -> None:
    """Waits until so much has been heard in all."""
    wait_until(lambda: heard_seconds(page) >= seconds, f"{seconds} s are heard", seconds=60)


def heard_seconds(page: Page) -> int:
    """What the clock of the recording shows."""
    return int(page.evaluate(SHOWN))


def kept(page: Page) -> Any:
    return page.locator("#kept li")
