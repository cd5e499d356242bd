"""The one step of a job of the sandbox: its time has come, so it ends as its script says. Nothing is heard."""

from __future__ import annotations

from whisper_jobs import rehearsing
from whisper_jobs.errors import JobError
from whisper_jobs.pipeline.heart import Watch
from whisper_jobs.runs import Run
from whisper_jobs.sandbox import script_of


def rehearse(run: Run, watch: Watch) -> None:
    script = script_of(run.job.sandbox or {})
    if script.error:
        raise JobError(script.error)
    rehearsing.finish(run)
