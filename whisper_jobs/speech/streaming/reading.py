"""Has an engine read a captioner's work: whole utterances with the guards, as a job's windows are; the rest fast and rough."""

from __future__ import annotations

from dataclasses import replace

from whisper_jobs.speech.engines.base import Engine, Options, Result
from whisper_jobs.speech.guards import guarded
from whisper_jobs.speech.streaming.heard import Work


def read(engine: Engine, work: Work, options: Options) -> Result:
    """Raises JobError as the engine does."""
    if work.is_final:
        speech = [(start - work.start, end - work.start) for start, end in work.speech]
        return guarded(engine, [work.samples], options, speech=[speech])[0]
    return engine.transcribe([work.samples], replace(options, word_times=False))[0]
