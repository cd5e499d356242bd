"""Tells the speakers apart: the original is decoded once more, and the segments get the names of who says them.

Optional: when it can't be done the job has its words all the same, and a sentence that says why.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

from django.conf import settings

from whisper_jobs import diarization, lifecycle, recognition, segment_rows
from whisper_jobs.models import Job, Segment, Step
from whisper_jobs.pipeline import known, models, original
from whisper_jobs.pipeline.heart import Watch
from whisper_jobs.runs import Run
from whisper_jobs.speech.diarizers import choose
from whisper_jobs.speech.diarizers.assign import Parts, assign
from whisper_jobs.speech.diarizers.base import Diarization, Diarizer, Hints, Pcm, Span, Turn, Unavailable
from whisper_jobs.speech.diarizers.bundled import ENCODER
from whisper_jobs.speech.overheard import HeardVoice, Overheard
from whisper_jobs.states import Kind

log = logging.getLogger(__name__)
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
            found, heard = _listen(run, watch, choice.diarizer, speech)
    except Unavailable as error:
        _finish_without(run, str(error))
        return
    if not found.turns:
        _finish_without(run, "No voice was clear enough to tell who speaks.")
        return
    diarization.finish_diarize(
        run,
        method=choice.diarizer.name,
        reason=_told(found),
        turns=found.turns,
        parts=_parts(run.job, found.turns),
        found=recognition.Voices(heard, recognition.book_for(run.job.owner), known.names(run, watch, heard)),
    )


def _finish_without(run: Run, reason: str) -> None:
    diarization.finish_diarize(run, method="", reason=reason, turns=(), parts={})


def _told(found: Diarization) -> str:
    return f"{len(found.voices)} speakers were told apart." if len(found.voices) > 1 else "Only one speaker was heard."


def _speech(job: Job) -> list[Span]:
    """The spans of the voice detector, in order."""
    windows = Step.objects.filter(job=job, kind=Kind.WINDOW).values_list("speech", flat=True)
    return sorted((start, end) for spans in windows for start, end in spans)


def _listen(
    run: Run, watch: Watch, diarizer: Diarizer, speech: Sequence[Span]
) -> tuple[Diarization, Mapping[str, HeardVoice]]:
    job = run.job
    hints = Hints(speech, job.min_speakers, job.max_speakers, should_stop=watch.stopping, progress=_Reporter(run))
    has_voices = diarizer.encoder == ENCODER
    along = _Along(() if has_voices else speech)
    with original.decoded(run, watch) as sound:
        found = diarizer.diarize(sound if has_voices else along.passing(sound), hints)
    watch.check()
    return found, _own_voices(found) if has_voices else along.voices(found.turns)


def _own_voices(found: Diarization) -> dict[str, HeardVoice]:
    seconds: dict[str, float] = {}
    for turn in found.turns:
        seconds[turn.speaker] = seconds.get(turn.speaker, 0.0) + turn.end - turn.start
    return {label: HeardVoice(vector, seconds[label]) for label, vector in found.voices.items() if label in seconds}


class _Along:
    """Hears the voices of what a diarizer listens to. When that fails there are none, and the diarizer hears on."""

    def __init__(self, speech: Sequence[Span]) -> None:
        self._heard: Overheard | None = Overheard(speech)

    def passing(self, sound: Iterable[Pcm]) -> Iterator[Pcm]:
        for samples in sound:
            if self._heard:
                self._feed(self._heard, samples)
            yield samples

    def _feed(self, heard: Overheard, samples: Pcm) -> None:
        try:
            heard.feed(samples)
        except Exception:
            log.exception("the voices of a recording could not be heard")
            self._heard = None

    def voices(self, turns: Sequence[Turn]) -> dict[str, HeardVoice]:
        return self._heard.voices(turns) if self._heard else {}


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
