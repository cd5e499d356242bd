"""Numbers of speakers → their labels, in the order in which they are first heard. Pure; called by the diarizers."""

from __future__ import annotations

from collections.abc import Iterable

from whisper_jobs.speech.diarizers.base import Diarization, Floats, Turn


def named(heard: Iterable[tuple[float, float, int]], voices: Floats) -> Diarization:
    """`heard`: start, end and the speaker's row in `voices`."""
    names: dict[int, str] = {}
    turns = []
    for start, end, row in sorted(heard):
        label = names.setdefault(row, f"SPEAKER_{len(names):02}")
        turns.append(Turn(start, end, label))
    return Diarization(tuple(turns), {label: voices[row] for row, label in names.items()})
