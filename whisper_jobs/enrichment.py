"""Verbs for what a language model adds: results of its steps, and asking for one more. Each is one transaction, as in lifecycle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Max

from accounts.models import User
from whisper_jobs import asking, enrich_rows
from whisper_jobs.models import Analysis, EnrichmentState, Job, Segment, Step, TranslatedSegment, Translation
from whisper_jobs.pen import editing
from whisper_jobs.runs import Run, finishing, holding
from whisper_jobs.states import Kind


@dataclass(frozen=True, slots=True)
class Cost:
    """Tokens that calls of a language model have used."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """A finished analysis: `text` to be read, `data` what could be read out of it (see models.Analysis)."""

    text: str
    model: str
    data: Mapping[str, Any] = field(default_factory=dict)


def spend(run: Run, cost: Cost) -> None:
    """Records the tokens of a call the moment it has answered: they are spent, whatever becomes of the step."""
    with holding(run):
        enrich_rows.rows_of(run.step).update(
            prompt_tokens=F("prompt_tokens") + cost.prompt_tokens,
            completion_tokens=F("completion_tokens") + cost.completion_tokens,
        )


def keep_note(run: Run, key: str, text: str) -> None:
    """Keeps the answer about a part of a long transcript, so that no other attempt asks for it again."""
    with holding(run) as edit:
        row = Analysis.objects.select_for_update().get(job=edit.job)
        notes = {**row.notes, key: text}
        Analysis.objects.filter(job=edit.job).update(notes=notes)
        edit.job.stage_detail = f"Analysing: {len(notes)} parts are read"
        _got_on(run)


def _got_on(run: Run) -> None:
    """What failed before this attempt counts no more: it has got further."""
    run.step.attempts = run.step.losses + 1
    Step.objects.filter(pk=run.step.pk, run_id=run.run_id).update(attempts=F("losses") + 1)


def finish_analysis(run: Run, finding: Finding) -> None:
    """Stores the analysis in place of the one before."""
    with finishing(run) as edit:
        enrich_rows.mark(
            run.step,
            EnrichmentState.DONE,
            text=finding.text,
            data=dict(finding.data),
            model=finding.model,
            notes={},
            error="",
            finished_at=edit.now,
        )
        edit.log("The analysis is done.")


def add_translated(run: Run, texts: Mapping[int, str], *, total: int) -> None:
    """Stores a batch: segment id → its text in the other language. A batch that is stored is not asked for again."""
    with holding(run) as edit:
        translation = Translation.objects.get(job=edit.job, index=run.step.index)
        # Somebody may have taken a segment away since it was sent to be translated.
        there = Segment.objects.filter(job=edit.job, pk__in=list(texts)).values_list("pk", flat=True)
        rows = [TranslatedSegment(translation=translation, segment_id=pk, text=texts[pk]) for pk in there]
        TranslatedSegment.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["translation", "segment"], update_fields=["text"]
        )
        done = TranslatedSegment.objects.filter(translation=translation).count()
        edit.job.stage_detail = f"Translating to {translation.language}: {done} of {total} segments"
        _got_on(run)


def finish_translation(run: Run, *, text: str, model: str) -> None:
    with finishing(run) as edit:
        enrich_rows.mark(run.step, EnrichmentState.DONE, text=text, model=model, error="", finished_at=edit.now)
        edit.log("A translation is done.")


# --- what users ask for ---------------------------------------------------------------------------


def request_analysis(job_id: int, *, asked_by: User, language: str, instruction: str = "") -> Job:
    """Analyses a completed transcript, or does so once more; the old analysis is shown until the new one is there.

    Raises NotAllowed while there is no transcript, and while one is being made.
    """
    with editing(job_id) as edit:
        asking.demand_transcript(edit.job)
        asked = {"asked_by": asked_by, "language": language, "instruction": instruction}
        Analysis.objects.get_or_create(job=edit.job, defaults=asked)
        asking.queue(edit, Kind.ANALYSE, 0)
        fresh = {**asked, "state": EnrichmentState.PENDING, "error": ""}
        Analysis.objects.filter(job=edit.job).update(**fresh)
        edit.log("An analysis was asked for.")
    return edit.job


def request_translation(job_id: int, *, asked_by: User, language: str) -> Job:
    """Translates a completed transcript; one that is there is made anew, one that failed goes on where it stopped.

    Raises NotAllowed, as request_analysis.
    """
    with editing(job_id) as edit:
        asking.demand_transcript(edit.job)
        row = _translation(edit.job, language)
        asking.queue(edit, Kind.TRANSLATE, row.index)
        if row.state == EnrichmentState.DONE:
            TranslatedSegment.objects.filter(translation=row).delete()
        Translation.objects.filter(pk=row.pk).update(asked_by=asked_by, state=EnrichmentState.PENDING, error="")
        edit.log("A translation was asked for.")
    return edit.job


def _translation(job: Job, language: str) -> Translation:
    last = Translation.objects.filter(job=job).aggregate(index=Max("index"))["index"]
    index = 0 if last is None else last + 1
    return Translation.objects.get_or_create(job=job, language=language, defaults={"index": index})[0]
