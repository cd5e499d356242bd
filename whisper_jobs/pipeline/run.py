"""The page to read first: a worker claims the best step of its lane, runs its function, and stores how it ended."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable

from whisper_jobs import lifecycle
from whisper_jobs.errors import JobError
from whisper_jobs.models import Step
from whisper_jobs.moves import Fenced
from whisper_jobs.pipeline.assemble import assemble
from whisper_jobs.pipeline.decode import decode
from whisper_jobs.pipeline.diarize import diarize
from whisper_jobs.pipeline.enrich import analyse, translate
from whisper_jobs.pipeline.fetch import fetch
from whisper_jobs.pipeline.heart import Heart, Watch
from whisper_jobs.pipeline.prepare import prepare
from whisper_jobs.pipeline.refill import refill
from whisper_jobs.pipeline.rehearse import rehearse
from whisper_jobs.pipeline.transcribe import transcribe
from whisper_jobs.runs import Run
from whisper_jobs.states import Kind

log = logging.getLogger(__name__)

STEPS: dict[str, Callable[[Run, Watch], None]] = {
    Kind.PREPARE: prepare,
    Kind.FETCH: fetch,
    Kind.DECODE: decode,
    Kind.WINDOW: transcribe,
    Kind.DIARIZE: diarize,
    Kind.ASSEMBLE: assemble,
    Kind.REFILL: refill,
    Kind.ANALYSE: analyse,
    Kind.TRANSLATE: translate,
    Kind.REHEARSE: rehearse,
}


def work_once(lane: str, heart: Heart) -> bool:
    """Does one step of the lane; False when there was none."""
    step = lifecycle.claim(lane, heart.process.name)
    if step is None:
        return False
    _work(step, heart)
    # Whoever has heard the last of the words also puts them together: that takes less than to wake somebody else for it.
    last = lifecycle.claim_assembly(step) if step.kind == Kind.WINDOW else None
    if last is not None:
        _work(last, heart)
    return True


def _work(step: Step, heart: Heart) -> None:
    run = lifecycle.begin(step)
    if run is not None:
        with heart.watching(run) as watch:
            _perform(run, watch)


def _perform(run: Run, watch: Watch) -> None:
    try:
        _attempt(run, watch)
    except Fenced:
        log.info("%s was taken over or deleted; its result is dropped", run.step)


def _attempt(run: Run, watch: Watch) -> None:
    """Runs the step's function. However it ends, the end is stored; Fenced passes through."""
    try:
        STEPS[run.step.kind](run, watch)
    except Fenced:
        raise
    except JobError as error:
        _ended_with(run, watch, error)
    except MemoryError:
        lifecycle.fail(run, JobError("out_of_memory"))
    except OSError as error:
        log.exception("%s failed", run.step)
        lifecycle.fail(run, _of_the_system(error))
    except Exception:
        log.exception("%s failed", run.step)
        lifecycle.fail(run, JobError("internal_error", retry=True))


def _ended_with(run: Run, watch: Watch, error: JobError) -> None:
    if watch.timed_out:
        lifecycle.fail(run, JobError("timeout"))
    elif watch.stopping():
        lifecycle.hand_back(run)
    else:
        lifecycle.fail(run, error)


def _of_the_system(error: OSError) -> JobError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return JobError(
            "internal_error",
            "The server's disk is full. An administrator must make room; then restart the job.",
            retry=True,
        )
    return JobError("internal_error", retry=True)
