"""First step, on the machine that will transcribe: which engine and model it is going to be, and are the weights there."""

from __future__ import annotations

import time

from whisper_jobs import lifecycle
from whisper_jobs.pipeline import backends, models
from whisper_jobs.pipeline.heart import Watch
from whisper_jobs.runs import Run

MB = 1 << 20
REPORT_SECONDS = 2.0


def prepare(run: Run, watch: Watch) -> None:
    chosen = backends.choose(run.job, on_progress=models.stopping_progress(watch.stopping, _Reporter(run)))
    choice = chosen.choice
    lifecycle.finish_prepare(
        run,
        backend=chosen.backend,
        engine=choice.engine,
        model=choice.model,
        quality=choice.quality,
        reason=choice.reason,
    )


class _Reporter:
    """Says now and then how far the download of weights is."""

    def __init__(self, run: Run) -> None:
        self._run, self._next = run, 0.0

    def __call__(self, done: int, total: int | None) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + REPORT_SECONDS
        of = f" of {total // MB} MB" if total else " MB"
        lifecycle.report(self._run, 0.0, f"Downloading the model: {done // MB}{of}")
