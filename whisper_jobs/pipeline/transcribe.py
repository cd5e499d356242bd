"""Windows through the engine: at most 30 s of sound each in, segments with the recording's times out.

A worker has claimed one window; where the engine takes several at once, it claims further ones of the same recording. Each is
stored by itself, so that a crash loses no more than what was being heard.
"""

from __future__ import annotations

import contextlib
import wave
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from django.core.files.storage import default_storage

from whisper_jobs import lifecycle
from whisper_jobs.models import Step, Task
from whisper_jobs.moves import Fenced
from whisper_jobs.pipeline import backends, models, relay
from whisper_jobs.pipeline.heart import Watch
from whisper_jobs.runs import Run
from whisper_jobs.speech.engines.base import Options, Result
from whisper_jobs.speech.guards import Span, guarded


def transcribe(run: Run, watch: Watch) -> None:
    """Raises JobError, and Fenced when the run lost its claim; companions that lost theirs are passed over."""
    backends.demand_still_allowed(run.job)
    with models.using(run.job.engine, run.job.model) as engine, relay.noticing(run.job.backend):
        companions = lifecycle.claim_companions(run, engine.batch - 1)
        watch.companions = [one.run_id for one in companions]
        # Each of them may take as long as one alone.
        watch.deadline += len(companions) * (watch.deadline - watch.began)
        runs = [run, *companions]
        try:
            windows = [_samples(one.step.audio) for one in runs]
            speech = [_speech(one.step) for one in runs]
            results = guarded(engine, windows, options_of(run, watch), speech=speech)
            watch.check()
        except BaseException:
            _let_go(companions)
            raise
    _store(runs, results)


def options_of(run: Run, watch: Watch) -> Options:
    """What the engine is told of the job."""
    job = run.job
    return Options(
        language=job.language or job.detected_language or None,
        task="translate" if job.task == Task.TRANSLATE else "transcribe",
        initial_prompt=job.initial_prompt,
        hotwords=tuple(job.hotwords),
        temperatures=None if job.temperature is None else (job.temperature,),
        should_stop=watch.stopping,
        tell=lambda sentence: lifecycle.note(run, sentence, "warning"),
    )


def _samples(audio: str) -> npt.NDArray[np.float32]:
    with default_storage.open(audio) as file, wave.open(file) as sound:
        pcm = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
    return pcm.astype(np.float32) / 32768.0


def _speech(step: Step) -> list[Span]:
    """The detector's spans on the window's clock."""
    return [(start - step.start_seconds, end - step.start_seconds) for start, end in step.speech]


def _let_go(companions: Sequence[Run]) -> None:
    """They did not fail by themselves, so that no attempt of theirs counts."""
    for run in companions:
        with contextlib.suppress(Fenced):
            lifecycle.hand_back(run)


def _store(runs: Sequence[Run], results: Sequence[Result]) -> None:
    """Whoever lost its claim is fenced by itself; the first run's loss is told."""
    lost: Fenced | None = None
    for run, result in zip(runs, results, strict=True):
        try:
            _finish(run, result, together=len(runs))
        except Fenced as fenced:
            lost = fenced if run is runs[0] else lost
    if lost is not None:
        raise lost


def _finish(run: Run, result: Result, *, together: int) -> None:
    step = run.step
    lifecycle.finish_window(
        run,
        [segment.shifted(step.start_seconds) for segment in result.segments],
        language=result.language,
        language_probability=result.language_probability,
        together=together,
    )
    # The segments are safe; a file that stays behind goes with the job's folder.
    with contextlib.suppress(OSError):
        default_storage.delete(step.audio)
