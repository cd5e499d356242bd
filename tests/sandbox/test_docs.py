"""What docs/sandbox.md shows is what is answered."""

from __future__ import annotations

import json
import re
from pathlib import Path

from django.conf import settings
from rest_framework.test import APIClient

from tests.sandbox.test_ask import BODY, SUBMIT
from whisper_jobs import sandbox
from whisper_jobs.sandbox import Script

TEXT = (Path(settings.BASE_DIR) / "docs" / "sandbox.md").read_text()


def test_the_headers_can_be_read() -> None:
    shown = re.findall(r"^X-Sandbox: (.+)$", TEXT, re.MULTILINE)
    assert [sandbox.parse(one, Script()) for one in shown] == [
        Script(finish_in=3, segments=40, callback_failures=2),
        Script(finish_in=1, error="no_speech"),
        Script(finish_in=None),
    ]


def test_the_refusal_is_the_one_that_is_shown(program: APIClient) -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    answer = program.post(SUBMIT, BODY, format="json", HTTP_X_SANDBOX="finish_in=901")
    assert answer.json() == json.loads(shown)
