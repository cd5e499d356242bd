"""Verbs for who speaks when: the result of the step, and asking for it once more. Each is one transaction, as in lifecycle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from whisper_jobs import asking, correction_rows, recognition, speaker_rows, versions
from whisper_jobs.models import Diarization, DiarizationState, Job, Segment
from whisper_jobs.models.correction import CorrectionKind
from whisper_jobs.moves import requeue
from whisper_jobs.pen import Edit, editing
from whisper_jobs.recognition import Voices
from whisper_jobs.runs import Run, finishing
from whisper_jobs.segment_rows import spoken
from whisper_jobs.speech.diarizers.assign import assign
from whisper_jobs.states import Kind
from whisper_jobs.versions import Speakers

if TYPE_CHECKING:
    from whisper_jobs.speech.diarizers.base import Turn
    from whisper_jobs.speech.transcript import Segment as Spoken

Parts = Mapping[int, "Sequence[Spoken]"]


def finish_diarize(
    run: Run,
    *,
    method: str,
    reason: str,
    turns: Sequence[Turn],
    parts: Parts,
    found: Voices | None = None,
) -> None:
    """Stores who speaks. `parts`: segment id → the segment, cut where the speaker changes, each part with its speaker.

    Without turns there are no new speakers, and `reason` says why. Words that people have corrected stay as they are, and
    names that they have given go on to the same voices; `found` names those of the others who are enrolled.
    """
    with finishing(run) as edit:
        if turns:
            past = correction_rows.past_of(edit.job)
            parts = _as_now(edit.job, parts, turns) if past else parts
            speakers = _recognised(edit, _speakers(turns), parts, found or Voices())
            speaker_rows.store(
                edit.job,
                state=DiarizationState.DONE,
                method=method,
                reason=reason,
                turns=[[round(turn.start, 3), round(turn.end, 3), turn.speaker] for turn in turns],
                speakers=speakers,
                finished_at=edit.now,
            )
            speaker_rows.name_segments(edit.job, parts, revision=edit.revision)
            correction_rows.record_rewriting(edit, past, CorrectionKind.DIARIZE)
        else:
            speaker_rows.mark_without(edit.job, DiarizationState.SKIPPED, reason, at=edit.now)
        edit.log(reason)
        edit.show_rewritten()
        if edit.job.is_terminal:
            requeue(edit, Kind.ASSEMBLE)


def _speakers(turns: Sequence[Turn]) -> Speakers:
    seconds: dict[str, float] = {}
    for turn in turns:
        seconds[turn.speaker] = seconds.get(turn.speaker, 0.0) + turn.end - turn.start
    return [{"label": label, "name": None, "seconds": round(spoken, 3)} for label, spoken in seconds.items()]


def _as_now(job: Job, parts: Parts, turns: Sequence[Turn]) -> Parts:
    """What people have changed since the step read the segments is cut anew."""
    rows = Segment.objects.filter(job=job).order_by("start", "id")
    now = {row.pk: spoken(row) for row in rows}
    stale = [pk for pk, one in now.items() if not _are_of(one, parts.get(pk, ()))]
    anew = dict(zip(stale, assign([now[pk] for pk in stale], turns), strict=True))
    return {pk: anew.get(pk) or parts[pk] for pk in now}


def _are_of(one: Spoken, parts: Sequence[Spoken]) -> bool:
    if not parts or (parts[0].start, parts[-1].end) != (one.start, one.end):
        return False
    words = tuple(word for part in parts for word in part.words)
    return words == one.words and (bool(words) or parts[0].text == one.text)


def _recognised(edit: Edit, speakers: Speakers, parts: Parts, found: Voices) -> Speakers:
    """With what people have said of those of before; the others are recognised where they are enrolled."""
    job = edit.job
    given = {one["label"]: recognition.lasting(one) for one in versions.speakers_of(job.pk)}
    denied = recognition.denied_in(job)
    told = {label for label, one in given.items() if one["name"] or "colour" in one or "link" in one or label in denied}
    heirs = _heirs(job, parts, told) if told else {}
    kept = [_with_name(one, given.get(heirs.get(one["label"], ""))) for one in speakers]
    refused = {heir: denied[before] for heir, before in heirs.items() if before in denied}
    recognised = recognition.recognise(job, kept, found, denied=refused)
    if recognised.told:
        edit.log(recognised.told)
    return recognised.speakers


def _heirs(job: Job, parts: Parts, labels: Collection[str]) -> dict[str, str]:
    """Label now → label of before: each of those goes to whom most of what its speaker had said is now ascribed to."""
    said = Segment.objects.filter(job=job, speaker__in=labels).values_list("pk", "speaker")
    shared: Counter[tuple[str, str]] = Counter()
    for pk, label in said:
        for part in parts.get(pk, ()):
            shared[label, part.speaker or ""] += round(1000 * (part.end - part.start))
    heirs: dict[str, str] = {}
    for (before, after), _length in shared.most_common():
        if before not in heirs.values() and after not in heirs:
            heirs[after] = before
    return heirs


def _with_name(one: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    kept = ("name", "colour", "link")
    return {**one, **{name: value for name, value in (before or {}).items() if name in kept}}


def request_diarization(job_id: int, *, min_speakers: int | None, max_speakers: int | None) -> Job:
    """Tells the speakers of a completed job apart, or does so once more, with what is known of their number.

    Raises NotAllowed while there is no transcript, and while it is being done.
    """
    with editing(job_id) as edit:
        job = edit.job
        asking.demand_transcript(job)
        asking.demand_sound(job)
        asking.queue(edit, Kind.DIARIZE, 0)
        job.disable_diarization, job.min_speakers, job.max_speakers = False, min_speakers, max_speakers
        Diarization.objects.update_or_create(job=job, defaults={"state": DiarizationState.PENDING})
        edit.log("Telling speakers apart was asked for.")
    return job
