"""Which words of a new read are those that were told before: by their letters, and where these leave a choice by their times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from whisper_jobs.speech.transcript import Word

#: A word in the place of another costs a little less than one that is gone, or new; the same word is worth a little.
SUBSTITUTION, GAP, SAME = 0.98, 1.0, -0.05
#: Alignments whose costs differ by less are alike: then the times decide.
ALIKE = 0.025
#: More words than this behind those told before can't be meant by them.
MOST_MORE = 20

Costs = list[list[float]]


@dataclass(frozen=True, slots=True)
class Alignment:
    """For each word told before its place among those heard now, None where it has none; `until`: where the new ones begin."""

    places: tuple[int | None, ...]
    until: int


def key(word: str) -> str:
    """By what two reads of a word are compared: capitals and punctuation change with what comes behind it."""
    return "".join(filter(str.isalnum, word.casefold())) or word


def align(told: Sequence[Word], heard: Sequence[Word]) -> Alignment:
    """`told` against the beginning of `heard`. Words without a counterpart on either side are allowed for."""
    if not told:
        return Alignment((), 0)
    considered = heard[: 2 * len(told) + MOST_MORE]
    pairs = _pair_costs(told, considered)
    costs = _costs(pairs)
    until = _end(costs[-1], told[-1], considered)
    return Alignment(_places(costs, pairs, until), until)


def _pair_costs(told: Sequence[Word], heard: Sequence[Word]) -> Costs:
    if not heard:
        return [[] for _ in told]
    olds, news = [key(word.text) for word in told], [key(word.text) for word in heard]
    apart: Costs = process.cdist(olds, news, scorer=Levenshtein.normalized_distance).tolist()
    return [[SUBSTITUTION * far if far else SAME for far in row] for row in apart]


def _costs(pairs: Costs) -> Costs:
    """costs[i][j]: of the first i words told against the first j heard."""
    costs = [[GAP * j for j in range(len(pairs[0]) + 1)]]
    for i, row in enumerate(pairs, 1):
        above = costs[-1]
        costs.append([GAP * i])
        for j, cost in enumerate(row, 1):
            costs[i].append(min(above[j - 1] + cost, above[j] + GAP, costs[i][j - 1] + GAP))
    return costs


def _end(last: Sequence[float], told: Word, heard: Sequence[Word]) -> int:
    """The cheapest; of several that are alike the one that ends when the last word told did."""
    limit = min(last) + ALIKE
    alike = [j for j, cost in enumerate(last) if cost <= limit]
    return min(alike, key=lambda j: (round(abs(_end_of(heard, j) - told.end), 1), last[j]))


def _end_of(heard: Sequence[Word], count: int) -> float:
    return heard[count - 1].end if count else 0.0


def _places(costs: Costs, pairs: Costs, until: int) -> tuple[int | None, ...]:
    places: list[int | None] = [None] * len(pairs)
    i, j = len(pairs), until
    while i and j:
        if costs[i][j] == costs[i - 1][j - 1] + pairs[i - 1][j - 1]:
            i, j = i - 1, j - 1
            places[i] = j
        elif costs[i][j] == costs[i - 1][j] + GAP:
            i -= 1
        else:
            j -= 1
    return tuple(places)
