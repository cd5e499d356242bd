"""Verbs for speech that has no words yet: asking for gaps to be heard again, and what that gives. Each is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from django.db.models import Max
from django.utils.translation import gettext as _

from whisper_jobs import asking, correction_rows, segment_rows, versions
from whisper_jobs.models import EnrichmentState, Job, Segment, Step, Transcript, Translation
from whisper_jobs.models.correction import CorrectionKind
from whisper_jobs.moves import requeue
from whisper_jobs.pen import editing
from whisper_jobs.runs import NotAllowed, Run, finishing, holding
from whisper_jobs.speech.coverage import coverage
from whisper_jobs.states import Kind

if TYPE_CHECKING:
    from whisper_jobs.speech.transcript import Segment as Spoken


def request_refill(job_id: int, *, start: float | None = None, end: float | None = None) -> Job:
    """Has the gaps of a completed job transcribed again: all of them, or those that begin from `start` to `end` (seconds).

    Raises NotAllowed while there is no transcript, when there is no such gap, and while it is being done.
    """
    with editing(job_id) as edit:
        asking.demand_transcript(edit.job)
        asking.demand_sound(edit.job)
        spans = _gaps(edit.job, start, end)
        if not spans:
            raise NotAllowed(_("There is no gap in this transcript to be transcribed again."))
        asking.queue(edit, Kind.REFILL, 0)
        refill = Step.objects.filter(job=edit.job, kind=Kind.REFILL)
        refill.update(speech=spans, start_seconds=spans[0][0], end_seconds=spans[-1][1])
        edit.log("Gaps are transcribed again.")
    return edit.job


def _gaps(job: Job, start: float | None, end: float | None) -> list[list[float]]:
    """What the transcript tells, less what has been heard since and is not yet put together: that would be said twice."""
    told = Transcript.objects.get(job=job).coverage.get("gaps", [])
    heard = Segment.objects.filter(job=job).values_list("start", "end")
    left = coverage([(gap["start"], gap["end"]) for gap in told], heard, None)["gaps"]
    first, last = start or 0.0, float("inf") if end is None else end
    return [[gap["start"], gap["end"]] for gap in left if first <= gap["start"] <= last]


def add_filled(run: Run, segments: Sequence[Spoken], *, until: float) -> None:
    """Stores what was heard up to the second `until`: a run that goes on after a crash begins there."""
    with holding(run) as edit:
        last = Segment.objects.filter(step=run.step).aggregate(last=Max("position"))["last"]
        first = 0 if last is None else last + 1
        said = _as_called_now(edit.job, segments)
        rows = [segment_rows.row(run.step, first + at, one, edit.revision) for at, one in enumerate(said)]
        Segment.objects.bulk_create(rows)
        correction_rows.record_added(edit, rows, CorrectionKind.REFILL)
        Step.objects.filter(pk=run.step.pk).update(start_seconds=until)


def _as_called_now(job: Job, segments: Sequence[Spoken]) -> list[Spoken]:
    """Of speakers that people have made one, the one that is left."""
    speakers = versions.speakers_of(job.pk)
    now = {label: one["label"] for one in speakers for label in one.get("also", ())}
    return [replace(one, speaker=now.get(one.speaker, one.speaker)) if one.speaker else one for one in segments]


def finish_refill(run: Run) -> None:
    with finishing(run) as edit:
        edit.log("The gaps have been transcribed again.")
        if Translation.objects.filter(job=edit.job, state=EnrichmentState.DONE).exists():
            # Not by themselves: that costs money, and a translation that fails would take a finished one's place.
            edit.log("The translations lack the new words. Translate again to add them.", "warning")
        requeue(edit, Kind.ASSEMBLE)
