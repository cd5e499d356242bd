"""Notes that are added: what they cover, who sees them, and what is refused."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.core.play import Stage, fresh
from tests.notes.conftest import Ask, say
from whisper_jobs import notes, trash
from whisper_jobs.models import Job, Note


def test_a_note_holds_what_is_said_there(ask: Ask, alice: User) -> None:
    status, told = ask(alice, "POST", "/notes", start=1, end=3, text="Ask the port.", colour="pink")
    assert status == 201
    note = told["note"]
    assert (note["start"], note["end"], note["quote"]) == (1.0, 3.0, "harbour is")
    assert (note["text"], note["colour"], note["author"]["name"]) == ("Ask the port.", "pink", alice.email)


def test_without_an_end_it_goes_on_as_long_as_is_spoken(ask: Ask, alice: User) -> None:
    _, told = ask(alice, "POST", "/notes", start=3)
    assert (told["note"]["end"], told["note"]["quote"]) == (5.0, "closed today")
    _, told = ask(alice, "POST", "/notes", start=7.5)
    assert (told["note"]["end"], told["note"]["quote"]) == (7.5, "")


def test_words_without_times_are_taken_as_a_whole(ask: Ask, alice: User) -> None:
    _, told = ask(alice, "POST", "/notes", start=11, end=12)
    assert told["note"]["quote"] == "Nobody wants the crane"


def test_a_quote_of_a_script_without_spaces_gets_none(ask: Ask, talk: Job, alice: User) -> None:
    say(talk, ["你 好 吗"])
    _, told = ask(alice, "POST", "/notes", start=0, end=3)
    assert told["note"]["quote"] == "你好吗"


def test_a_long_quote_is_cut(ask: Ask, talk: Job, alice: User) -> None:
    say(talk, ["word " * 200], timed=())
    _, told = ask(alice, "POST", "/notes", start=0, end=5)
    assert len(told["note"]["quote"]) == 300
    assert told["note"]["quote"].endswith("…")


def test_they_are_listed_in_order_of_time(ask: Ask, alice: User) -> None:
    for start in (12, 1, 4):
        ask(alice, "POST", "/notes", start=start)
    _, told = ask(alice, "GET", "/notes")
    assert [one["start"] for one in told["notes"]] == [1.0, 4.0, 12.0]


def test_the_same_once_more_is_the_one_that_is_there(ask: Ask, alice: User, talk: Job) -> None:
    first = ask(alice, "POST", "/notes", start=1, end=3, text="Yes")[1]
    again = ask(alice, "POST", "/notes", start=1, end=3, text=" Yes\r\n")[1]
    assert again["note"] == first["note"]
    assert Note.objects.filter(job=talk).count() == 1


def test_whoever_sees_the_recording_sees_its_notes_and_nobody_else(
    ask: Ask, alice: User, bob: User, charlie: User
) -> None:
    ask(alice, "POST", "/notes", start=1)
    assert ask(charlie, "GET", "/notes")[1]["notes"][0]["author"]["id"] == alice.pk
    assert ask(bob, "GET", "/notes")[0] == 404
    assert ask(bob, "POST", "/notes", start=1)[0] == 404


def test_every_note_gives_the_recording_a_new_revision(ask: Ask, alice: User, talk: Job) -> None:
    _, told = ask(alice, "POST", "/notes", start=1)
    assert told["revision"] == talk.revision + 1 == fresh(talk).revision


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"start": -1},
        {"start": "NaN"},
        {"start": 1e300},
        {"start": 60},
        {"start": 3, "end": 2},
        {"start": 1, "colour": "plaid"},
        {"start": 1, "text": "a\0b"},
        {"start": 1, "text": "x" * 2001},
    ],
)
def test_what_makes_no_sense_is_refused(ask: Ask, alice: User, talk: Job, told: dict[str, object]) -> None:
    status, answer = ask(alice, "POST", "/notes", **told)
    assert status == 422
    assert answer["message"]
    assert not Note.objects.filter(job=talk).exists()


def test_scripts_and_other_directions_stay_text_and_what_nobody_sees_goes(ask: Ask, alice: User) -> None:
    _, told = ask(alice, "POST", "/notes", start=1, text="<b>مرحبا</b> 👩‍🚀\x07\u202e!")
    assert told["note"]["text"] == "<b>مرحبا</b> 👩‍🚀!"


def test_there_are_never_too_many(ask: Ask, alice: User, talk: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "MOST_NOTES", 2)
    assert [ask(alice, "POST", "/notes", start=n)[0] for n in range(3)] == [201, 201, 422]
    assert ask(alice, "POST", "/notes", start=1)[0] == 201


def test_an_end_behind_the_recording_is_its_end(ask: Ask, alice: User, talk: Job) -> None:
    _, told = ask(alice, "POST", "/notes", start=11, end=9999)
    assert told["note"]["end"] == talk.source_duration_seconds


def test_they_outlive_the_trash_and_go_with_the_recording(stage: Stage, alice: User, talk: Job) -> None:
    notes.add(talk.pk, by=alice, start=1, text="Kept")
    trash.discard(talk.pk)
    trash.restore(talk.pk)
    assert Note.objects.filter(job=talk).count() == 1
    trash.discard(talk.pk)
    trash.delete(talk.pk)
    assert not Note.objects.exists()


def test_notes_of_somebody_who_is_gone_stay(ask: Ask, alice: User, charlie: User, talk: Job) -> None:
    notes.add(talk.pk, by=charlie, start=1, text="Mine")
    charlie.delete()
    assert ask(alice, "GET", "/notes")[1]["notes"][0]["author"] is None
