"""The word error rate of the bench: what counts as the same words."""

from __future__ import annotations

import pytest

from benchmarks.wer import Score, normalised, score


def test_each_kind_of_error_counts_once() -> None:
    assert score("the cat sat on the mat", "the cat sat on the mat") == Score(0, 6)
    assert score("the cat sat on the mat", "a cat on the the mat") == Score(3, 6)
    assert score("the cat", "").rate == 100.0


def test_case_punctuation_and_names_of_speakers_do_not_count() -> None:
    assert score("Diane: Hello?\nSheila: I'm in Texas.", "hello i'm in texas") == Score(0, 4)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("7 of 42", "seven of forty two"),
        ("1,905", "one thousand nine hundred five"),
        ("2026", "two thousand twenty six"),
        ("100", "one hundred"),
        ("0", "zero"),
    ],
)
def test_numbers_are_compared_as_they_are_spoken(text: str, spoken: str) -> None:
    assert normalised(text) == spoken


def test_scores_add_up() -> None:
    assert Score(1, 4) + Score(2, 6) == Score(3, 10)
    assert Score(3, 10).rate == 30.0
