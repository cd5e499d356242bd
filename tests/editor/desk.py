"""The editor's page as a person works with it, transcripts to work on, and what the server has of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.pages.browsing import Open
from tests.serve.servers import ADMIN, ROOT, RunningServer

Store = Callable[..., int]


def said(*texts: str, **more: Any) -> list[dict[str, Any]]:
    """Segments of two seconds, one after the other; two people take turns."""
    turn = ("SPEAKER_00", "SPEAKER_01")
    return [
        {"start": place * 2.0, "end": place * 2.0 + 2.0, "text": text, "speaker": turn[place % 2], **more}
        for place, text in enumerate(texts)
    ]


def asked(segments: list[dict[str, Any]], **told: Any) -> dict[str, Any]:
    """A finished job with these segments, the admin's if nobody else is told."""
    seconds = max((one["end"] for one in segments), default=10.0)
    return {"email": ADMIN[0], "title": "Board meeting", "seconds": seconds, "segments": segments, **told}


def store_job(folder: Path, segments: list[dict[str, Any]], **told: Any) -> int:
    """Its id, stored from a process of its own where there is no `RunningServer`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOOLS_")}
    made = subprocess.run(
        [sys.executable, "-m", "tests.editor.storing"],
        cwd=ROOT,
        env={**kept, "TOOLS_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings"},
        input=json.dumps(asked(segments, **told)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert made.returncode == 0, made.stderr
    return int(made.stdout)


@pytest.fixture
def store(server: RunningServer) -> Store:
    return lambda segments, **told: int(server.seed("tests.editor.storing:main", asked(segments, **told)))


class Desk:
    def __init__(self, page: Page, job: int) -> None:
        self.page, self.job = page, job

    @classmethod
    def opened(cls, visit: Open, job: int, **options: Any) -> Desk:
        desk = cls(visit(f"/whisper/jobs/{job}/correct", **options), job)
        desk.wait()
        return desk

    def wait(self) -> None:
        expect(self.page.locator("#segments")).to_have_attribute("aria-busy", "false")
        # A click in the text would go on playing while the test types.
        if self.page.locator("#click-plays").is_checked():
            self.page.locator("#click-plays").uncheck()

    @property
    def fields(self) -> Locator:
        return self.page.locator(".said")

    def field(self, text: str) -> Locator:
        return self.fields.filter(has_text=text)

    def row(self, text: str) -> Locator:
        return self.page.locator(".segment", has=self.field(text))

    def caret(self, text: str, before: str = "") -> None:
        """Puts the caret into the segment with this text: before some words of it, else at its end."""
        self.field(text).evaluate(CARET, before)

    def shows(self, *texts: str) -> None:
        expect(self.fields).to_have_text(list(texts))

    def saved(self) -> None:
        expect(self.page.locator("#saved")).to_have_text("All changes are saved", timeout=15_000)

    def told(self) -> list[dict[str, Any]]:
        answer = self.page.request.get(f"/api/whisper/jobs/{self.job}/segments?limit=1000")
        found: list[dict[str, Any]] = answer.json()["segments"]
        return found

    def texts(self) -> list[str]:
        return [one["text"] for one in self.told()]

    def log(self) -> list[dict[str, Any]]:
        answer = self.page.request.get(f"/api/whisper/jobs/{self.job}/corrections?limit=200")
        found: list[dict[str, Any]] = answer.json()["corrections"]
        return found

    def correct(self, **change: Any) -> dict[str, Any]:
        """As somebody else would, past this page."""
        token = self.page.locator('input[name="csrfmiddlewaretoken"]').first.input_value()
        answer = self.page.request.post(
            f"/api/whisper/jobs/{self.job}/corrections",
            data=change,
            headers={"X-CSRFToken": token, "Referer": self.page.url},
        )
        assert answer.status in (200, 201), answer.text()
        told: dict[str, Any] = answer.json()
        return told


CARET = """(field, before) => {
  field.focus();
  const at = before ? field.textContent.indexOf(before) : field.textContent.length;
  getSelection().collapse(field.firstChild ?? field, at);
}"""
