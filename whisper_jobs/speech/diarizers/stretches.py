"""A voice that the segmenter heard in a piece may be two persons who take turns: it follows pauses and changes, not persons.

Its longer stretches, each between two pauses or other voices, are compared with each other. Called by the clustering diarizer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage

from whisper_jobs.speech.diarizers.base import Floats

Active = npt.NDArray[np.bool_]

#: Frames of 17 ms. A shorter pause ends no stretch (0.25 s); a shorter stretch tells too little (1 s).
SHORTEST_PAUSE = 15
SHORTEST_STRETCH = 60
#: Stretches of one person are nearer to each other than this (1 - cosine). Where it was measured, those of 1.5 s or more were
#: at most 0.49 apart, and those of two persons at least 0.74.
FARTHEST = 0.65


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """`near`: the frames that are nearer to this person's stretches than to another's. `embedding` has length 1."""

    near: Active
    embedding: Floats


def persons(alone: Active, encode: Callable[[Active], Floats]) -> list[Person]:
    """`alone`: the frames in which the voice speaks and no other. Empty when fewer than two stretches tell of it."""
    found = [stretch for stretch in _stretches(alone) if stretch[1] - stretch[0] >= SHORTEST_STRETCH]
    if len(found) < 2:
        return []
    embeddings = np.stack([encode(_only(alone, stretch)) for stretch in found])
    labels = fcluster(linkage(embeddings, "average", metric="cosine"), FARTHEST, "distance")
    nearest = labels[_nearest(found, len(alone))]
    lengths = np.array([end - start for start, end in found], np.float32)
    return [
        Person(nearest == label, _mean(embeddings[labels == label], lengths[labels == label]))
        for label in np.unique(labels)
    ]


def _stretches(alone: Active) -> Iterator[tuple[int, int]]:
    places = np.flatnonzero(alone)
    if len(places):
        for part in np.split(places, np.flatnonzero(np.diff(places) > SHORTEST_PAUSE) + 1):
            yield int(part[0]), int(part[-1]) + 1


def _only(alone: Active, stretch: tuple[int, int]) -> Active:
    only = np.zeros_like(alone)
    only[slice(*stretch)] = alone[slice(*stretch)]
    return only


def _nearest(stretches: Sequence[tuple[int, int]], frames: int) -> npt.NDArray[np.intp]:
    """For each frame the stretch that it is nearest to."""
    at = np.arange(frames)[:, None]
    starts, ends = np.array(stretches).T
    distances = np.maximum(np.maximum(starts - at, at - ends + 1), 0)
    nearest: npt.NDArray[np.intp] = distances.argmin(axis=1)
    return nearest


def _mean(embeddings: Floats, weights: Floats) -> Floats:
    mean = weights @ embeddings
    unit: Floats = (mean / np.linalg.norm(mean)).astype(np.float32)
    return unit
