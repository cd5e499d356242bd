"""Recordings with known words, and ways to look for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from accounts.models import User
from tests.core.play import Stage
from whisper_jobs import queries, search
from whisper_jobs.models import Job, Segment, Step
from whisper_jobs.states import Kind

Recording = Callable[..., Job]
Find = Callable[..., list[str]]


@pytest.fixture
def recording(stage: Stage) -> Recording:
    """A finished recording of `owner` in which each of `said` is a segment of ten seconds."""

    def made(owner: User, title: str, said: Sequence[str] = (), **fields: Any) -> Job:
        job = stage.completed(owner, source_label=title, **fields)
        say(job, said)
        search.reindex(job)
        return job

    return made


def say(job: Job, said: Sequence[str]) -> None:
    """Puts these in the place of what was said; without the index."""
    step = Step.objects.filter(job=job, kind=Kind.WINDOW).order_by("index")[0]
    Segment.objects.filter(job=job).delete()
    rows = [
        Segment(job=job, step=step, position=at, start=at * 10.0, end=at * 10.0 + 9, text=text, revision=1)
        for at, text in enumerate(said)
    ]
    Segment.objects.bulk_create(rows)


@pytest.fixture
def find() -> Find:
    """Titles of what somebody finds, in the order of the alphabet."""

    def found(user: User, text: str) -> list[str]:
        jobs, _ = queries.page_of_jobs(user, queries.ListFilter(text=text))
        return sorted(job.title for job in jobs)

    return found
