"""Notes on a job's page as a browser without scripts has them: a list, and forms."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from whisper_jobs import notes
from whisper_jobs.models import Job, Note

Visit = Callable[[User | None], Client]
Send = Callable[..., str]


@pytest.fixture
def send(visit: Visit, alice: User, talk: Job) -> Send:
    """Sends a form as alice; the page that she is led to."""
    return lambda **told: visit(alice).post(f"/whisper/jobs/{talk.pk}/notes", told, follow=True).text


def test_a_note_is_added_at_a_time(send: Send, talk: Job) -> None:
    page = send(act="add", at="0:11", text="Ask <whom>?", colour="blue")
    note = Note.objects.get(job=talk)
    assert (note.start, note.end, note.quote) == (11.0, 15.0, "Nobody wants the crane")
    assert "Ask &lt;whom&gt;?" in page
    assert '<a class="number" data-note="go" data-field="at" href="#t=11.00">0:11</a>' in page


@pytest.mark.parametrize(("at", "seconds"), [("7", 7.0), ("0:07", 7.0), ("00:00:07", 7.0), ("7.9", 7.0)])
def test_times_are_written_in_many_ways(send: Send, talk: Job, at: str, seconds: float) -> None:
    send(act="add", at=at, text="", colour="yellow")
    assert Note.objects.get(job=talk).start == seconds


@pytest.mark.parametrize("at", ["", "soon", "1:2:3:4", "-1", "9:99:99", "99999999", "\0"])
def test_a_time_that_is_none_is_told(send: Send, talk: Job, at: str) -> None:
    assert 'class="message bad"' in send(act="add", at=at, text="x", colour="yellow")
    assert not Note.objects.exists()


def test_one_is_changed_by_the_form_that_its_link_opens(visit: Visit, send: Send, talk: Job, alice: User) -> None:
    note = notes.add(talk.pk, by=alice, start=1, end=3, text="First")
    page = visit(alice).get(f"/whisper/jobs/{talk.pk}?note={note.pk}").text
    assert f'<input type="hidden" name="note" value="{note.pk}">' in page
    send(act="change", note=note.pk, text="Second", colour="green")
    assert Note.objects.values_list("text", "colour").get() == ("Second", 1)


def test_one_is_deleted(send: Send, talk: Job, alice: User) -> None:
    note = notes.add(talk.pk, by=alice, start=1)
    send(act="delete", note=note.pk)
    assert not Note.objects.exists()
    assert "There is no such note." in send(act="delete", note=note.pk)


@pytest.mark.parametrize("told", [{"act": "burn"}, {"act": "delete", "note": "²"}, {"act": "change", "note": "9" * 30}])
def test_nonsense_is_told(send: Send, told: dict[str, str]) -> None:
    assert 'class="message bad"' in send(**told)


def test_strangers_find_no_form(visit: Visit, bob: User, talk: Job) -> None:
    told = {"act": "add", "at": "1", "colour": "yellow"}
    assert visit(bob).post(f"/whisper/jobs/{talk.pk}/notes", told).status_code == 404


def test_many_notes_cost_no_more_queries_than_one(visit: Visit, alice: User, talk: Job) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as told:
            visit(alice).get(f"/whisper/jobs/{talk.pk}")
        return len(told)

    notes.add(talk.pk, by=alice, start=0.5)
    count()
    one = count()
    for n in range(1, 9):
        notes.add(talk.pk, by=alice, start=n / 2 + 0.5)
    assert count() == one
