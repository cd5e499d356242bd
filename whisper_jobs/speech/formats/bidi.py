"""Text that is read from right to left, put in the order in which a page shows it. For writers that place letters.

The Unicode Bidirectional Algorithm (https://www.unicode.org/reports/tr9/) for one line without explicit marks of direction:
P2–P3, the weak rules that concern numbers, N1–N2, I1–I2, L2–L4.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache, partial
from itertools import groupby

from arabic_reshaper import ArabicReshaper

_RIGHT = ("R", "AL")
#: Characters that are mirrored where they stand in text from right to left.
_MIRRORED = str.maketrans("()[]{}<>«»‹›", ")(][}{><»«›‹")
#: Marks of direction have done their work when the order is found; no font draws them.
_MARKS = dict.fromkeys(map(ord, "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))
_reshaper = ArabicReshaper(configuration={"delete_harakat": False, "support_ligatures": True})


@lru_cache(maxsize=4096)
def is_right_to_left(text: str) -> bool:
    """By its first letter with a direction (P2, P3)."""
    if text.isascii():
        return False
    strong = (kind for kind in map(unicodedata.bidirectional, text) if kind in ("L", *_RIGHT))
    return next(strong, "L") in _RIGHT


def has_right_to_left(text: str) -> bool:
    return not text.isascii() and any(unicodedata.bidirectional(letter) in _RIGHT for letter in text)


def visual(line: str, *, right_to_left: bool) -> str:
    """The line as its letters stand from left to right, Arabic ones in the forms that join. `right_to_left`: its paragraph is."""
    letters = _shaped(line).translate(_MARKS)
    levels = _levels(letters, 1 if right_to_left else 0)
    placed = [
        (level, letter.translate(_MIRRORED) if level % 2 else letter)
        for level, letter in zip(levels, letters, strict=True)
    ]
    for level in range(max(levels, default=0), 0, -1):
        runs = groupby(placed, key=partial(_reaches, level))
        placed = [one for high, run in runs for one in (_turned([*run]) if high else run)]
    return "".join(letter for _, letter in placed)


def _reaches(level: int, one: tuple[int, str]) -> bool:
    return one[0] >= level


def _turned(run: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Backwards, with marks still after the letters that they sit on (L3)."""
    clusters: list[list[tuple[int, str]]] = []
    for one in run:
        if clusters and unicodedata.category(one[1]) == "Mn":
            clusters[-1].append(one)
        else:
            clusters.append([one])
    return [one for cluster in reversed(clusters) for one in cluster]


@lru_cache(maxsize=20_000)
def _joined(word: str) -> str:
    return str(_reshaper.reshape(word))


def _shaped(line: str) -> str:
    return " ".join(_joined(word) if not word.isascii() else word for word in line.split(" "))


def _levels(letters: str, base: int) -> list[int]:
    kinds = _resolved([unicodedata.bidirectional(letter) for letter in letters], base)
    return [_level(kind, base) for kind in kinds]


def _level(kind: str, base: int) -> int:
    if kind == "R":
        return 1
    if kind == "N":
        return 2
    return 2 if base else 0


def _resolved(kinds: list[str], base: int) -> list[str]:
    """Each letter L, R or N, a number; what has no direction takes that of both its neighbours, else the paragraph's."""
    found = _numbers(kinds)
    around = "R" if base else "L"
    before, at = around, 0
    while at < len(found):
        if found[at] in "LRN":
            # A number counts as text from right to left for what stands beside it (N1).
            before = "L" if found[at] == "L" else "R"
            at += 1
            continue
        end = next((n for n in range(at, len(found)) if found[n] in "LRN"), len(found))
        after = around if end == len(found) else "L" if found[end] == "L" else "R"
        found[at:end] = [before if before == after else around] * (end - at)
        at = end
    return found


def _numbers(kinds: list[str]) -> list[str]:
    """The weak rules: marks follow their letter (W1), separators within numbers belong to them (W4, W5), a number after Latin is
    Latin (W7)."""
    found, last = [], "L" if "R" not in kinds and "AL" not in kinds else ""
    for number, kind in enumerate(kinds):
        following = kinds[number + 1] if number + 1 < len(kinds) else ""
        if kind in ("L", *_RIGHT):
            last = "L" if kind == "L" else "R"
            found.append(last)
        elif kind in ("EN", "AN"):
            found.append("L" if kind == "EN" and last == "L" else "N")
        elif found and (kind == "NSM" or _is_within_number(kind, kinds[number - 1], following)):
            found.append(found[-1])
        elif kind == "ET" and "EN" in (following, kinds[number - 1] if number else ""):
            found.append("L" if last == "L" else "N")
        else:
            found.append("-")
    return found


def _is_within_number(kind: str, before: str, after: str) -> bool:
    return kind in ("CS", "ES") and before in ("EN", "AN") and after in ("EN", "AN")
