"""One window through the engine: at most 30 s of sound in, segments with the recording's times out."""

from __future__ import annotations

import contextlib
import wave

import numpy as np
import numpy.typing as npt
from django.core.files.storage import default_storage

from whisper_jobs import lifecycle
from whisper_jobs.pipeline import models
from whisper_jobs.pipeline.heart import Watch
from whisper_jobs.runs import Run
from whisper_jobs.speech.engines.base import Options


def transcribe(run: Run, watch: Watch) -> None:
    job, step = run.job, run.step
    engine = models.engine_of(job.engine, job.model)
    options = Options(language=job.language or job.detected_language or None, should_stop=watch.stopping)
    result = engine.transcribe(_samples(step.audio), options)
    watch.check()
    lifecycle.finish_window(
        run, [segment.shifted(step.start_seconds) for segment in result.segments], language=result.language
    )
    # The segments are safe; a file that stays behind goes with the job's folder.
    with contextlib.suppress(OSError):
        default_storage.delete(step.audio)


def _samples(audio: str) -> npt.NDArray[np.float32]:
    with default_storage.open(audio) as file, wave.open(file) as sound:
        pcm = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
    return pcm.astype(np.float32) / 32768.0
