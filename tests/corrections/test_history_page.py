"""The page that tells who changed what, for browsers without scripts: reading, filtering, taking back, going back."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from tests.corrections.conftest import SAID, Editor
from whisper_jobs.models import Correction, Job

ALL = [text for _start, _end, text in SAID]
Visit = Callable[[User | None], Client]


@pytest.fixture
def page(visit: Visit, alice: User, talk: Job) -> Callable[..., str]:
    def read(**query: int) -> str:
        answer = visit(alice).get(f"/whisper/jobs/{talk.pk}/history", query)
        assert answer.status_code == 200
        return str(answer.content.decode())

    return read


def act(client: Client, job: Job, **told: object) -> str:
    body = {"request_id": str(uuid4()), **told}
    answer = client.post(f"/whisper/jobs/{job.pk}/history", body, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_nobody_has_changed_anything_yet(page: Callable[..., str]) -> None:
    assert "Nobody has corrected this transcript" in page()


def test_it_tells_who_changed_which_words(editor: Editor, page: Callable[..., str]) -> None:
    editor.make("text", segment=editor.ref(1), text="There is no agenda.")
    told = page()
    assert "<del>Their </del><ins>There </ins>is no agenda." in told
    assert "alice@example.test" in told
    assert "Text corrected" in told


@pytest.mark.parametrize("script", ["<script>alert(1)</script>", "</del><b>x"])
def test_words_are_no_markup(editor: Editor, page: Callable[..., str], script: str) -> None:
    editor.make("text", segment=editor.ref(0), text=script)
    editor.make("speaker", segments=[editor.ref(0)], speaker="SPEAKER_00")
    editor.make("speakers", rename={"SPEAKER_00": script})
    assert script not in page()


def test_it_is_filtered_by_person(editor: Editor, colleague: Editor, page: Callable[..., str], charlie: User) -> None:
    editor.make("text", segment=editor.ref(0), text="Alice was here.")
    colleague.make("text", segment=colleague.ref(1), text="Charlie was here.")
    assert "Alice was here." in page().replace("<ins>", "").replace("</ins>", "").replace("<del>", "")
    told = page(who=charlie.pk)
    assert "charlie@example.test" in told
    assert "Charlie" in told
    assert "Alice was here" not in told


def test_what_is_typed_in_one_go_is_shown_as_one(editor: Editor, page: Callable[..., str]) -> None:
    for text in ("T", "Th", "The end."):
        editor.make("text", segment=editor.ref(2), text=text)
    told = page()
    assert told.count("Text corrected") == 1
    assert "<del>Then we eat lunch.</del><ins>The end.</ins>" in told


def test_what_is_typed_in_one_go_is_taken_back_as_one(editor: Editor, visit: Visit, alice: User, talk: Job) -> None:
    for text in ("T", "Th", "The end."):
        editor.make("text", segment=editor.ref(2), text=text)
    assert "The correction is taken back." in act(visit(alice), talk, act="undo", number=3, first=1)
    assert editor.texts() == ALL
    assert not Correction.objects.filter(kind="text", undone_by=None).exists()


def test_a_button_that_is_pressed_twice_acts_once(editor: Editor, visit: Visit, alice: User, talk: Job) -> None:
    editor.make("text", segment=editor.ref(2), text="The end.")
    name = str(uuid4())
    for _time in range(2):
        act(visit(alice), talk, act="undo", number=1, first=1, request_id=name)
    assert editor.texts() == ALL
    assert Correction.objects.count() == 2


def test_what_a_later_one_stands_on_is_not_taken_back(editor: Editor, visit: Visit, alice: User, talk: Job) -> None:
    editor.make("text", segment=editor.ref(2), text="The end.")
    editor.make("delete", segments=[editor.ref(2)])
    assert "A later correction has changed the same place." in act(visit(alice), talk, act="undo", number=1)
    assert editor.texts() == ALL[:2]


def test_of_several_that_are_taken_back_as_one_all_or_none_are(
    editor: Editor, visit: Visit, alice: User, talk: Job
) -> None:
    editor.make("text", segment=editor.ref(2), text="The end.")
    editor.make("text", segment=editor.ref(0), text="We meet at one.")
    editor.make("undo", number=1)
    assert "taken back already" in act(visit(alice), talk, act="undo", number=2, first=1)
    assert editor.texts()[0] == "We meet at one."
    assert Correction.objects.count() == 3


def test_the_engines_original_is_shown_and_restored(editor: Editor, visit: Visit, alice: User, talk: Job) -> None:
    editor.make("delete", segments=[editor.ref(0), editor.ref(1)])
    shown = visit(alice).get(f"/whisper/jobs/{talk.pk}/history/0").content.decode()
    assert f"{ALL[0]} {ALL[1]} {ALL[2]}" in shown
    assert f"/api/whisper/jobs/{talk.pk}/exports/txt?version=0" in shown
    assert "is as it was" in act(visit(alice), talk, act="restore", number=0)
    assert editor.texts() == ALL


def test_other_people_find_neither_page(editor: Editor, visit: Visit, bob: User, talk: Job) -> None:
    for path in ("history", "history/0"):
        assert visit(bob).get(f"/whisper/jobs/{talk.pk}/{path}").status_code == 404
    assert visit(bob).post(f"/whisper/jobs/{talk.pk}/history", {"act": "restore"}).status_code == 404


@pytest.mark.parametrize("number", [1, 99, 10**12])
def test_a_version_that_there_is_not_is_not_found(visit: Visit, alice: User, talk: Job, number: int) -> None:
    assert visit(alice).get(f"/whisper/jobs/{talk.pk}/history/{number}").status_code == 404


def test_nonsense_is_not_found(visit: Visit, alice: User, talk: Job) -> None:
    client = visit(alice)
    for told in ({}, {"act": "undo"}, {"act": "x", "number": 1, "request_id": str(uuid4())}):
        assert client.post(f"/whisper/jobs/{talk.pk}/history", told).status_code == 404
    assert client.get(f"/whisper/jobs/{talk.pk}/history?who=\0&before=x").status_code == 200


def test_every_kind_has_its_words(editor: Editor, page: Callable[..., str]) -> None:
    editor.make("split", segment=editor.ref(0), at=7)
    editor.make("merge", segments=[editor.ref(0), editor.ref(1)])
    editor.make("insert", start=9.0, end=10.0, text="Bye.", speaker="SPEAKER_00")
    editor.make("times", segments=[{**editor.ref(0), "start": 0.0, "end": 1.0}])
    editor.make("speaker", segments=[editor.ref(0)], speaker="SPEAKER_00")
    editor.make("speakers", rename={"SPEAKER_00": "Ada"})
    editor.make("check", segments=[editor.ref(0)], checked=True)
    editor.make("undo", number=7)
    editor.make("restore", number=0)
    told = page()
    for words in (
        '<span class="part">We meet</span><span class="part">at noon.</span>',
        "<ins>Bye.</ins>",
        "0.00–2.00 s → 0.00–1.00 s",
        "<del>Speaker 1</del><ins>Ada</ins>",
        "Nobody → Speaker 1",
        "Correction 7 taken back",
        "The engine&#x27;s original was restored",
    ):
        assert words in told, words
