"""The log of corrections and the rows it tells of: stored, put back, recorded. Works on rows; opens no transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db.models import Max

from accounts.models import User
from whisper_jobs import recognition, search, segment_rows
from whisper_jobs.models import (
    Correction,
    Diarization,
    DiarizationState,
    Job,
    Segment,
    Transcript,
    TranslatedSegment,
    Translation,
)
from whisper_jobs.pen import Edit
from whisper_jobs.segment_rows import Snapshot
from whisper_jobs.versions import Speakers, speakers_of

_BATCH = 500
_STORED = [
    "start", "end", "text", "words", "speaker", "probability", "suspect", "decoding", "checked", "revision",
]  # fmt: skip
#: What of a segment the search finds it by, and what the texts of a transcript are made of.
_FOUND_BY = ("start", "end", "text")
_READ = (*_FOUND_BY, "speaker", "translated")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the log to be: what was there and what is there now, as snapshots."""

    kind: str
    before: Sequence[Snapshot]
    after: Sequence[Snapshot]
    speakers: dict[str, Speakers] | None = None
    of_number: int | None = None


def snapshots(job: Job, rows: Iterable[Segment]) -> dict[int, Snapshot]:
    """As the rows are in memory, with what they say in other languages, in order of time."""
    ordered = sorted(rows, key=lambda row: (row.start, row.pk))
    texts = _translated(job, [row.pk for row in ordered])
    return {row.pk: segment_rows.snapshot(row, texts.get(row.pk, {})) for row in ordered}


def _translated(job: Job, ids: Sequence[int]) -> dict[int, dict[str, str]]:
    languages = dict(Translation.objects.filter(job=job).values_list("pk", "language"))
    found: dict[int, dict[str, str]] = {}
    if languages:
        rows = TranslatedSegment.objects.filter(translation__in=languages, segment__in=ids)
        for segment, translation, text in rows.values_list("segment_id", "translation_id", "text"):
            found.setdefault(segment, {})[languages[translation]] = text
    return found


def store(job: Job, kept: Iterable[Segment], fresh: Sequence[Segment], gone: Collection[int], *, revision: int) -> None:
    """Writes rows that are there or come back, then new ones, which get their ids, and takes others away."""
    known, new = list(kept), list(fresh)
    there = dict(Segment.objects.filter(pk__in=[row.pk for row in known]).values_list("pk", "position"))
    for row in (*known, *new):
        row.revision, row.position = revision, there.get(row.pk, row.position)
    _place(job, [row for row in (*known, *new) if row.pk not in there])
    if gone:
        Segment.objects.filter(job=job, pk__in=gone).delete()
    Segment.objects.bulk_create(
        known, update_conflicts=True, unique_fields=["id"], update_fields=_STORED, batch_size=_BATCH
    )
    Segment.objects.bulk_create(new, batch_size=_BATCH)


def _place(job: Job, rows: Sequence[Segment]) -> None:
    """Behind the rows of their steps: another may have taken the place that one of them had."""
    if not rows:
        return
    last = dict(Segment.objects.filter(job=job).values_list("step").annotate(last=Max("position")))
    for row in rows:
        row.position = last[row.step_id] = last.get(row.step_id, -1) + 1


def translate(job: Job, texts: dict[int, dict[str, str]]) -> None:
    """segment id → what it says in other languages, of those that the job is translated to."""
    translations = {row.language: row for row in Translation.objects.filter(job=job)} if texts else {}
    rows = [
        TranslatedSegment(translation=translations[language], segment_id=pk, text=text)
        for pk, told in texts.items()
        for language, text in told.items()
        if language in translations
    ]
    TranslatedSegment.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["translation", "segment"],
        update_fields=["text"],
        batch_size=_BATCH,
    )


def store_speakers(job: Job, speakers: Speakers) -> None:
    """Speakers that people have named are there, whatever the machine could tell apart."""
    row, is_new = Diarization.objects.get_or_create(job=job)
    row.speakers = speakers
    if is_new or row.state in (DiarizationState.SKIPPED, DiarizationState.FAILED):
        row.state, row.reason = DiarizationState.DONE, ""
    row.save(update_fields=["speakers", "state", "reason"])
    recognition.follow(job, speakers)


def record(edit: Edit, entry: Entry, *, author: User | None = None, request_id: UUID | None = None) -> Correction:
    """Adds a line to the log: the next version of the transcript, which whoever shows it is told of."""
    job, transcript = edit.job, Transcript.objects.only("version").get(job=edit.job)
    number = transcript.version + 1
    stale = {"is_stale": True} if _reads_otherwise(entry) else {}
    Transcript.objects.filter(job=job).update(version=number, corrected_at=edit.now, **stale)
    made = Correction.objects.create(
        job=job,
        number=number,
        kind=entry.kind,
        author=author,
        at=edit.now,
        request_id=request_id or uuid4(),
        before=list(entry.before),
        after=list(entry.after),
        speakers=entry.speakers,
        of_number=entry.of_number,
    )
    if touched := _differing(entry, _FOUND_BY):
        search.reindex(job, min(one["start"] for one in touched), max(one["end"] for one in touched))
    edit.show_corrected(number)
    return made


def _differing(entry: Entry, fields: Sequence[str]) -> list[Snapshot]:
    """Those of before and after that are not alike in these, or have no other to be alike."""
    before, after = ({one["id"]: one for one in told} for told in (entry.before, entry.after))
    told = [(before.get(pk), after.get(pk)) for pk in {**before, **after}]
    return [one for pair in told if _of(pair[0], fields) != _of(pair[1], fields) for one in pair if one]


def _of(one: Snapshot | None, fields: Sequence[str]) -> list[object] | None:
    return None if one is None else [one.get(name) for name in fields]


def _reads_otherwise(entry: Entry) -> bool:
    """Whether a text of the transcript may be another now: words, paragraphs, translations or how speakers are called."""
    return bool(_differing(entry, _READ)) or _are_called_otherwise(entry.speakers)


def _are_called_otherwise(speakers: dict[str, Speakers] | None) -> bool:
    if speakers is None:
        return False
    before, after = ({one["label"]: one["name"] for one in speakers[when]} for when in ("before", "after"))
    return before != after


# --- what steps of the job do to a corrected transcript ---------------------------------------------


def is_corrected(job: Job) -> bool:
    return Transcript.objects.filter(job=job, version__gt=0).exists()


@dataclass(frozen=True, slots=True)
class Past:
    """A corrected transcript before a step rewrites it."""

    segments: dict[int, Snapshot]
    speakers: Speakers


def past_of(job: Job) -> Past | None:
    """None where nobody has corrected anything: then there is nothing to go back to but what the engine made."""
    if not is_corrected(job):
        return None
    return Past(snapshots(job, Segment.objects.filter(job=job)), speakers_of(job.pk))


def record_rewriting(edit: Edit, past: Past | None, kind: str) -> None:
    """Logs what a step has changed since `past_of` in this transaction."""
    if past is None:
        return
    changed = Segment.objects.filter(job=edit.job, revision=edit.revision)
    after = snapshots(edit.job, changed)
    before = [past.segments[pk] for pk in after if pk in past.segments]
    now = speakers_of(edit.job.pk)
    speakers = {"before": past.speakers, "after": now} if past.speakers != now else None
    record(edit, Entry(kind, before, list(after.values()), speakers))


def record_added(edit: Edit, rows: Sequence[Segment], kind: str) -> None:
    """Logs rows that a step has added to a corrected transcript."""
    if rows and is_corrected(edit.job):
        record(edit, Entry(kind, [], list(snapshots(edit.job, rows).values())))
