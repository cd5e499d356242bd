"""A page of the library: the recordings that somebody looks for, in an order of their own, with what was found in each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Lower, NullIf
from django.utils import timezone

from accounts.models import User
from whisper_jobs import places, queries, search
from whisper_jobs.models import Job, Tag, Task
from whisper_jobs.places import Place
from whisper_jobs.states import Stage

PAGE_OF_JOBS = 25
#: Further back nobody leafs; they search.
MOST_PAGES = 400
#: The last choice stands for as many speakers and more.
MOST_SPEAKERS = 5
_TITLE = Coalesce(
    *(NullIf(F(f"source_{name}"), Value("")) for name in ("label", "title", "filename", "url")), Value("")
)
SORTS: dict[str, tuple[Any, ...]] = {
    "": ("-id",),
    "oldest": ("id",),
    "title": (Lower(_TITLE), "-id"),
    "longest": (F("source_duration_seconds").desc(nulls_last=True), "-id"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody looks for; what is empty does not matter. Days are of the current time zone."""

    text: str = ""
    status: str = ""
    tag: int | None = None
    language: str = ""
    channel: str = ""
    #: Part of an e-mail address.
    owner: str = ""
    speakers: int | None = None
    since: date | None = None
    until: date | None = None
    sort: str = ""
    in_trash: bool = False
    page: int = 1


@dataclass(frozen=True, slots=True)
class Found:
    jobs: list[Job]
    has_more: bool
    query: search.Query
    #: By job.
    places: dict[int, list[Place]] = field(default_factory=dict)
    tags: dict[int, list[Tag]] = field(default_factory=dict)


def find(user: User, wanted: Wanted, channel: str | None = None) -> Found:
    """One page. A constant number of queries."""
    jobs = narrowed(user, wanted, channel)
    if not wanted.in_trash:
        jobs = jobs.order_by(*SORTS[wanted.sort])
    first = (min(max(1, wanted.page), MOST_PAGES) - 1) * PAGE_OF_JOBS
    query = search.parse(wanted.text)
    with search.by_index() if query else nullcontext():
        page = list(jobs[first : first + PAGE_OF_JOBS + 1])
        shown = page[:PAGE_OF_JOBS]
        ids = [job.pk for job in shown]
        said = places.places_in(ids, query)
    return Found(shown, len(page) > PAGE_OF_JOBS, query, said, tags_of(user, ids))


def narrowed(user: User, wanted: Wanted, channel: str | None = None) -> QuerySet[Job]:
    """All of what is looked for that `user` may see."""
    jobs = (queries.trashed_jobs if wanted.in_trash else queries.visible_jobs)(user, channel)
    for condition in _conditions(user, wanted):
        jobs = jobs.filter(condition)
    return jobs


def tags_of(user: User, jobs: Sequence[int]) -> dict[int, list[Tag]]:
    """job id → the user's own tags of it, by name."""
    found: dict[int, list[Tag]] = {}
    rows = Tag.jobs.through.objects.filter(job__in=jobs, tag__owner=user).select_related("tag").order_by("tag__name")
    for row in rows:
        found.setdefault(row.job_id, []).append(row.tag)
    return found


def _conditions(user: User, wanted: Wanted) -> list[Q]:
    conditions: dict[str, Callable[[], Q]] = {
        "text": lambda: queries.mentions(wanted.text),
        "status": lambda: _status(wanted.status),
        "tag": lambda: Q(pk__in=Tag.jobs.through.objects.filter(tag=wanted.tag, tag__owner=user).values("job")),
        "language": lambda: _language(wanted.language),
        "channel": lambda: Q(channel=wanted.channel),
        "owner": lambda: Q(owner__email__icontains=wanted.owner),
        "speakers": lambda: _speakers(wanted.speakers or 0),
        "since": lambda: Q(created_at__gte=_midnight(wanted.since)),
        "until": lambda: Q(created_at__lt=_midnight(wanted.until) + timedelta(days=1)),
    }
    return [make() for name, make in conditions.items() if getattr(wanted, name)]


def _status(status: str) -> Q:
    return Q(stage=Stage.REVIEWING) if status == Stage.REVIEWING else Q(stage__in=queries.stages_named(status))


def _language(code: str) -> Q:
    """As Job.text_language."""
    said = Q(detected_language=code) | Q(detected_language="", language=code)
    said &= ~Q(task=Task.TRANSLATE)
    return said | Q(task=Task.TRANSLATE) if code == "en" else said


def _speakers(count: int) -> Q:
    enough = Q(**{f"diarization__speakers__{count - 1}__isnull": False})
    return enough if count >= MOST_SPEAKERS else enough & Q(**{f"diarization__speakers__{count}__isnull": True})


def _midnight(day: date | None) -> datetime:
    return timezone.make_aware(datetime.combine(day or timezone.localdate(), time.min))
