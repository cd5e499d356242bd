"""The rows of analyses and translations and the steps that fill them. Works on an Edit or row; opens no transaction."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from whisper_jobs.models import Analysis, EnrichmentState, Job, PromptTemplate, Step, Translation
from whisper_jobs.states import LANE_OF, Kind, StepState


def plan(job: Job, *, allowed: bool) -> None:
    """Makes the rows that a new job asks for, and a step for each; rows alone, as skipped, when its owner may not."""
    add(job, EnrichmentState.PENDING if allowed else EnrichmentState.SKIPPED)
    if allowed:
        targets = range(len(job.translation_target_languages))
        kinds = [(Kind.ANALYSE, 0)] * bool(job.analysis_language) + [(Kind.TRANSLATE, index) for index in targets]
        Step.objects.bulk_create([step_of(job, kind, index) for kind, index in kinds])


def add(job: Job, state: EnrichmentState) -> None:
    """The rows that a new job asks for; no steps."""
    if job.analysis_language:
        Analysis.objects.create(
            job=job,
            asked_by_id=job.owner_id,
            language=job.analysis_language,
            state=state,
            instruction=_instruction_of(job.owner_id),
        )
    Translation.objects.bulk_create(
        [
            Translation(job=job, asked_by_id=job.owner_id, language=language, index=index, state=state)
            for index, language in enumerate(job.translation_target_languages)
        ]
    )


def _instruction_of(owner_id: int) -> str:
    """That of the template which the owner has chosen for new recordings."""
    chosen = PromptTemplate.objects.filter(owner_id=owner_id, is_default=True).first()
    return chosen.instruction if chosen else ""


def step_of(job: Job, kind: Kind, index: int) -> Step:
    """A new step that waits for the words."""
    return Step(
        job=job,
        kind=kind,
        index=index,
        lane=LANE_OF[kind],
        owner_id=job.owner_id,
        priority=job.priority,
        state=StepState.HELD,
    )


def begin(step: Step) -> bool:
    """Tells that this step is at work; False when it was so before, and only goes on."""
    return bool(rows_of(step).exclude(state=EnrichmentState.RUNNING).update(state=EnrichmentState.RUNNING))


def mark(step: Step, state: EnrichmentState, **fields: Any) -> None:
    """Tells on the row of this step how far it is."""
    rows_of(step).update(state=state, **fields)


def rows_of(step: Step) -> QuerySet[Analysis] | QuerySet[Translation]:
    if step.kind == Kind.ANALYSE:
        return Analysis.objects.filter(job_id=step.job_id)
    return Translation.objects.filter(job_id=step.job_id, index=step.index)


def rest(job: Job) -> None:
    """Nothing is at work for a job that has ended without its words."""
    for rows in (Analysis.objects.filter(job=job), Translation.objects.filter(job=job)):
        rows.filter(state=EnrichmentState.RUNNING).update(state=EnrichmentState.PENDING)


def try_again(job: Job) -> None:
    """A restarted job tries once more what had failed."""
    for rows in (Analysis.objects.filter(job=job), Translation.objects.filter(job=job)):
        rows.filter(state=EnrichmentState.FAILED).update(state=EnrichmentState.PENDING, error="")
