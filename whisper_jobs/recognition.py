"""Which enrolled speaker it is who speaks in a recording: recognised by the voice, or named by a person. Works on rows.

The list of a job's speakers tells it, as `link` of each, so that it is undone and gone back in like their names. The rows of
JobVoice and VoiceSample follow that list: `follow` is called wherever it changes.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from whisper_jobs import voices
from whisper_jobs.models import HowNamed, Job, JobVoice, Speaker, VoiceSample
from whisper_jobs.speech.diarizers.base import Floats
from whisper_jobs.speech.overheard import HeardVoice
from whisper_jobs.speech.recognition import ENCODER, Book, Match
from whisper_jobs.versions import Speakers

log = logging.getLogger(__name__)
Link = dict[str, Any]

FAILED = "Recognising speakers did not work; they are told apart all the same."


@dataclass(frozen=True, slots=True, eq=False)
class Voices:
    """What the diarize step has heard: the voice of each label, and those that may be recognised; None where that failed.

    `sampled`: the names of labels whose voice fits a sample that came with the recording.
    """

    heard: Mapping[str, HeardVoice] = field(default_factory=dict)
    book: Book | None = None
    sampled: Mapping[str, str] = field(default_factory=dict)


def book_for(owner: User) -> Book | None:
    """The voices that recordings of this owner are compared with; None when they can't be read: that costs no transcript."""
    try:
        return Book(voices.book_for(owner))
    except Exception:
        log.exception("the voices of enrolled speakers could not be read")
        return None


# --- what the diarize step does ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recognised:
    """The speakers with the names and links that recognition gave, and a sentence for the job's log; empty for none."""

    speakers: Speakers
    told: str = ""


def recognise(job: Job, speakers: Speakers, found: Voices, *, denied: Mapping[str, Collection[UUID]]) -> Recognised:
    """Keeps the voices of a new diarization and names those that are known. Whatever goes wrong costs no diarization."""
    speakers = _sampled(speakers, found.sampled)
    try:
        with transaction.atomic():
            return _recognised(job, speakers, found, denied)
    except Exception:
        log.exception("recognising the speakers of job %s failed", job.pk)
        JobVoice.objects.filter(job=job).delete()
        return Recognised(speakers, FAILED)


def _sampled(speakers: Speakers, names: Mapping[str, str]) -> Speakers:
    """With the names that samples gave to those who have none; `sample` tells them from names that people gave."""
    taken = {one["name"] for one in speakers}
    new = {label: name for label, name in names.items() if name not in taken}
    return [
        {**one, "name": new[one["label"]], "sample": new[one["label"]]} if _is_nameless(one, new) else one
        for one in speakers
    ]


def _is_nameless(one: dict[str, Any], names: Mapping[str, str]) -> bool:
    return one["label"] in names and not one["name"] and not one.get("link")


def _recognised(job: Job, speakers: Speakers, found: Voices, denied: Mapping[str, Collection[UUID]]) -> Recognised:
    matches = _matches(speakers, found, denied)
    names = dict(_locked(match.speaker_id for match in matches.values()).values_list("pk", "display_name"))
    now = [_named(one, matches.get(one["label"]), names) for one in speakers]
    JobVoice.objects.filter(job=job).delete()
    JobVoice.objects.bulk_create(_row(job, label, heard, denied) for label, heard in found.heard.items())
    follow(job, now)
    return Recognised(now, _told(found, sum(1 for match in matches.values() if match.speaker_id in names)))


def _matches(speakers: Speakers, found: Voices, denied: Mapping[str, Collection[UUID]]) -> dict[str, Match]:
    if not found.book:
        return {}
    linked = {one["label"]: UUID(one["link"]["speaker_id"]) for one in speakers if one.get("link")}
    # A sample that came with the recording says more than a likeness to somebody enrolled.
    told = {*linked, *(one["label"] for one in speakers if one.get("sample"))}
    unknown = {label: heard.vector for label, heard in found.heard.items() if label not in told}
    refused = {label: {*denied.get(label, ()), *linked.values()} for label in unknown}
    return found.book.assign(unknown, refused)


def _named(one: dict[str, Any], match: Match | None, names: Mapping[UUID, str]) -> dict[str, Any]:
    if match is None or match.speaker_id not in names:
        return one
    name = names[match.speaker_id]
    link = link_to(match.speaker_id, name, HowNamed.RECOGNISED, score=round(match.score, 3))
    return {**one, "name": one["name"] or name, "link": link}


def link_to(speaker_id: UUID, name: str, how: HowNamed, *, score: float | None = None, learns: bool = False) -> Link:
    """As it stands in the list of a job's speakers. `name` is what the link gave; with `learns` the voice goes to the profile."""
    return {"speaker_id": str(speaker_id), "name": name, "how": how.value, "score": score, "learns": learns}


def _row(job: Job, label: str, heard: HeardVoice, denied: Mapping[str, Collection[UUID]]) -> JobVoice:
    return JobVoice(
        job=job,
        label=label,
        encoder=ENCODER,
        sealed=voices.seal(heard.vector),
        seconds=round(heard.seconds, 3),
        denied=sorted(str(one) for one in denied.get(label, ())),
    )


