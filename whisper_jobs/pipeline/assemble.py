"""Last step: the text from the segments, and how much of the speech it covers."""

from __future__ import annotations

from typing import Any

from whisper_jobs import lifecycle, results
from whisper_jobs.models import Segment, Step
from whisper_jobs.pipeline.heart import Watch
from whisper_jobs.runs import Run
from whisper_jobs.speech.coverage import coverage
from whisper_jobs.speech.speakers import speaker_aware_text
from whisper_jobs.speech.transcript import join_text
from whisper_jobs.states import Kind


def assemble(run: Run, watch: Watch) -> None:
    lifecycle.finish_assemble(
        run,
        text=join_text(results.segments_of(run.job)),
        speaker_text=speaker_aware_text(results.segments_of(run.job)),
        coverage=_coverage(run),
    )


def _coverage(run: Run) -> dict[str, Any]:
    windows = Step.objects.filter(job=run.job, kind=Kind.WINDOW).order_by("index")
    speech = [(start, end) for spans in windows.values_list("speech", flat=True) for start, end in spans]
    heard = Segment.objects.filter(job=run.job).order_by("start").values_list("start", "end")
    return dict(coverage(speech, list(heard), run.job.source_duration_seconds))
