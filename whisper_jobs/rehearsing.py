"""Verbs for jobs of the sandbox: the made-up end, and their removal. Each is one transaction, as in lifecycle."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from whisper_jobs import assembled, lifecycle, search, segment_rows, speaker_rows
from whisper_jobs.language_models import analysis_reading
from whisper_jobs.models import (
    Analysis,
    DiarizationState,
    EnrichmentState,
    Job,
    Segment,
    Step,
    Transcript,
    TranslatedSegment,
    Translation,
)
from whisper_jobs.pen import Edit, Gone
from whisper_jobs.runs import NotAllowed, Run, finishing
from whisper_jobs.sandbox import script_of
from whisper_jobs.speech import made_up
from whisper_jobs.speech.transcript import Segment as Spoken
from whisper_jobs.speech.transcript import join_text
from whisper_jobs.states import LANE_OF, Kind, StepState

#: Told as engine and model of what nobody has heard.
NAME = "sandbox"
KEPT = timedelta(days=7)
#: Segments in one message to those who watch, and in all of them together.
_PUSHED, _MOST_PUSHED = 200, 1000
_BATCH, _MOST_REAPED = 500, 500
_HEADINGS = {
    "key_points": "Key points",
    "decisions": "Decisions",
    "action_items": "Action items",
    "chapters": "Chapters",
}


def finish(run: Run) -> None:
    """Words, speakers and all that was asked for are made up, and the job goes on as one whose words are together.

    Nothing of it is charged, and nothing says how fast this server is.
    """
    with finishing(run) as edit:
        rows = _say(edit, run.step)
        _name_speakers(edit, rows)
        _enrich(edit, rows)
        told = assembled.texts_of(edit.job)
        Transcript.objects.update_or_create(job=edit.job, defaults=told)
        _count_as_assembled(edit.job)
        search.reindex(edit.job)
        edit.log("The transcript is made up: this is a job of the sandbox.")
        _show(edit, rows)


def _say(edit: Edit, step: Step) -> list[Segment]:
    job, count = edit.job, script_of(edit.job.sandbox or {}).segments
    spoken = list(made_up.segments(count, with_speakers=not job.disable_diarization))
    rows = [segment_rows.row(step, place, one, edit.revision) for place, one in enumerate(spoken)]
    Segment.objects.bulk_create(rows, batch_size=_BATCH)
    # What has words counts as speech, so that nothing is missing.
    Step.objects.filter(pk=step.pk).update(speech=[[one.start, one.end] for one in spoken])
    seconds = made_up.duration_seconds(count)
    job.decoded_at, job.source_duration_seconds = edit.now, seconds
    job.speech_seconds = round(sum(one.end - one.start for one in spoken), 3)
    job.windows_total = job.windows_done = 1
    job.window_seconds_total = job.window_seconds_done = seconds
    job.detected_language, job.language_probability = job.language or "en", 1.0
    job.engine = job.model = NAME
    return rows


def _name_speakers(edit: Edit, rows: Sequence[Segment]) -> None:
    if edit.job.disable_diarization:
        return
    seconds = dict.fromkeys((row.speaker for row in rows), 0.0)
    for row in rows:
        seconds[row.speaker] += row.end - row.start
    speaker_rows.store(
        edit.job,
        state=DiarizationState.DONE,
        method=NAME,
        reason="The speakers are made up: this is a job of the sandbox.",
        turns=[[row.start, row.end, row.speaker] for row in rows],
        speakers=[{"label": label, "name": None, "seconds": round(said, 3)} for label, said in seconds.items()],
        finished_at=edit.now,
    )


def _enrich(edit: Edit, rows: Sequence[Segment]) -> None:
    """Of no language model, so nobody needs a permission for it."""
    done = {"state": EnrichmentState.DONE, "model": NAME, "error": "", "finished_at": edit.now}
    data = made_up.analysis()
    text = analysis_reading.render(analysis_reading.Reading(data), _HEADINGS)
    Analysis.objects.filter(job=edit.job).update(**done, text=text, data=data)
    for row in Translation.objects.filter(job=edit.job):
        Translation.objects.filter(pk=row.pk).update(**done, text=_translate(row, rows))


def _translate(translation: Translation, rows: Sequence[Segment]) -> str:
    """The whole text."""
    texts = [made_up.translated(row.text, translation.language) for row in rows]
    pairs = list(zip(rows, texts, strict=True))
    made = [TranslatedSegment(translation=translation, segment=row, text=text) for row, text in pairs]
    TranslatedSegment.objects.bulk_create(made, batch_size=_BATCH)
    return join_text(Spoken(row.start, row.end, text, speaker=row.speaker) for row, text in pairs)


def _show(edit: Edit, rows: Sequence[Segment]) -> None:
    """In messages of the usual size. Too many to be pushed are read by who watches."""
    for first in range(0, len(rows) if len(rows) <= _MOST_PUSHED else 0, _PUSHED):
        edit.show_segments(0, list(rows[first : first + _PUSHED]))
    edit.show_rewritten()


def _count_as_assembled(job: Job) -> None:
    """From here on it is as any other job whose words are together: it completes, or waits for an approval."""
    Step.objects.create(
        job=job,
        kind=Kind.ASSEMBLE,
        lane=LANE_OF[Kind.ASSEMBLE],
        owner_id=job.owner_id,
        priority=job.priority,
        state=StepState.DONE,
        finished_at=timezone.now(),
    )


# --- their removal --------------------------------------------------------------------------------


def reap() -> int:
    """Deletes jobs of the sandbox that are older than KEPT, also those that never end. Returns how many."""
    old = Job.objects.filter(sandbox__isnull=False, created_at__lte=timezone.now() - KEPT).order_by("pk")
    return sum(_reaped(job_id) for job_id in old.values_list("pk", flat=True)[:_MOST_REAPED])


def _reaped(job_id: int) -> bool:
    """False when somebody deleted it meanwhile, or its step is at work: then the next round does it."""
    try:
        with transaction.atomic():
            if not Job.objects.get(pk=job_id).is_terminal:
                lifecycle.request_cancel(job_id)
            lifecycle.delete(job_id)
    except (Gone, Job.DoesNotExist, NotAllowed):
        return False
    return True
