"""From who speaks in each piece to who speaks when: overlapping pieces vote, and what they agree on becomes turns. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whisper_jobs.speech.diarizers.base import Floats

Active = npt.NDArray[np.bool_]
#: First frame, and the one behind the last.
Run = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Rules:
    """Frames."""

    #: A speaker who pauses for less than this goes on with the turn.
    shortest_pause: int = 18
    #: What is shorter than this is no turn.
    shortest_turn: int = 6


def vote(pieces: Iterable[Floats | None], *, speakers: int, frames: int, step: int) -> Iterator[Active]:
    """How probably each speaker speaks in each frame of a piece, (frames, speakers) → who speaks, block by block.

    A piece begins `step` frames after the one before; None is one that nobody listened to. As many speak at once as the
    pieces say on average: those with the most votes. A piece knows its middle best: towards its ends its vote counts less.
    """
    votes, voters = np.zeros((frames, speakers)), np.zeros(frames)
    weights = np.hamming(frames)
    for piece in pieces:
        if piece is not None:
            votes += piece * weights[:, None]
            voters += weights
        yield _elected(votes[:step], voters[:step])
        votes, voters = np.roll(votes, -step, axis=0), np.roll(voters, -step)
        votes[-step:], voters[-step:] = 0.0, 0.0
    yield _elected(votes, voters)


def _elected(votes: npt.NDArray[np.float64], voters: npt.NDArray[np.float64]) -> Active:
    shares = votes / np.maximum(voters, 1e-9)[:, None]
    at_once = np.rint(shares.sum(axis=1)).astype(int)
    rank = np.argsort(np.argsort(-shares, axis=1, kind="stable"), axis=1)
    elected: Active = (rank < at_once[:, None]) & (shares > 0)
    return elected


def runs(blocks: Iterable[Active], rules: Rules | None = None) -> list[tuple[Run, int]]:
    """Who speaks without a break, from when to when: a run of frames and the speaker's column, ordered by start."""
    rules = rules or Rules()
    open_runs: dict[int, Run] = {}
    found: list[tuple[Run, int]] = []
    offset = 0
    for block in blocks:
        for column in np.flatnonzero(block.any(axis=0)).tolist():
            for start, end in _stretches(block[:, column]):
                before = open_runs.get(column)
                if before is not None and offset + start - before[1] < rules.shortest_pause:
                    open_runs[column] = before[0], offset + end
                    continue
                if before is not None:
                    found.append((before, column))
                open_runs[column] = offset + start, offset + end
        offset += len(block)
    found += [(run, column) for column, run in open_runs.items()]
    return sorted((run, column) for run, column in found if run[1] - run[0] >= rules.shortest_turn)


def _stretches(active: Active) -> Iterator[Run]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], active.astype(np.int8), [0]))))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
