"""Written words as they are said."""

from __future__ import annotations

import pytest

from whisper_jobs.speech.pronouncing import number, sounds, spoken

KNOWN = {"it's": "IH T S", "chicago": "SH AH K AA G OW", "well": "W EH L"}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Chicago,", ["chicago"]),
        ("“It’s", ["it's"]),
        ("'well'", ["well"]),
        ("well-known", ["well", "known"]),
        ("5%", ["five", "percent"]),
        ("$1,250", ["dollars", "one", "thousand", "two", "hundred", "fifty"]),
        ("café", ["cafe"]),
        ("—", []),
        ("\0", []),
    ],
)
def test_a_word_is_said_in_parts_that_a_dictionary_may_have(written: str, said: list[str]) -> None:
    assert spoken(written, KNOWN.__contains__) == said


@pytest.mark.parametrize(
    ("digits", "said"),
    [
        ("0", "zero"),
        ("13", "thirteen"),
        ("40", "forty"),
        ("101", "one hundred one"),
        ("1984", "nineteen eighty four"),
        ("1900", "one thousand nine hundred"),
        ("2026", "two thousand twenty six"),
        ("007", "zero zero seven"),
        ("1234567", "one two three four five six seven"),
    ],
)
def test_numbers_are_spelled_out(digits: str, said: str) -> None:
    assert " ".join(number(digits)) == said


def test_what_the_dictionary_lacks_is_said_by_its_letters_or_its_base() -> None:
    assert sounds("chicago's", KNOWN.get) == "SH AH K AA G OW Z"
    assert sounds("shick", KNOWN.get) == "SH IH K"
    assert sounds("brindle", KNOWN.get) == "B R IH N D L"
    assert sounds("'", KNOWN.get) == "AH"
