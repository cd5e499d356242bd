"""Last step: the text from the segments, and how much of the speech it covers."""

from __future__ import annotations

from whisper_jobs import assembled, lifecycle
from whisper_jobs.pipeline.heart import Watch
from whisper_jobs.runs import Run


def assemble(run: Run, watch: Watch) -> None:
    lifecycle.finish_assemble(run, **assembled.texts_of(run.job))
