"""/whisper/templates: a person's own instructions for analyses."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from whisper_jobs import prompts
from whisper_jobs.models import PromptTemplate

pytestmark = pytest.mark.django_db
Visit = Callable[[User | None], Client]
MINUTES = {"name": "Minutes", "instruction": "Write minutes.", "is_default": "on"}


def made(owner: User, name: str = "Minutes", *, is_default: bool = False) -> PromptTemplate:
    return PromptTemplate.objects.create(owner=owner, name=name, instruction=f"{name}!", is_default=is_default)


def test_a_template_is_added_shown_changed_and_deleted(rich: User, visit: Visit) -> None:
    client = visit(rich)
    assert "There is none yet." in client.get("/whisper/templates").text
    page = client.post("/whisper/templates", MINUTES, follow=True).text
    assert "The template is kept." in page and ">Minutes</a>" in page and "For new recordings" in page
    template = PromptTemplate.objects.get(owner=rich)
    path = f"/whisper/templates/{template.pk}"
    assert "Write minutes." in client.get(path).text
    client.post(path, {"name": "Protocol", "instruction": "Write a protocol."})
    template.refresh_from_db()
    assert (template.name, template.instruction, template.is_default) == ("Protocol", "Write a protocol.", False)
    assert client.get(f"{path}/delete").headers["location"] == path
    assert PromptTemplate.objects.exists()
    client.post(f"{path}/delete")
    assert not PromptTemplate.objects.exists()


def test_only_one_is_chosen_for_new_recordings(rich: User, bob: User, visit: Visit) -> None:
    mine, bobs = made(rich, "Old", is_default=True), made(bob, "Of bob", is_default=True)
    visit(rich).post("/whisper/templates", MINUTES)
    mine.refresh_from_db()
    bobs.refresh_from_db()
    assert (mine.is_default, bobs.is_default) == (False, True)
    assert prompts.of(rich).get(is_default=True).name == "Minutes"


def test_two_of_one_name_are_refused(rich: User, visit: Visit) -> None:
    made(rich)
    other = made(rich, "Other")
    client = visit(rich)
    answer = client.post("/whisper/templates", MINUTES)
    assert answer.status_code == 422
    assert "You have a template of this name." in answer.text
    assert client.post(f"/whisper/templates/{other.pk}", MINUTES).status_code == 422
    other.refresh_from_db()
    assert other.name == "Other"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 101},
        {"instruction": ""},
        {"instruction": "x" * 10_001},
        {"instruction": "a\0b"},
        {"name": "a\0b"},
    ],
)
def test_what_cannot_be_kept_is_refused(rich: User, visit: Visit, wrong: dict[str, str]) -> None:
    assert visit(rich).post("/whisper/templates", {**MINUTES, **wrong}).status_code == 422
    assert not PromptTemplate.objects.exists()


def test_there_is_a_bound(rich: User, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts, "MOST_TEMPLATES", 1)
    made(rich, "Old")
    answer = visit(rich).post("/whisper/templates", MINUTES)
    assert answer.status_code == 422
    assert "as many templates as this server keeps" in answer.text


def test_templates_of_others_do_not_exist(rich: User, bob: User, visit: Visit) -> None:
    template, client = made(bob, "Of bob"), visit(rich)
    assert "Of bob" not in client.get("/whisper/templates").text
    for path in ("", "/delete"):
        assert client.post(f"/whisper/templates/{template.pk}{path}", MINUTES).status_code == 404
    assert client.get(f"/whisper/templates/{template.pk}").status_code == 404
    assert PromptTemplate.objects.get().name == "Of bob"


def test_the_page_says_when_it_is_of_no_use(alice: User, nobody: User, visit: Visit) -> None:
    assert "Your account may not use a language model." in visit(alice).get("/whisper/templates").text
    assert visit(nobody).get("/whisper/templates").status_code == 403
    assert visit(None).get("/whisper/templates").status_code == 302
