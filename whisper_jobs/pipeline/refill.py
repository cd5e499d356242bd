"""Hears the gaps of a finished transcript again: their sound comes from the original, their words go among the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from whisper_jobs import gaps
from whisper_jobs.models import Diarization, Job
from whisper_jobs.pipeline import backends, models, original, relay
from whisper_jobs.pipeline.heart import Watch
from whisper_jobs.pipeline.transcribe import options_of
from whisper_jobs.runs import Run
from whisper_jobs.speech import guards
from whisper_jobs.speech.diarizers.assign import assign
from whisper_jobs.speech.diarizers.base import Span, Turn
from whisper_jobs.speech.transcript import Segment, Word
from whisper_jobs.speech.windows import Window, as_floats, cut_spans


def refill(run: Run, watch: Watch) -> None:
    """What an earlier attempt stored is not heard again: `start_seconds` tells how far it came."""
    backends.demand_still_allowed(run.job)
    turns = _turns(run.job)
    with models.using(run.job.engine, run.job.model) as engine, original.decoded(run, watch) as sound:
        for window in cut_spans(sound, _left(run)):
            speech = [(start - window.start, end - window.start) for start, end in window.speech]
            options = options_of(run, watch)
            with relay.noticing(run.job.backend):
                [result] = guards.guarded(engine, [as_floats(window.samples)], options, speech=[speech])
            watch.check()
            heard = _inside([segment.shifted(window.start) for segment in result.segments], window)
            parts = assign(list(heard), turns)
            gaps.add_filled(run, [part for each in parts for part in each], until=window.speech[-1][1])
    gaps.finish_refill(run)


def _left(run: Run) -> list[Span]:
    begun = run.step.start_seconds
    return [(max(start, begun), end) for start, end in run.step.speech if end > begun]


def _inside(segments: Iterable[Segment], window: Window) -> Iterator[Segment]:
    """The words whose middle is in the gap, of an engine without words the segments: what stands beside it was written."""
    first, last = window.speech[0][0], window.speech[-1][1]

    def is_inside(each: Segment | Word) -> bool:
        return first <= (each.start + each.end) / 2 <= last

    for segment in segments:
        words = tuple(filter(is_inside, segment.words))
        if len(words) < len(segment.words):
            yield from [segment.of_words(words)] if words else []
        elif words or is_inside(segment):
            yield segment


def _turns(job: Job) -> list[Turn]:
    row = Diarization.objects.filter(job=job).first()
    return [Turn(start, end, label) for start, end, label in row.turns] if row else []
