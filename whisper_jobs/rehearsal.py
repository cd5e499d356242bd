"""The step of a job of the sandbox, in place of all others. Called in the transaction that makes or restarts the job."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.utils import timezone

from whisper_jobs import schedule
from whisper_jobs.doorbell import ring_later_on_commit
from whisper_jobs.models import Job, Step
from whisper_jobs.sandbox import Script, script_of
from whisper_jobs.states import LANE_OF, Kind, Stage, StepState

LANE = LANE_OF[Kind.REHEARSE]


def begin(job: Job) -> None:
    """At work from the start, so that it takes nobody's place in the queue. Sets fields; whoever calls stores them."""
    now = timezone.now()
    job.stage, job.started_at, job.speech_started_at = Stage.TRANSCRIBING, job.started_at or now, now


def plan(job: Job, script: Script) -> None:
    """The step that ends the job when its time has come. One that never ends is held."""
    copied = {"owner_id": job.owner_id, "priority": job.priority}
    Step.objects.create(job=job, kind=Kind.REHEARSE, lane=LANE, **copied, **_due(job, script))


def again(job: Job) -> None:
    """A restarted job ends well, after the same time: who forced an error has seen it. Words that are there already stay."""
    script = replace(script_of(job.sandbox or {}), error="")
    job.sandbox = script.stored()
    begin(job)
    if job.decoded_at is None:
        anew = {"run_id": None, "attempts": 0, "losses": 0, "error": "", "error_code": "", "finished_at": None}
        Step.objects.filter(job=job, kind=Kind.REHEARSE).update(**anew, **_due(job, script))


def _due(job: Job, script: Script) -> dict[str, Any]:
    """Fields of the step. It takes its turn as any other, so that a thousand of them keep nobody's texts waiting."""
    if script.finish_in is None:
        return {"state": StepState.HELD}
    ring_later_on_commit(LANE, script.finish_in)
    return {
        "state": StepState.READY,
        "turn": schedule.next_turn(LANE, job.owner_id, job.priority, kind=Kind.REHEARSE),
        "not_before": timezone.now() + timedelta(seconds=script.finish_in),
    }
