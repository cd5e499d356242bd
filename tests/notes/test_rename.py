"""A title and a note that a recording gets after it was handed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from sharing import owning
from tests.core.play import fresh
from tests.native.test_export import body
from tests.notes.conftest import Ask
from whisper_jobs.models import Job

Visit = Callable[[User | None], Client]


def test_the_title_and_the_note_are_the_new_ones_everywhere(ask: Ask, visit: Visit, alice: User, talk: Job) -> None:
    owning.share(talk.pk, {})
    status, told = ask(alice, "PATCH", source_label="  Quay\n and  pier ", source_note="Two\r\nlines\n")
    assert status == 200
    assert (told["job"]["title"], told["job"]["source_note"]) == ("Quay and pier", "Two\nlines")
    assert told["job"]["revision"] > talk.revision
    assert "# Quay and pier" in _export(visit(alice), talk, "markdown")
    assert '<h1 dir="auto">Quay and pier</h1>' in body(visit(None).get(told["job"]["share"]["url"])).decode()


def _export(client: Client, job: Job, name: str) -> str:
    return body(client.get(reverse("native:export", args=[job.pk, name]))).decode()


def test_without_a_title_of_its_own_it_is_called_as_its_source_is(ask: Ask, alice: User) -> None:
    assert ask(alice, "PATCH", source_label=" ")[1]["job"]["title"] == "Talk"


def test_what_is_left_out_stays_and_nothing_new_is_no_change(ask: Ask, alice: User, talk: Job) -> None:
    ask(alice, "PATCH", source_note="Kept")
    before = fresh(talk)
    assert before.source_label == "Harbour meeting"
    assert ask(alice, "PATCH", source_label="Harbour meeting")[1]["job"]["source_note"] == "Kept"
    assert ask(alice, "PATCH")[0] == 200
    assert fresh(talk).revision == before.revision


@pytest.mark.parametrize("told", [{"source_label": "x" * 201}, {"source_note": "x" * 10_001}, {"source_label": "a\0"}])
def test_more_than_intake_takes_is_refused(ask: Ask, alice: User, talk: Job, told: dict[str, str]) -> None:
    assert ask(alice, "PATCH", **told)[0] == 422
    assert fresh(talk).source_label == "Harbour meeting"


def test_a_stranger_names_nothing(ask: Ask, bob: User, talk: Job) -> None:
    assert ask(bob, "PATCH", source_label="Mine")[0] == 404


def test_a_browser_without_scripts_sends_a_form(visit: Visit, alice: User, talk: Job) -> None:
    page = visit(alice).get(f"/whisper/jobs/{talk.pk}").text
    assert 'value="Harbour meeting"' in page
    address = reverse("web:naming", args=[talk.pk])
    answer = visit(alice).post(address, {"source_label": "<i>Quay</i>", "source_note": ""}, follow=True)
    assert '<h1 data-field="title">&lt;i&gt;Quay&lt;/i&gt;</h1>' in answer.text


def test_a_form_that_is_too_long_says_so_and_changes_nothing(visit: Visit, alice: User, talk: Job) -> None:
    address = reverse("web:naming", args=[talk.pk])
    answer: Any = visit(alice).post(address, {"source_label": "x" * 201}, follow=True)
    assert "at most 200 characters" in answer.text
    assert fresh(talk).source_label == "Harbour meeting"


def test_a_form_of_a_stranger_is_not_found(visit: Visit, bob: User, talk: Job) -> None:
    assert visit(bob).post(reverse("web:naming", args=[talk.pk]), {"source_label": "Mine"}).status_code == 404
