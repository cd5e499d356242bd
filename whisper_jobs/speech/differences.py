"""How one text became another, word by word, for people to read. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from whisper_jobs.speech.correcting import matches, parts_of

#: Words that stay on each side of what has changed.
CONTEXT = 8


@dataclass(frozen=True, slots=True)
class Piece:
    """Words that stay, are gone, or are new; `left_out` stands for words that stay and need not be read again."""

    kind: Literal["same", "gone", "new", "left_out"]
    text: str


def difference(before: str, after: str) -> list[Piece]:
    """Put together, `same` and `gone` are what was there before, `same` and `new` what is there now."""
    old, new = _tokens(before), _tokens(after)
    return [piece for piece in _pieces(old, new) if piece.text]


def shortened(pieces: Sequence[Piece], context: int = CONTEXT) -> list[Piece]:
    """Without the words that are far from any change."""
    return [
        short
        for place, piece in enumerate(pieces)
        for short in _short(piece, context, first=place == 0, last=place == len(pieces) - 1)
    ]


def _short(piece: Piece, context: int, *, first: bool, last: bool) -> Iterable[Piece]:
    tokens = _tokens(piece.text)
    if piece.kind != "same" or len(tokens) <= context * (2 - first - last) + 1 or (first and last):
        return [piece]
    head = [] if first else [Piece("same", "".join(tokens[:context]))]
    tail = [] if last else [Piece("same", "".join(tokens[-context:]))]
    return [*head, Piece("left_out", "… "), *tail]


def _pieces(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    at_old = at_new = 0
    found = matches([token.strip() for token in old], [token.strip() for token in new])
    for place_old, place_new, length in [*found, (len(old), len(new), 0)]:
        gone = "".join(old[at_old:place_old])
        # What stays has the spaces of the new text, whose end has none.
        apart = bool(gone and at_old and old[at_old - 1][-1:].isspace() and not new[at_new - 1][-1:].isspace())
        yield Piece("gone", f" {gone}" if apart else gone)
        yield Piece("new", "".join(new[at_new:place_new]))
        at_old, at_new = place_old + length, place_new + length
        yield Piece("same", "".join(new[place_new:at_new]))


def _tokens(text: str) -> list[str]:
    """Words with the space behind them."""
    tokens = []
    for part in re.findall(r"\S+\s*", text):
        *head, tail = parts_of(part.rstrip())
        tokens += [*head, tail + part[len(part.rstrip()) :]]
    return tokens
