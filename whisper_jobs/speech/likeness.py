"""Which term of a glossary somebody may have said where an engine wrote something like it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

#: Letters of a term → how many may differ. Shorter ones are like too many words.
_ALLOWED: Final = ((10, 3), (6, 2), (4, 1))
#: Several words are taken for one term only when they have so many letters: “and a” is not “Anda”.
LEAST_LETTERS_TOGETHER = 7


@dataclass(frozen=True, slots=True)
class Match:
    """A term and how many letters are other ones; `is_exact` where the words are the term itself."""

    distance: int
    term: str
    is_exact: bool


class Likeness:
    """A glossary to compare with. Case, spaces and punctuation make no difference to how near something is."""

    def __init__(self, terms: Iterable[str]) -> None:
        self._terms = {letters: term for term in terms if (letters := _letters(term))}
        self._exact = {_words(term) for term in self._terms.values()}
        self._by_length: dict[int, list[str]] = defaultdict(list)
        for letters in self._terms:
            self._by_length[len(letters)].append(letters)
        # The same words come again and again.
        self._look = cache(self._find)

    @property
    def is_empty(self) -> bool:
        return not self._terms

    def of(self, words: Sequence[str]) -> Match | None:
        """The term that these words together are, or are nearly."""
        letters = _letters("".join(words))
        if _words(" ".join(words)) in self._exact:
            return Match(0, self._terms[letters], is_exact=True)
        if len(words) > 1 and len(letters) < LEAST_LETTERS_TOGETHER:
            return None
        return self._look(letters)

    def _find(self, letters: str) -> Match | None:
        allowed = _allowed(len(letters))
        if not allowed:
            return None
        near = [one for off in range(-allowed, allowed + 1) for one in self._by_length.get(len(letters) + off, ())]
        found = process.extractOne(letters, near, scorer=Levenshtein.distance, score_cutoff=allowed)
        if found is None or found[1] > _allowed(len(found[0])):
            return None
        return Match(int(found[1]), self._terms[found[0]], is_exact=False)


def _allowed(length: int) -> int:
    return next((most for least, most in _ALLOWED if length >= least), 0)


def _words(text: str) -> tuple[str, ...]:
    return tuple(filter(None, map(_letters, text.split())))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
