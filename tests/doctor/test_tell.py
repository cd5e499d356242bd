"""Where the doctor is heard: the command, the page and /readyz."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from tests.doctor.conftest import Change
from whisper_jobs.doctor import examining, network
from whisper_jobs.doctor.finding import Group, State
from whisper_jobs.health import condition
from whisper_jobs.web import doctor_page

PAGE = "/whisper/manage/doctor"
READYZ = "/readyz"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    try:
        call_command("doctor", *arguments)
    except SystemExit as end:
        return int(end.code or 0), capsys.readouterr().out
    return 0, capsys.readouterr().out


def test_the_command_tells_what_fails_and_ends_with_status_one(
    change: Change, db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    status, text = said(capsys)
    assert status == 0
    assert text.splitlines()[-1].startswith("A new job would be transcribed here in English")
    change(secret_key="guess-me")
    status, text = said(capsys)
    assert status == 1
    line = next(line for line in text.splitlines() if "secret-key" in line)
    assert line.strip().startswith("FAIL") and "guess-me" not in text


def test_the_command_speaks_to_programs(change: Change, db: None, capsys: pytest.CaptureFixture[str]) -> None:
    status, text = said(capsys, "--json")
    told = json.loads(text)
    assert (status, told["state"]) == (0, "warn")
    assert told["outlook"].startswith("A new job")
    checks = {one["name"]: one for one in told["checks"]}
    assert checks["yt-dlp"].keys() == {"group", "name", "state", "sentence", "advice"}
    assert checks["models"]["state"] == "warn"


LOADED = """
import sys, django
django.setup()
from whisper_jobs.doctor import examining
examining.examine(), examining.outlook()
heavy = {"torch", "ctranslate2", "pyannote", "whisper", "faster_whisper", "openai", "yt_dlp"}
print(sorted(heavy & sys.modules.keys()))
"""


def test_nothing_heavy_is_imported_to_find_out(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    environment = {"TOOLS_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings", "PATH": "/usr/bin:/bin"}
    run = subprocess.run([sys.executable, "-c", LOADED], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_only_managers_see_the_page(visit: Any, change: Change, alice: User, charlie: User) -> None:
    assert visit(None).get(PAGE).headers["location"].startswith("/login?next=")
    assert visit(alice).get(PAGE).status_code == 403
    assert visit(alice).post(PAGE).status_code == 403
    assert f'href="{PAGE}"' in visit(charlie).get("/whisper/manage").text


def test_the_page_tells_what_there_is_and_what_to_do(visit: Any, change: Change, charlie: User) -> None:
    change(secret_key="guess-me")
    page = visit(charlie).get(PAGE).text
    assert "A new job would be transcribed here in English" in page
    assert "<code>manage.py models download base</code>" in page
    assert page.count('data-state="fail">Does not work</span>') == 1
    assert "Does not work: 1" in page
    assert "guess-me" not in page and ">Network<" not in page


def test_the_button_looks_at_the_network_too(
    visit: Any, change: Change, charlie: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "PROBE", "http://127.0.0.1:1/")
    page = visit(charlie).post(PAGE).text
    assert ">Network<" in page and "No public HTTPS address can be opened" in page


def test_every_check_has_a_name_for_people() -> None:
    listed = {name for checks in examining.CHECKS.values() for name, _ in checks}
    listed |= {name for name, _ in examining.NETWORK_CHECKS}
    assert listed <= doctor_page.NAMES.keys()
    assert set(Group) == doctor_page.GROUPS.keys()
    assert set(State) == doctor_page.STATES.keys()


def test_readyz_tells_one_word_for_each_part_and_nobody_waits(
    change: Change, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(condition, "_looked_at", None)
    monkeypatch.setattr(condition, "_found", {})
    assert Client().get(READYZ).json()["doctor"] == {}
    until = time.monotonic() + 20
    while not (told := Client().get(READYZ).json()["doctor"]) and time.monotonic() < until:
        time.sleep(0.05)
    assert told == {"speech": "warn", "media": "ok", "storage": "ok"}
