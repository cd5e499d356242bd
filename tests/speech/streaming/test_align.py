"""Words told before are found again at the beginning of what is heard now."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.speech.streaming.play import said
from whisper_jobs.speech.streaming.aligning import align, key


@pytest.mark.parametrize(
    ("told", "heard", "until"),
    [
        ("", "so it goes", 0),
        ("so it", "so it goes on", 2),
        ("so it", "So, it. Goes", 2),
        ("so it", "", 0),
        ("so it", "so", 1),
        ("so it goes", "so I goes on", 3),
        ("so it goes", "so goes on", 2),
        ("so it goes", "so oh it goes on", 4),
        ("the colour of", "the color of money", 3),
        ("one two", "one and two three", 3),
        ("one two three", "one two xyz four five", 3),
        ("no no no", "no no no no yes", 3),
    ],
)
def test_the_new_words_begin_behind_those_told(told: str, heard: str, until: int) -> None:
    assert align(said(*told.split()), said(*heard.split())).until == until


def test_times_decide_what_letters_leave_open() -> None:
    told = said("go", "go")
    assert align(told, said("go", "go", "go")).until == 2
    late = [*said("uh"), *said("go", "go", start=0.0, each=0.3)]
    assert align(told, late).until == 3


@pytest.mark.parametrize(
    ("told", "heard", "places"),
    [("a b c", "a b c", (0, 1, 2)), ("a bee c", "a c", (0, None, 1)), ("alpha beta", "alpha uh beta", (0, 2))],
)
def test_each_word_told_has_its_place(told: str, heard: str, places: tuple[int | None, ...]) -> None:
    assert align(said(*told.split()), said(*heard.split())).places == places


def test_capitals_and_punctuation_make_no_other_word() -> None:
    assert key("Hello,") == key("hello")
    assert key("…") == "…"


words = st.lists(st.sampled_from(["a", "b", "ab", "no", "…", "über"]), max_size=12)


@given(words, words)
def test_places_are_in_order_and_before_the_new_words(told: Sequence[str], heard: Sequence[str]) -> None:
    found = align(said(*told), said(*heard))
    places = [place for place in found.places if place is not None]
    assert len(found.places) == len(told)
    assert places == sorted(set(places))
    assert all(place < found.until for place in places)
    assert 0 <= found.until <= len(heard)


@given(words, words)
def test_what_is_said_again_and_goes_on_is_found_whole(told: Sequence[str], more: Sequence[str]) -> None:
    found = align(said(*told), said(*told, *more))
    assert found.until == len(told)
