"""Verbs for who speaks when: the result of the step, and asking for it once more. Each is one transaction, as in lifecycle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from whisper_jobs import asking, speaker_rows
from whisper_jobs.models import Diarization, DiarizationState, Job
from whisper_jobs.moves import requeue
from whisper_jobs.pen import editing
from whisper_jobs.runs import Run, finishing
from whisper_jobs.states import Kind

if TYPE_CHECKING:
    from whisper_jobs.speech.diarizers.base import Turn
    from whisper_jobs.speech.transcript import Segment as Spoken


def finish_diarize(
    run: Run,
    *,
    method: str,
    reason: str,
    turns: Sequence[Turn],
    parts: Mapping[int, Sequence[Spoken]],
) -> None:
    """Stores who speaks. `parts`: segment id → the segment, cut where the speaker changes, each part with its speaker.

    Without turns there are no new speakers, and `reason` says why.
    """
    with finishing(run) as edit:
        if turns:
            speaker_rows.store(
                edit.job,
                state=DiarizationState.DONE,
                method=method,
                reason=reason,
                turns=[[round(turn.start, 3), round(turn.end, 3), turn.speaker] for turn in turns],
                speakers=_speakers(turns),
                finished_at=edit.now,
            )
            speaker_rows.name_segments(edit.job, parts, revision=edit.revision)
        else:
            speaker_rows.mark_without(edit.job, DiarizationState.SKIPPED, reason, at=edit.now)
        edit.log(reason)
        edit.show_rewritten()
        if edit.job.is_terminal:
            requeue(edit, Kind.ASSEMBLE)


def _speakers(turns: Sequence[Turn]) -> list[dict[str, object]]:
    seconds: dict[str, float] = {}
    for turn in turns:
        seconds[turn.speaker] = seconds.get(turn.speaker, 0.0) + turn.end - turn.start
    return [{"label": label, "name": None, "seconds": round(spoken, 3)} for label, spoken in seconds.items()]


def request_diarization(job_id: int, *, min_speakers: int | None, max_speakers: int | None) -> Job:
    """Tells the speakers of a completed job apart, or does so once more, with what is known of their number.

    Raises NotAllowed while there is no transcript, and while it is being done.
    """
    with editing(job_id) as edit:
        job = edit.job
        asking.demand_transcript(job)
        asking.queue(edit, Kind.DIARIZE, 0)
        job.disable_diarization, job.min_speakers, job.max_speakers = False, min_speakers, max_speakers
        Diarization.objects.update_or_create(job=job, defaults={"state": DiarizationState.PENDING})
        edit.log("Telling speakers apart was asked for.")
    return job
