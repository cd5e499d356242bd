"""Texts that repeat themselves, as speech models do when they have lost the sound. Called by the guards."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

#: openai-whisper's threshold: text that compresses better than this says the same again and again.
MOST_COMPRESSION = 2.4
#: The longest unit whose repeats are looked for: words of a text, and characters of a word or of a script without spaces.
LONGEST_WORDS, LONGEST_CHARACTERS = 30, 40
#: A unit with fewer letters is short: people do say it three times.
SHORT_LETTERS = 12
#: A stretch of repeated characters counts from this length on: “hahaha” is a laugh.
SHORTEST_STRETCH = 12


def compression_ratio(text: str) -> float:
    """Bytes of the text ÷ bytes once zlib has compressed it, as openai-whisper defines it."""
    data = text.encode()
    return len(data) / len(zlib.compress(data))


def looping(texts: Sequence[str]) -> set[int]:
    """Which of these consecutive texts repeat themselves, or take part in a repeat that goes through several."""
    words = [(word, index) for index, text in enumerate(texts) for word in _words(text)]
    found = {index for first, end in _repeated_words([word for word, _ in words]) for _, index in words[first:end]}
    found |= {index for word, index in words if _stutters(word)}
    return found | {index for index, text in enumerate(texts) if compression_ratio(text) > MOST_COMPRESSION}


def _words(text: str) -> list[str]:
    stripped = ("".join(filter(str.isalnum, word)) for word in text.casefold().split())
    return [word for word in stripped if word]


def _repeated_words(words: list[str]) -> Iterator[tuple[int, int]]:
    for length in range(1, LONGEST_WORDS + 1):
        for first, end in _periodic(words, length):
            letters = sum(map(len, words[first : first + length]))
            if (end - first) / length >= _fewest_repeats(length, letters):
                yield first, end


def _fewest_repeats(words: int, letters: int) -> int:
    """How often a unit is said in a row before that is a loop: “no, no, no, no, no” is none, a sentence three times is."""
    if letters >= SHORT_LETTERS:
        return 3
    return 6 if words == 1 else 4


def _stutters(word: str) -> bool:
    for length in range(1, min(LONGEST_CHARACTERS, len(word) // 3) + 1):
        fewest = 8 if length < 3 else 4 if length < SHORT_LETTERS else 3
        for first, end in _periodic(word, length):
            if end - first >= max(SHORTEST_STRETCH, fewest * length) and not word[first:end].isdecimal():
                return True
    return False


def _periodic(items: Sequence[str], period: int) -> Iterator[tuple[int, int]]:
    """The longest stretches in which each item is the same as the one `period` before it."""
    first = 0
    for position in range(period, len(items) + 1):
        if position == len(items) or items[position] != items[position - period]:
            if position - first > period:
                yield first, position
            first = position - period + 1
