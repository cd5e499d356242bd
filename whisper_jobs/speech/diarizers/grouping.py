"""Which of the voices heard in the pieces of a recording are the same person. Pure; called by the clustering diarizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whisper_jobs.speech.diarizers.base import Floats

Labels = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Rules:
    """Found on recordings that the published figures don't use; see docs/benchmarks.md."""

    #: Groups whose voices are on average nearer than this (1 - cosine) are one person.
    farthest: float = 0.57
    #: A voice heard alone for less than this says little: it joins a group, but makes none.
    shortest_seconds: float = 1.0
    #: A group heard for less than this in all, or for less than this share of all voices, is no person of its own.
    least_seconds: float = 1.0
    least_share: float = 0.003
    #: So many voices are compared with each other at once, which bounds memory; more are gathered into tight groups first.
    at_once: int = 1000
    tight: float = 0.35


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """One of the voices of one piece. `seconds` it speaks alone there; `embedding` has length 1.

    Voices of different sources are different persons, those of one source may be the same.
    """

    chunk: int
    number: int
    seconds: float
    embedding: Floats
    source: int


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """`of[(chunk, number)]` is a row of `centroids`, each of length 1."""

    of: dict[tuple[int, int], int]
    centroids: Floats


def group(voices: Sequence[Voice], *, fewest: int = 1, most: int | None = None, rules: Rules | None = None) -> Groups:
    """At least `fewest` and at most `most` persons, as far as there are so many voices."""
    rules = rules or Rules()
    if not voices:
        return Groups({}, np.zeros((0, 0), np.float32))
    founders = _founders(voices, rules, fewest)
    embeddings = np.stack([voice.embedding for voice in founders])
    seconds = np.array([voice.seconds for voice in founders])
    labels = _labels(embeddings, rules, fewest=fewest, most=most)
    labels = _without_small(labels, seconds, rules, fewest=fewest)
    centroids = _centroids(embeddings, seconds, labels)
    return Groups(_assigned(voices, centroids), centroids)


def _founders(voices: Sequence[Voice], rules: Rules, fewest: int) -> Sequence[Voice]:
    """The voices that make groups: those heard well, or the best heard when there are not enough of them."""
    well = [voice for voice in voices if voice.seconds >= rules.shortest_seconds]
    if len(well) >= fewest:
        return well
    return sorted(voices, key=lambda voice: -voice.seconds)[: max(fewest, 1)]


def _labels(embeddings: Floats, rules: Rules, *, fewest: int, most: int | None) -> Labels:
    if len(embeddings) <= rules.at_once:
        return _linked(embeddings, rules.farthest, fewest=fewest, most=most)
    first = _gathered(embeddings, rules)
    ones = np.ones(len(embeddings))
    outer = _labels(_centroids(embeddings, ones, first), rules, fewest=fewest, most=most)
    return outer[first]


def _gathered(embeddings: Floats, rules: Rules) -> Labels:
    """Tight groups within stretches of the recording."""
    labels, count = [], 0
    for start in range(0, len(embeddings), rules.at_once):
        part = _linked(embeddings[start : start + rules.at_once], rules.tight, fewest=1, most=rules.at_once // 4)
        labels.append(part + count)
        count += part.max() + 1
    return np.concatenate(labels)


def _linked(embeddings: Floats, farthest: float, *, fewest: int, most: int | None) -> Labels:
    """Average linkage over cosine distances, cut at `farthest` or where the number of groups demands it."""
    # Late, as below: every worker imports this module, and few need scipy's memory.
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(embeddings) == 1:
        return np.zeros(1, np.intp)
    tree = linkage(embeddings, "average", metric="cosine")
    labels = fcluster(tree, farthest, "distance")
    if labels.max() < fewest:
        labels = fcluster(tree, fewest, "maxclust")
    elif most is not None and labels.max() > most:
        labels = fcluster(tree, most, "maxclust")
    return np.unique(labels, return_inverse=True)[1]


def _without_small(labels: Labels, seconds: npt.NDArray[np.float64], rules: Rules, *, fewest: int) -> Labels:
    """-1 for the voices of groups that are hardly heard, as long as `fewest` others stay."""
    heard = np.bincount(labels, weights=seconds)
    order = np.argsort(-heard, kind="stable")
    least = max(rules.least_seconds, rules.least_share * float(heard.sum()))
    kept = [label for place, label in enumerate(order) if place < fewest or heard[label] >= least]
    kept = kept or [order[0]]
    renamed = np.full(len(heard), -1)
    renamed[sorted(kept)] = np.arange(len(kept))
    return renamed[labels]


def _centroids(embeddings: Floats, seconds: npt.NDArray[np.float64], labels: Labels) -> Floats:
    """The mean voice of each group, the longer heard weighing more."""
    sums = np.zeros((labels.max() + 1, embeddings.shape[1]))
    member = labels >= 0
    np.add.at(sums, labels[member], embeddings[member] * seconds[member, None])
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    centroids: Floats = (sums / np.maximum(lengths, 1e-9)).astype(np.float32)
    return centroids


def _assigned(voices: Sequence[Voice], centroids: Floats) -> dict[tuple[int, int], int]:
    """Each voice to the nearest group, but different sources of one piece to different ones."""
    from scipy.optimize import linear_sum_assignment

    of: dict[tuple[int, int], int] = {}
    chunks: dict[int, list[Voice]] = {}
    for voice in voices:
        chunks.setdefault(voice.chunk, []).append(voice)
    for chunk, together in chunks.items():
        near = np.stack([voice.embedding for voice in together]) @ centroids.T
        rows = near.argmax(axis=1)
        if len({voice.source for voice in together}) == len(together) <= len(centroids):
            rows = linear_sum_assignment(near, maximize=True)[1]
        of |= {(chunk, voice.number): int(row) for voice, row in zip(together, rows, strict=True)}
    return of
