"""Reading what a model wrote: what fits becomes data, all the rest is kept as text, and nothing is made up."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.enrichment.model_server import ANALYSIS
from whisper_jobs.language_models.analysis_reading import PARTS, Span, read, render
from whisper_jobs.language_models.json_reading import clock_of, object_in, seconds_of

SPAN = Span([0.0, 10.0, 65.0], end=70.0)
HEADINGS = {
    "key_points": "Key points",
    "decisions": "Decisions",
    "action_items": "Action items",
    "chapters": "Chapters",
}


def text_of(answer: str) -> str:
    return render(read(answer, SPAN), HEADINGS)


def test_a_whole_answer_becomes_data_and_a_text_to_read() -> None:
    reading = read(json.dumps(ANALYSIS), SPAN)
    assert set(reading.data) == set(PARTS)
    assert reading.data["action_items"] == [{"text": "Write to the customers", "owner": "Eva"}]
    assert reading.data["chapters"] == [{"title": "Welcome", "start": 0.0}, {"title": "Budget", "start": 10.0}]
    assert reading.rest == ""
    assert render(reading, HEADINGS) == (
        "They talked about the budget.\n\nKey points\n- Costs have grown.\n\nDecisions\n- The price goes up.\n\n"
        "Action items\n- Write to the customers (Eva)\n\nChapters\n0:00:00 Welcome\n0:00:10 Budget"
    )


@pytest.mark.parametrize(
    "around",
    ["{}", "```json\n{}\n```", "Here you are:\n```\n{}\n```\nAnything else?", "Sure! {} I hope that helps."],
)
def test_talk_and_fences_around_the_answer_do_no_harm(around: str) -> None:
    answer = around.replace("{}", json.dumps(ANALYSIS))
    assert read(answer, SPAN).data["summary"] == "They talked about the budget."


@pytest.mark.parametrize("answer", ["All went well.", '{"summary": "It was', '["a", "list"]', "{" * 5000, "}{"])
def test_what_is_no_json_is_kept_as_it_is(answer: str) -> None:
    reading = read(answer, SPAN)
    assert (reading.data, reading.rest) == ({}, answer)


def test_an_answer_in_a_shape_of_its_own_is_kept_as_text() -> None:
    text = text_of(json.dumps({"summary": "Short.", "mood": "good", "decisions": 5, "topics": ["a", "b"]}))
    assert text == 'Short.\n\nmood: good\n\ntopics: ["a", "b"]\n\ndecisions: [5]'


def test_a_single_thing_in_place_of_a_list_counts_as_one() -> None:
    data = read(
        json.dumps({"key_points": "One.", "action_items": "Call Eva", "decisions": [{"text": "Go."}]}), SPAN
    ).data
    assert data == {"key_points": ["One."], "action_items": [{"text": "Call Eva"}], "decisions": ["Go."]}


def test_chapters_begin_where_something_is_said_and_never_outside_of_the_recording() -> None:
    chapters = [
        {"title": "Later", "start": "1:04"},
        {"title": "First", "start": "[0:00:02]"},
        {"title": "Seconds", "start": 11},
        {"title": "Too late", "start": "0:01:11"},
        {"title": "No time", "start": "soon"},
        {"title": "", "start": "0:00:10"},
        {"title": "Minus", "start": -4},
        {"title": "True", "start": True},
        "Nothing",
    ]
    found = read(json.dumps({"chapters": chapters}), SPAN).data["chapters"]
    assert found == [
        {"title": "First", "start": 0.0},
        {"title": "Seconds", "start": 10.0},
        {"title": "Later", "start": 65.0},
    ]


def test_of_two_chapters_at_one_time_the_first_stays() -> None:
    told = [{"title": "One", "start": "0:10"}, {"title": "Two", "start": "0:11"}]
    assert read(json.dumps({"chapters": told}), SPAN).data["chapters"] == [{"title": "One", "start": 10.0}]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("0:07", 7.0),
        ("1:02:03", 3723.0),
        ("[0:00:10]", 10.0),
        ("90:00", 5400.0),
        (12.5, 12.5),
        ("12", None),
        ("a:b", None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
        (None, None),
        ({}, None),
    ],
)
def test_clocks_and_numbers_are_times_and_nothing_else_is(written: object, seconds: float | None) -> None:
    assert seconds_of(written) == seconds


@given(st.integers(0, 10**6))
def test_a_clock_that_is_written_is_read_again(seconds: int) -> None:
    assert seconds_of(clock_of(float(seconds))) == seconds


_ANYTHING: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(PARTS), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*PARTS, "other"]), _ANYTHING))
def test_no_answer_whatsoever_breaks_it(answer: dict[str, Any]) -> None:
    reading = read(json.dumps(answer), SPAN)
    render(reading, HEADINGS).encode()
    json.dumps(dict(reading.data), allow_nan=False)


@given(st.text())
def test_no_text_whatsoever_breaks_it(answer: str) -> None:
    found = object_in(answer)
    assert found is None or isinstance(found, dict)
    assert "\0" not in text_of(answer)


def test_an_answer_of_white_space_is_read_in_a_moment() -> None:
    began = time.thread_time()
    assert object_in("```" + "\n" * 30_000) is None
    assert object_in("```json" + " \n" * 15_000) is None
    assert time.thread_time() - began < 1
