"""Tells the speakers apart: the original is decoded once more, and the segments get the names of who says them.

Optional: when it can't be done the job has its words all the same, and a sentence that says why.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from django.conf import settings

from whisper_jobs import diarization, lifecycle, segment_rows
from whisper_jobs.models import Job, Segment, Step
from whisper_jobs.pipeline import models, original
from whisper_jobs.pipeline.heart import Watch
from whisper_jobs.runs import Run
from whisper_jobs.speech.diarizers import choose
from whisper_jobs.speech.diarizers.assign import Parts, assign
from whisper_jobs.speech.diarizers.base import Diarization, Diarizer, Hints, Span, Turn, Unavailable
from whisper_jobs.states import Kind

REPORT_SECONDS = 1.0
#: A voice can't be told from another by less speech than this.
LEAST_SPEECH_SECONDS = 1.0


def diarize(run: Run, watch: Watch) -> None:
    speech = _speech(run.job)
    if sum(end - start for start, end in speech) < LEAST_SPEECH_SECONDS:
        _finish_without(run, "There is too little speech to tell speakers apart.")
        return
    try:
        with choose.using(models.folders(), threads=settings.TOOLS.speech_threads) as choice:
            lifecycle.note(run, choice.reason)
            found = _listen(run, watch, choice.diarizer, speech)
    except Unavailable as error:
        _finish_without(run, str(error))
        return
    if not found.turns:
        _finish_without(run, "No voice was clear enough to tell who speaks.")
        return
    diarization.finish_diarize(
        run, method=choice.diarizer.name, reason=_told(found), turns=found.turns, parts=_parts(run.job, found.turns)
    )


def _finish_without(run: Run, reason: str) -> None:
    diarization.finish_diarize(run, method="", reason=reason, turns=(), parts={})


def _told(found: Diarization) -> str:
    return f"{len(found.voices)} speakers were told apart." if len(found.voices) > 1 else "Only one speaker was heard."


def _speech(job: Job) -> list[Span]:
    """The spans of the voice detector, in order."""
    windows = Step.objects.filter(job=job, kind=Kind.WINDOW).values_list("speech", flat=True)
    return sorted((start, end) for spans in windows for start, end in spans)


def _listen(run: Run, watch: Watch, diarizer: Diarizer, speech: Sequence[Span]) -> Diarization:
    job = run.job
    hints = Hints(speech, job.min_speakers, job.max_speakers, should_stop=watch.stopping, progress=_Reporter(run))
    with original.decoded(run, watch) as sound:
        found = diarizer.diarize(sound, hints)
    watch.check()
    return found


def _parts(job: Job, turns: Sequence[Turn]) -> dict[int, Parts]:
    rows = list(Segment.objects.filter(job=job).order_by("start", "id"))
    parts = assign([segment_rows.spoken(row) for row in rows], turns)
    return {row.pk: each for row, each in zip(rows, parts, strict=True)}


class _Reporter:
    """Stores now and then how far it is."""

    def __init__(self, run: Run) -> None:
        self._run, self._next = run, 0.0

    def __call__(self, share: float) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + REPORT_SECONDS
        lifecycle.report(self._run, share, f"{share:.0%} of the recording")
