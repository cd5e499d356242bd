"""A run is a held claim: what a worker's function works on, and the two ways in which verbs write with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from whisper_jobs.models import Job, Step
from whisper_jobs.moves import Fenced, advance, settle
from whisper_jobs.pen import Edit, Gone, editing
from whisper_jobs.states import StepState


class NotAllowed(Exception):
    """The job is in a state in which this verb makes no sense; the message says so to the user."""


@dataclass(frozen=True, slots=True)
class Run:
    """A held claim: what a pipeline function works on and writes with. `job` is as it was when the claim began."""

    run_id: UUID
    step: Step
    job: Job

    @property
    def job_id(self) -> int:
        return self.step.job_id


@contextmanager
def holding(run: Run) -> Iterator[Edit]:
    """Edits the job while the claim is held; raises Fenced when it isn't, and when the job is gone."""
    try:
        with editing(run.job_id) as edit:
            if not Step.objects.filter(pk=run.step.pk, run_id=run.run_id, state=StepState.RUNNING).exists():
                raise Fenced(run.step.pk)
            yield edit
    except Gone as gone:
        raise Fenced(run.step.pk) from gone


@contextmanager
def finishing(run: Run) -> Iterator[Edit]:
    """Ends the run as done, lets the caller store its result, then moves the job on."""
    with holding(run) as edit:
        settle(run.step, StepState.DONE, error="", error_code="")
        edit.job.stage_detail = ""
        yield edit
        advance(edit)
