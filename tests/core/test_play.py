"""Jobs that tests play: what is written at once is what the verbs write one by one, in every field of every row."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Model, QuerySet

from accounts.models import User
from tests.core import at_once
from tests.core.play import Stage, window
from whisper_jobs.models import Diarization, Job, LogLine, Pace, Passage, Segment, Tally, Transcript, Usage

#: Named or timed when they are made.
OWN = {"id", "job_id", "step_id", "run_id", "pk"}
Row = dict[str, Any]


def plain(rows: Iterable[Model]) -> list[Row]:
    return [{name: _plain(name, value) for name, value in vars(row).items() if name[0] != "_"} for row in rows]


def _plain(name: str, value: Any) -> Any:
    """Whether there is one, for names and times, which differ."""
    return value is not None if name in OWN or name.endswith("_at") or name == "at" else value


def rows_of(job: Job) -> dict[str, list[Row]]:
    found: list[QuerySet[Any]] = [
        Job.objects.filter(pk=job.pk),
        job.steps.order_by("kind", "index"),
        Segment.objects.filter(job=job).order_by("start"),
        LogLine.objects.filter(job=job).order_by("id"),
        Passage.objects.filter(job=job).order_by("number"),
        Transcript.objects.filter(job=job),
        Diarization.objects.filter(job=job),
    ]
    return {rows.model.__name__: plain(rows) for rows in found}


def owners_rows(owner: User) -> dict[str, list[Row]]:
    # A count of none is as good as no row, which the verbs leave for every status on the way.
    counts = Tally.objects.filter(owner=owner).exclude(jobs=0).order_by("channel", "status")
    paces = [{**row, "work_seconds": 0} for row in plain(Pace.objects.all())]
    return {"Tally": plain(counts), "Usage": plain(Usage.objects.filter(owner=owner)), "Pace": paces}


CASES: list[tuple[str, int, Row]] = [
    ("decoded", 1, {}),
    ("decoded", 30, {"disable_diarization": False, "source_label": "Talk"}),
    ("completed", 1, {"language": "sv", "channel": "api"}),
    ("completed", 2, {}),
    ("completed", 9, {"disable_diarization": False, "needs_approval": True}),
    ("completed", 2, {"translation_target_languages": ("sv",), "analysis_language": "en"}),
]


@pytest.mark.parametrize(("verb", "windows", "fields"), CASES)
def test_rows_written_at_once_are_those_of_the_verbs(
    stage: Stage, alice: User, monkeypatch: pytest.MonkeyPatch, verb: str, windows: int, fields: Row
) -> None:
    def played(*, quickly: bool) -> dict[str, list[Row]]:
        with transaction.atomic():
            monkeypatch.setattr(at_once, "is_the_same", lambda *_given: quickly)
            stage.completed(alice)
            job = getattr(stage, verb)(alice, windows, **fields)
            rows = rows_of(job) | owners_rows(alice)
            transaction.set_rollback(True)
        return rows

    assert played(quickly=True) == played(quickly=False)


def test_with_another_job_in_between_the_verbs_are_called(stage: Stage, alice: User) -> None:
    stage.submit(alice)
    assert not at_once.is_the_same(stage.submit(alice), [window(0)])


def test_where_minutes_run_out_the_verbs_are_called(stage: Stage, alice: User) -> None:
    alice.monthly_minutes = 1
    alice.save()
    job = stage.submit(alice)
    assert at_once.is_the_same(job, [window(0)])
    assert not at_once.is_the_same(job, [window(place) for place in range(7)])


def test_where_a_commit_comes_the_verbs_are_called(stage: Stage, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    job = stage.submit(alice)
    monkeypatch.setattr(at_once, "connection", SimpleNamespace(in_atomic_block=False))
    assert not at_once.is_the_same(job, [window(0)])
