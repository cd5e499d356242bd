"""Who may open the editor, and what the page says where there is nothing to correct."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.core.play import Stage
from whisper_jobs.models import Job
from whisper_jobs.web import editor_texts, texts

Visit = Callable[[User | None], Client]
SCRIPTS = sorted((Path(settings.BASE_DIR) / "static" / "js" / "editor").glob("*.js"))


def address(job: Job) -> str:
    return reverse("web:editor", args=[job.pk])


def test_a_finished_transcript_can_be_opened(visit: Visit, stage: Stage, alice: User) -> None:
    job = stage.completed(alice)
    page = visit(alice).get(address(job))
    assert page.status_code == 200
    assert page.context["start"]["user_id"] == alice.pk
    assert "js/editor/main.js" in page.text
    assert "no-store" in page["Cache-Control"]


def test_without_scripts_the_page_leads_back_to_reading(visit: Visit, stage: Stage, alice: User) -> None:
    page = visit(alice).get(address(stage.completed(alice)))
    assert "Correcting needs JavaScript." in page.text
    assert "Back to reading" in page.text


def test_a_transcript_that_is_not_finished_is_not_there_yet(visit: Visit, stage: Stage, alice: User) -> None:
    page = visit(alice).get(address(stage.decoded(alice)))
    assert "can be corrected when it is finished" in page.text
    assert "js/editor/main.js" not in page.text


def test_the_title_is_words_only(visit: Visit, stage: Stage, alice: User) -> None:
    page = visit(alice).get(address(stage.completed(alice, source_label="<script>alert(1)</script>")))
    assert "<script>alert(1)</script>" not in page.text


def test_somebody_else_does_not_find_it(visit: Visit, stage: Stage, alice: User, bob: User, charlie: User) -> None:
    job = stage.completed(alice)
    assert visit(bob).get(address(job)).status_code == 404
    assert visit(charlie).get(address(job)).status_code == 200


def test_visitors_sign_in_first(visit: Visit, stage: Stage, alice: User, nobody: User) -> None:
    job = stage.completed(alice)
    assert visit(None).get(address(job)).status_code == 302
    assert visit(nobody).get(address(job)).status_code == 403


def test_the_scripts_ask_only_for_texts_that_exist_and_for_all_of_them() -> None:
    code = "\n".join(path.read_text() for path in SCRIPTS)
    own, given = editor_texts.own(), editor_texts.for_editor()
    assert not set(own) & set(texts.for_scripts())
    assert set(re.findall(r'\btext\("(\w+)"', code)) <= set(given)
    assert {key for key in own if f'"{key}"' not in code} == set()
