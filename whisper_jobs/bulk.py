"""One verb for many recordings. Each is a transaction of its own: what can't be done is told, the rest is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from whisper_jobs import limits
from whisper_jobs.pen import Gone
from whisper_jobs.runs import NotAllowed


@dataclass(slots=True)
class Outcome:
    """Jobs for which it was done, and why not for others: sentence → how many."""

    done: list[int] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)


def each(jobs: Iterable[int], verb: Callable[[int], object]) -> Outcome:
    """A job that is gone by now is left out."""
    outcome = Outcome()
    for job in jobs:
        try:
            verb(job)
            outcome.done.append(job)
        except Gone:
            continue
        except (NotAllowed, limits.LimitReached) as refused:
            outcome.refused[str(refused)] = outcome.refused.get(str(refused), 0) + 1
    return outcome
