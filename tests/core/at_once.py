"""The rows of a job that is decoded, or whose windows are all heard, written at once as lifecycle's verbs leave them one by one.

A third of the work of those. tests/core/test_play.py compares the two, field by field.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.db import connection

from whisper_jobs import lifecycle, limits, pace, schedule, search, segment_rows
from whisper_jobs.lifecycle import NewWindow
from whisper_jobs.models import Job, Segment, Step
from whisper_jobs.moves import advance, release
from whisper_jobs.pen import Edit, editing
from whisper_jobs.speech.transcript import Segment as Spoken
from whisper_jobs.states import LANE_OF, Kind, Stage, StepState

#: A worker takes about so long for a window in which nothing is heard.
WORK_SECONDS = 0.01
#: Until a job is decoded three steps begin and three end, and the windows come; each is a revision.
EDITS_UNTIL_DECODED = 7


def is_the_same(job: Job, windows: Sequence[NewWindow]) -> bool:
    """Whether the verbs would come to the same for a job that was just submitted: nobody hears of commits, what there is to do is
    to choose its engine and to fetch it, and nothing else, and there are minutes enough."""
    if not connection.in_atomic_block or not windows:
        return False
    open_steps = Step.objects.filter(state__in=[StepState.READY, StepState.RUNNING, StepState.WAITING])
    begun = {(job.pk, Kind.PREPARE, StepState.READY), (job.pk, Kind.FETCH, StepState.READY)}
    if set(open_steps.values_list("job_id", "kind", "state")) != begun:
        return False
    longer = copy.copy(job)
    longer.window_seconds_total = sum(window.end - window.start for window in windows)
    return limits.lacks_minutes(longer) is None


@dataclass(frozen=True, slots=True)
class Told:
    """What workers tell the verbs: finish_prepare of the engine, finish_fetch of the source, finish_window of the language."""

    worker: str
    engine: Mapping[str, str]
    source: Mapping[str, str]
    language: str


def decode(pk: int, windows: Sequence[NewWindow], told: Told) -> None:
    """From queued to decoded."""
    with editing(pk) as edit:
        _fetch_and_decode(edit, told)
        Step.objects.bulk_create(_steps(edit.job, windows, StepState.WAITING))
        _count_windows(edit.job, windows)
        search.reindex_heads([edit.job])
        release(edit)


def hear(pk: int, windows: Sequence[NewWindow], spoken: Sequence[Spoken], told: Told) -> None:
    """From queued to the step that comes after the last window; `spoken` is one segment of each."""
    with editing(pk) as edit:
        _fetch_and_decode(edit, told)
        job = edit.job
        steps = Step.objects.bulk_create(_heard(edit, windows, told))
        _count_windows(job, windows)
        # The first that begins is a revision, and every end.
        revision = edit.revision + 1
        edit.revision = revision + len(windows)
        lifecycle._log_stage(edit, Stage.TRANSCRIBING)
        job.speech_started_at, job.detected_language = edit.now, told.language
        rows = [
            segment_rows.row(step, 0, one, revision + 1 + step.index) for step, one in zip(steps, spoken, strict=True)
        ]
        Segment.objects.bulk_create(rows)
        for step in steps:
            pace.note(job, step, seconds=WORK_SECONDS)
        job.windows_done, job.window_seconds_done = job.windows_total, job.window_seconds_total
        limits.charge(job, job.window_seconds_total)
        advance(edit)


def _fetch_and_decode(edit: Edit, told: Told) -> None:
    job = edit.job
    edit.revision = job.revision + EDITS_UNTIL_DECODED
    job.started_at = job.decoded_at = edit.now
    job.engine_reason = told.engine["reason"]
    for name in ("backend", "engine", "model", "quality"):
        setattr(job, name, told.engine[name])
    for name, value in told.source.items():
        setattr(job, name, value)
    edit.log(job.engine_reason)
    lifecycle._log_stage(edit, Stage.FETCHING)
    edit.log("The media is downloaded.")
    lifecycle._log_stage(edit, Stage.DECODING)
    edit.forward(Stage.WAITING)
    steps = Step.objects.filter(job=job)
    steps.filter(kind=Kind.PREPARE).update(**_done(edit, told))
    steps.filter(kind=Kind.FETCH).update(**_done(edit, told))
    turn = schedule.next_turn(LANE_OF[Kind.DECODE], job.owner_id, job.priority, kind=Kind.DECODE)
    steps.filter(kind=Kind.DECODE).update(**_done(edit, told), turn=turn)


def _count_windows(job: Job, windows: Sequence[NewWindow]) -> None:
    job.windows_total, job.source_duration_seconds = len(windows), windows[-1].end
    job.window_seconds_total = sum(window.end - window.start for window in windows)
    job.speech_seconds = sum(end - start for window in windows for start, end in window.speech)


def _steps(job: Job, windows: Sequence[NewWindow], state: StepState) -> list[Step]:
    # Made before the length of the recording is known, as by a decoder that goes on.
    return [lifecycle._window_step(job, place, window, state) for place, window in enumerate(windows)]


def _heard(edit: Edit, windows: Sequence[NewWindow], told: Told) -> list[Step]:
    """One after the other: each is due when the one before is paid for."""
    steps = _steps(edit.job, windows, StepState.DONE)
    cost = [max(1, round(window.end - window.start)) for window in windows]
    turn = schedule.next_turn(LANE_OF[Kind.WINDOW], edit.job.owner_id, edit.job.priority, kind=Kind.WINDOW)
    turn = max(turn, cost[0])
    for step, seconds in zip(steps, cost, strict=True):
        for name, value in _done(edit, told).items():
            setattr(step, name, value)
        step.turn = turn
        turn += seconds
    return steps


def _done(edit: Edit, told: Told) -> dict[str, Any]:
    times = {"heartbeat_at": edit.now, "started_at": edit.now, "finished_at": edit.now}
    return {"state": StepState.DONE, "run_id": uuid4(), "worker": told.worker, "attempts": 1, **times}
