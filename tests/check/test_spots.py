"""Which places of a transcript are worth a look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whisper_jobs.speech.likeness import Likeness
from whisper_jobs.speech.spots import UNSURE, Heard, Spot, spots
from whisper_jobs.speech.transcript import Segment, Word


def heard(text: str, unsure: Sequence[str] = (), *, at: float = 0.0, checked: bool = False, **fields: Any) -> Heard:
    words = tuple(
        Word(at + place, at + place + 1, word, UNSURE - 0.1 if word in unsure else 0.9)
        for place, word in enumerate(text.split())
    )
    return Heard(int(at) + 1, 1, Segment(at, at + len(words), text, words, **fields), checked)


def marked(spot: Spot) -> list[tuple[str, str | None]]:
    return [(piece.text, piece.reason) for piece in spot.pieces if piece.reason]


def test_runs_of_unsure_words_are_marked_in_their_text() -> None:
    [spot] = spots([heard("Well, the cat, sat on a mat.", ["cat,", "sat", "mat."])], [], [])
    assert marked(spot) == [("cat, sat", "words"), ("mat.", "words")]
    assert "".join(piece.text for piece in spot.pieces) == "Well, the cat, sat on a mat."
    assert (spot.start, spot.end, spot.reason) == (2.0, 7.0, "words")


def test_a_word_is_marked_where_it_stands_and_not_inside_another() -> None:
    [spot] = spots([heard("cat a mat", ["a"])], [], [])
    assert [piece.text for piece in spot.pieces] == ["cat ", "a", " mat"]


def test_sure_words_and_words_of_unknown_certainty_are_no_spot() -> None:
    unknown = Heard(9, 1, Segment(0, 1, "well", (Word(0, 1, "well", None),)))
    assert (
        list(spots([heard("all is well"), unknown, Heard(8, 1, Segment(0, 1, "no words"))], [], ["Kubernetes"])) == []
    )


def test_checked_segments_are_left_out() -> None:
    checked = [heard("la la la", checked=True, suspect="repeats"), heard("uh", ["uh"], checked=True)]
    assert list(spots(checked, [], [])) == []


@pytest.mark.parametrize("reason", ["repeats", "no_speech", "unsure"])
def test_a_suspect_segment_is_shown_as_a_whole(reason: Any) -> None:
    [spot] = spots([heard("la la la", suspect=reason)], [], [])
    assert (spot.reason, marked(spot)) == (reason, [("la la la", reason)])
    assert (spot.start, spot.end) == (0.0, 3.0)


def test_speech_without_words_stands_in_its_place() -> None:
    found = list(spots([heard("uh", ["uh"]), heard("uh", ["uh"], at=20.0)], [(5.0, 8.0)], []))
    assert [(spot.reason, spot.start) for spot in found] == [("words", 0.0), ("gap", 5.0), ("words", 20.0)]
    assert found[1].heard is None


@pytest.mark.parametrize(
    ("said", "marks"),
    [
        ("we run a kubernets cluster", [("kubernets", "Kubernetes")]),
        ("kuber netes it is", [("kuber netes", "Kubernetes")]),
        ("mötley crew plays", [("mötley crew", "Mötley Crüe")]),
        ("the Kubernetes, cluster and Mötley Crüe", []),
        ("the KUBERNETES cluster", []),
        ("a cube or nothing", []),
    ],
)
def test_words_that_are_nearly_a_term_are_told_with_it(said: str, marks: list[tuple[str, str]]) -> None:
    found = spots([heard(said)], [], ["Kubernetes", "Mötley Crüe", "AI"])
    assert [(piece.text, piece.term) for spot in found for piece in spot.pieces if piece.term] == marks


def test_a_term_is_told_where_the_engine_was_unsure_too() -> None:
    [spot] = spots([heard("uh kubernets uh", ["uh", "kubernets"])], [], ["Kubernetes"])
    assert marked(spot) == [("uh", "words"), ("kubernets", "term"), ("uh", "words")]


def test_words_that_the_text_does_not_have_are_not_marked() -> None:
    odd = Heard(1, 1, Segment(0, 2, "Corrected since.", (Word(0, 1, "gone", 0.1), Word(1, 2, "since.", 0.1))))
    [spot] = spots([odd], [], [])
    assert marked(spot) == [("since.", "words")]


def test_a_glossary_of_thousands_is_looked_up_fast_enough_to_be_asked_for_each_word() -> None:
    terms = [f"name{place:05}" for place in range(2000)]
    words = " ".join(f"word{place % 3000:05}" for place in range(10_000))
    assert list(spots([heard(words)], [], terms)) == []


@given(st.lists(st.tuples(st.text(), st.floats(0, 1)), max_size=12), st.lists(st.text(max_size=12), max_size=5))
def test_the_pieces_are_always_the_text(words: list[tuple[str, float]], terms: list[str]) -> None:
    text = " ".join(word for word, _sure in words)
    segment = Segment(0, 9, text, tuple(Word(0, 1, word, sure) for word, sure in words), suspect="unsure")
    [spot] = spots([Heard(1, 1, segment)], [], terms)
    assert "".join(piece.text for piece in spot.pieces) == text


def test_short_words_are_like_no_term() -> None:
    assert Likeness(["Bo"]).of(["so"]) is None
    match = Likeness(["Anna"]).of(["Ana"])
    assert match is None or match.term == "Anna"