def _told(found: Voices, count: int) -> str:
    if found.book is None and found.heard:
        return FAILED
    if not found.book or not found.heard:
        return ""
    if count:
        return "One enrolled speaker was recognised." if count == 1 else f"{count} enrolled speakers were recognised."
    return "No enrolled speaker was recognised."


# --- what people do ---------------------------------------------------------------------------------


def without_link(one: dict[str, Any]) -> dict[str, Any]:
    """Without the enrolled speaker, and without the name where it came from there."""
    link = one.get("link")
    if not link:
        return one
    rest = {name: value for name, value in one.items() if name != "link"}
    return {**rest, "name": None} if one["name"] == link["name"] else rest


def lasting(one: dict[str, Any]) -> dict[str, Any]:
    """What people have said of a speaker, which a new diarization keeps: not what was recognised, which is heard anew."""
    if one.get("sample"):
        rest = {name: value for name, value in one.items() if name != "sample"}
        one = {**rest, "name": None} if one["name"] == one["sample"] else rest
    link = one.get("link")
    return without_link(one) if link and link["how"] == HowNamed.RECOGNISED else one


def renamed(one: dict[str, Any], name: str | None) -> dict[str, Any]:
    """Who gives another name than that which was recognised says that it is somebody else."""
    link = one.get("link")
    is_refused = link and link["name"] == one["name"] != name
    return {**(lasting(one) if is_refused else one), "name": name}


def denied_in(job: Job) -> dict[str, set[UUID]]:
    """label → the speakers whom a person said it is not."""
    rows = JobVoice.objects.filter(job=job).values_list("label", "denied")
    return {label: {UUID(one) for one in denied} for label, denied in rows if denied}


def follow(job: Job, speakers: Speakers) -> None:
    """Has the rows say what the list of speakers says: who is who, who it is not, and what the profiles have learnt.

    A speaker whom somebody took away from a label that is still there is denied for it.
    """
    links = {one["label"]: one.get("link") for one in speakers}
    rows = {row.label: row for row in JobVoice.objects.filter(job=job)}
    if not rows and not any(links.values()):
        return
    wanted = {UUID(link["speaker_id"]) for link in links.values() if link}
    before = {row.speaker_id for row in rows.values() if row.speaker_id}
    # Locked before the voices, as erasing a speaker does, so that the two neither cross nor deadlock.
    there = set(_locked(wanted | before).values_list("pk", flat=True))
    _teach(job, rows, {label: link for label, link in links.items() if link and UUID(link["speaker_id"]) in there})
    for label, link in links.items():
        if link and label not in rows:
            rows[label] = JobVoice(job=job, label=label, seconds=_seconds(speakers, label))
    for row in rows.values():
        if _tell(row, links.get(row.label), there, is_there=row.label in links):
            row.save()


def _locked(speakers: Iterable[UUID]) -> QuerySet[Speaker]:
    there = Speaker.objects.filter(pk__in=list(speakers), tombstoned_at=None).order_by("pk")
    return there.select_for_update(of=("self",), no_key=True)


def _seconds(speakers: Sequence[dict[str, Any]], label: str) -> float:
    return next(float(one["seconds"]) for one in speakers if one["label"] == label)


def _tell(row: JobVoice, link: Link | None, there: Collection[UUID], *, is_there: bool) -> bool:
    """Whether the row is another now."""
    was = (row.speaker_id, row.how, row.score, list(row.denied))
    before = row.speaker_id
    row.speaker_id = row.score = None
    row.how = ""
    if link and UUID(link["speaker_id"]) in there:
        row.speaker_id, row.how, row.score = UUID(link["speaker_id"]), link["how"], link["score"]
    if before and before != row.speaker_id and is_there:
        row.denied = sorted({*row.denied, str(before)})
    row.denied = [one for one in row.denied if one != str(row.speaker_id)]
    return row.pk is None or was != (row.speaker_id, row.how, row.score, row.denied)


def _teach(job: Job, rows: Mapping[str, JobVoice], links: Mapping[str, Link]) -> None:
    """What a person named is a sample of that speaker's voice, for as long as they say so."""
    wanted = {(UUID(link["speaker_id"]), label) for label, link in links.items() if link["learns"] and label in rows}
    known = {(one.speaker_id, one.label): one for one in VoiceSample.objects.filter(job=job)}
    for speaker_id, label in sorted(known.keys() - wanted):
        voices.forget(speaker_id, job, label)
    for speaker_id, label in sorted(wanted):
        row, sample = rows[label], known.get((speaker_id, label))
        vector = voices.load(row.sealed)
        if vector is not None and not _is_known(sample, vector):
            voices.store(speaker_id, vector, seconds=row.seconds, encoder=row.encoder, job=job, label=label)


def _is_known(sample: VoiceSample | None, vector: Floats) -> bool:
    known = voices.load(sample.sealed) if sample else None
    return known is not None and np.array_equal(known, vector)
