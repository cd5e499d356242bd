"""How many words are wrong: a text as it was said against one that was heard, by jiwer. Used by the figures on speech."""

from __future__ import annotations

import re
from dataclasses import dataclass

import jiwer

_SPEAKER = re.compile(r"^\w+:", re.MULTILINE)
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+|\d+")
_ONES = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


@dataclass(frozen=True, slots=True)
class Score:
    """`errors` are words that are wrong, missing or too many; `words` those that were said."""

    errors: int
    words: int

    @property
    def rate(self) -> float:
        """The word error rate, in per cent."""
        return 100 * self.errors / max(1, self.words)

    def __add__(self, other: Score) -> Score:
        return Score(self.errors + other.errors, self.words + other.words)


def score(said: str, heard: str) -> Score:
    """`said` may name the speaker at the beginning of a line, with a colon."""
    reference, hypothesis = normalised(without_speakers(said)), normalised(heard)
    counted = jiwer.process_words(reference, hypothesis)
    return Score(counted.substitutions + counted.deletions + counted.insertions, len(reference.split()))


def without_speakers(said: str) -> str:
    """Without the names before the colon at the beginning of lines."""
    return _SPEAKER.sub(" ", said)


def normalised(text: str) -> str:
    """Small letters without punctuation; numbers as they are spoken in English."""
    spoken = _NUMBER.sub(lambda found: f" {_spoken(int(found[0].replace(',', '')))} ", text.lower().replace("’", "'"))
    return " ".join(re.sub(r"[^\w' ]|_", " ", spoken).split())


def _spoken(number: int) -> str:
    for unit, name in ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred")):
        if number >= unit:
            rest = number % unit
            return f"{_spoken(number // unit)} {name}{f' {_spoken(rest)}' if rest else ''}"
    if number < 20:
        return _ONES[number]
    return _TENS[number // 10 - 2] + (f" {_ONES[number % 10]}" if number % 10 else "")
