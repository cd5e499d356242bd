"""Where the words were found: the segments, their times, the words marked."""

from __future__ import annotations

import unicodedata

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from tests.library.conftest import Recording
from whisper_jobs.places import LONGEST, Part, marked, places_in
from whisper_jobs.search import parse

Told = list[tuple[float, str]]


def told(job_id: int, query: str) -> Told:
    """With marked words in brackets."""
    return [(place.start, bracketed(place.parts)) for place in places_in([job_id], parse(query)).get(job_id, [])]


def bracketed(parts: tuple[Part, ...]) -> str:
    return "".join(f"[{part.text}]" if part.is_marked else part.text for part in parts)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("taxes", [(10.0, "[Taxes] rise again")]),
        ("the", [(0.0, "[The] mayor opens [the] meeting."), (20.0, "by [the] next year, Mötley")]),
        ("ris", [(10.0, "Taxes [rise] again")]),
        ("motley", [(20.0, "by the next year, [Mötley]")]),
        ('"the meeting"', [(0.0, "The mayor opens [the meeting].")]),
        ('"rise again by the"', [(10.0, "Taxes [rise] [again]"), (20.0, "[by] [the] next year, Mötley")]),
        ("mayor year", [(0.0, "The [mayor] opens the meeting."), (20.0, "by the next [year], Mötley")]),
        ("unheard", []),
        ("-mayor", []),
    ],
)
def test_places(recording: Recording, alice: User, query: str, expected: Told) -> None:
    job = recording(alice, "Council", ["The mayor opens the meeting.", "Taxes rise again", "by the next year, Mötley"])
    assert told(job.pk, query) == expected


def test_segments_with_more_of_the_words_come_before_others(recording: Recording, alice: User) -> None:
    said = ["red"] * 5 + ["red and blue"]
    job = recording(alice, "Colours", said)
    assert told(job.pk, "red blue") == [(0.0, "[red]"), (10.0, "[red]"), (50.0, "[red] and [blue]")]


def test_a_long_segment_is_cut_around_the_word(recording: Recording, alice: User) -> None:
    job = recording(alice, "Long", [" ".join(f"w{number}" for number in range(500))])
    ((_, text),) = told(job.pk, '"w400"')
    assert text.startswith("…w") and text.endswith("…") and "[w400]" in text
    assert len(text) < LONGEST + 10


def test_a_script_stays_text(recording: Recording, alice: User) -> None:
    job = recording(alice, "Bad", ["<script>alert(1)</script>"])
    assert told(job.pk, "alert") == [(0.0, "<script>[alert](1)</script>")]


@pytest.mark.parametrize("count", [1, 12])
def test_two_queries_however_many_jobs(recording: Recording, alice: User, count: int) -> None:
    jobs = [recording(alice, "One", ["the word"]).pk for _ in range(count)]
    with CaptureQueriesContext(connection) as seen:
        assert len(places_in(jobs, parse("word"))) == count
    assert len(seen) == 2


@given(st.text(), st.text())
def test_marking_changes_no_letter(text: str, query: str) -> None:
    parts = marked(text, parse(query))
    assert "".join(part.text for part in parts) == unicodedata.normalize("NFC", text)


def test_a_title_is_marked() -> None:
    assert bracketed(marked("Über Mötley", parse("motl"))) == "Über [Mötley]"
