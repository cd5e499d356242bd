"""Notes that are changed and deleted, by several people at once."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from tests.core.play import Stage, fresh
from tests.notes.conftest import Ask
from whisper_jobs import notes
from whisper_jobs.models import Job, Note


@pytest.fixture
def note(talk: Job, alice: User) -> Note:
    return notes.add(talk.pk, by=alice, start=1, end=3, text="First")


def test_text_and_colour_change_and_the_place_stays(ask: Ask, note: Note, alice: User) -> None:
    status, told = ask(alice, "PATCH", f"/notes/{note.pk}", text="Second", colour="blue")
    assert status == 200
    kept = {name: told["note"][name] for name in ("start", "end", "quote", "text", "colour")}
    assert kept == {"start": 1.0, "end": 3.0, "quote": "harbour is", "text": "Second", "colour": "blue"}


def test_what_is_left_out_stays(ask: Ask, note: Note, alice: User) -> None:
    ask(alice, "PATCH", f"/notes/{note.pk}", colour="green")
    assert ask(alice, "PATCH", f"/notes/{note.pk}", text="")[1]["note"]["colour"] == "green"


def test_nothing_new_is_no_change(ask: Ask, note: Note, alice: User) -> None:
    before = fresh(note.job).revision
    ask(alice, "PATCH", f"/notes/{note.pk}", text="First")
    assert fresh(note.job).revision == before


def test_what_somebody_else_has_written_meanwhile_is_not_lost(ask: Ask, note: Note, alice: User, charlie: User) -> None:
    seen = ask(alice, "GET", "/notes")[1]["notes"][0]["changed_at"]
    assert ask(charlie, "PATCH", f"/notes/{note.pk}", text="Theirs", changed_at=seen)[0] == 200
    status, told = ask(alice, "PATCH", f"/notes/{note.pk}", text="Mine", changed_at=seen)
    assert (status, told["code"]) == (422, "note_changed")
    now = ask(alice, "GET", "/notes")[1]["notes"][0]
    assert now["text"] == "Theirs"
    assert ask(alice, "PATCH", f"/notes/{note.pk}", text="Mine", changed_at=now["changed_at"])[0] == 200


def test_deleting_takes_it_away_once(ask: Ask, note: Note, alice: User) -> None:
    status, told = ask(alice, "DELETE", f"/notes/{note.pk}")
    assert (status, told["revision"]) == (200, fresh(note.job).revision)
    assert ask(alice, "DELETE", f"/notes/{note.pk}")[0] == 404
    assert ask(alice, "PATCH", f"/notes/{note.pk}", text="Late")[0] == 404


def test_a_note_is_found_under_its_own_recording_only(
    ask: Ask, note: Note, stage: Stage, alice: User, api: Any
) -> None:
    other = stage.completed(alice)
    answer = api(alice).delete(f"/api/whisper/jobs/{other.pk}/notes/{note.pk}")
    assert answer.status_code == 404
    assert Note.objects.filter(pk=note.pk).exists()


def test_strangers_change_nothing(ask: Ask, note: Note, bob: User) -> None:
    assert ask(bob, "PATCH", f"/notes/{note.pk}", text="Mine")[0] == 404
    assert ask(bob, "DELETE", f"/notes/{note.pk}")[0] == 404


@pytest.mark.parametrize(
    "told", [{"changed_at": "yesterday"}, {"changed_at": "0001-01-01T00:00:00+14:00"}, {"text": 4 * "x" * 501}]
)
def test_what_makes_no_sense_is_refused(ask: Ask, note: Note, alice: User, told: dict[str, str]) -> None:
    assert ask(alice, "PATCH", f"/notes/{note.pk}", **told)[0] == 422
