"""Words as the search compares them: no case, no accents, no punctuation. What is indexed and what is asked go through here.

Scripts that put no spaces between words give one token per character, so that a phrase of them finds any part of a sentence.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

#: Nobody says a longer word; identifiers and base64 in titles are cut.
LONGEST = 64
#: Letters that have no decomposition but a plain form that people type.
_PLAIN = {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"}
#: Accents and points, which people leave out; other marks are part of how a word is spelt.
_ACCENTS = (
    *((0x0300, 0x036F), (0x0483, 0x0487), (0x0591, 0x05C7), (0x0610, 0x061A), (0x064B, 0x065F), (0x0670, 0x0670)),
    *((0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE00, 0xFE0F), (0xFE20, 0xFE2F)),
)
#: Thai, Lao, Myanmar, Khmer; kana and ideographs.
_SPACELESS = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3005, 0x3007), (0x3040, 0x30FF), (0x31F0, 0x31FF)),
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),
)


@dataclass(frozen=True, slots=True)
class Span:
    """A token and the characters that it stands for."""

    token: str
    start: int
    end: int


class _Folds(dict[int, str]):
    """Character → what stands for it: nothing for an accent, a space for what is no word."""

    def __missing__(self, code: int) -> str:
        told = self[code] = _fold(chr(code))
        return told


def tokens(text: str) -> list[str]:
    return [token[:LONGEST] for token in unicodedata.normalize("NFC", text).translate(_FOLDS).split()]


def spans(text: str) -> Iterator[Span]:
    """The tokens of `text`, which is in NFC, with their places."""
    token, start, end = "", 0, 0
    for at, character in enumerate(text):
        for letter in _FOLDS[ord(character)]:
            if letter != " ":
                start, end = start if token else at, at + 1
                token += letter
            elif token:
                yield Span(token[:LONGEST], start, end)
                token = ""
    if token:
        yield Span(token[:LONGEST], start, end)


def _fold(character: str) -> str:
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", character).casefold())
    kept = unicodedata.normalize("NFC", "".join(one for one in plain if not _within(one, _ACCENTS)))
    return "".join(map(_letter, kept))


def _letter(character: str) -> str:
    kind = unicodedata.category(character)
    if kind == "Nd":
        return str(unicodedata.digit(character))
    if kind[0] not in "LM":
        return " "
    letter = _PLAIN.get(character, character)
    if not _known_to_databases(character):
        letter = f"u{ord(character):x}u"
    return f" {letter} " if _within(character, _SPACELESS) else letter


def _known_to_databases(character: str) -> bool:
    """Whether both take it for a letter: their tables are older than Python's, and marks end their words."""
    return unicodedata.ucd_3_2_0.category(character) in ("Lu", "Ll", "Lt", "Lo")


def _within(character: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= ord(character) <= last for first, last in ranges)


_FOLDS = _Folds()
