"""What an organisation's administrators look at: its recordings, whoever owns them, and its part of the audit log. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from django.db.models import Q, QuerySet

from accounts.models import User
from whisper_jobs import queries
from whisper_jobs.models import AuditEntry, Job

#: Rows of a page.
PAGE = 50
#: People that a part of an address can stand for.
MOST_PEOPLE = 1000
#: Entries that are read at once for a download.
BATCH = 1000
Row = TypeVar("Row", Job, AuditEntry)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Narrows a list; what is empty does not matter. Days are of the current time zone. `before` is the last key that was seen."""

    text: str = ""
    #: Part of an address: the owner's, or of whoever did it.
    person: str = ""
    status: str = ""
    backend: str = ""
    language: str = ""
    action: str = ""
    since: date | None = None
    until: date | None = None
    before: int | None = None


def recordings(tenant_id: int, wanted: Wanted) -> tuple[list[Job], int | None]:
    """One page, the newest first, those in the trash too, and where the next one begins. Words are not searched."""
    jobs = Job.objects.filter(tenant=tenant_id).select_related("owner").order_by("-id")
    for condition in _of_recordings(wanted):
        jobs = jobs.filter(condition)
    return _page(jobs, wanted.before)


def entries(tenant_id: int, wanted: Wanted) -> QuerySet[AuditEntry]:
    """What was done, the last thing first."""
    found = AuditEntry.objects.filter(tenant_id=tenant_id).order_by("-id")
    if wanted.action:
        found = found.filter(action=wanted.action)
    if wanted.text:
        found = found.filter(subject__icontains=wanted.text)
    if wanted.person:
        known = User.objects.filter(email__icontains=wanted.person).values_list("pk", flat=True)
        found = found.filter(actor_id__in=list(known[:MOST_PEOPLE]))
    return found.filter(_between("at", wanted))


def page_of_entries(tenant_id: int, wanted: Wanted) -> tuple[list[AuditEntry], int | None]:
    return _page(entries(tenant_id, wanted), wanted.before)


def all_entries(tenant_id: int, wanted: Wanted) -> Iterator[list[AuditEntry]]:
    """However many: a part at a time."""
    found, before = entries(tenant_id, wanted), None
    while part := list((found.filter(id__lt=before) if before else found)[:BATCH]):
        before = part[-1].pk
        yield part


def addresses(entries: Iterable[AuditEntry]) -> dict[int, str]:
    """Who did it, and whose it was, by key, as far as they are still here."""
    named = {key for entry in entries for key in (entry.actor_id, entry.detail.get("owner"))}
    people = User.objects.filter(pk__in=[key for key in named if isinstance(key, int)])
    return dict(people.values_list("pk", "email"))


def _of_recordings(wanted: Wanted) -> Iterator[Q]:
    if wanted.text:
        names = ("label", "title", "filename", "url")
        yield Q(*((f"source_{name}__icontains", wanted.text) for name in names), _connector=Q.OR)
    if wanted.person:
        yield Q(owner__email__icontains=wanted.person)
    if wanted.status:
        yield Q(stage__in=queries.stages_named(wanted.status))
    if wanted.backend:
        yield Q(backend=wanted.backend)
    if wanted.language:
        yield Q(detected_language=wanted.language) | Q(detected_language="", language=wanted.language)
    yield _between("created_at", wanted)


def _between(moment: str, wanted: Wanted) -> Q:
    since = Q(**{f"{moment}__date__gte": wanted.since}) if wanted.since else Q()
    return since & (Q(**{f"{moment}__date__lte": wanted.until}) if wanted.until else Q())


def _page(rows: QuerySet[Row], before: int | None) -> tuple[list[Row], int | None]:
    found = list((rows.filter(id__lt=before) if before else rows)[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None
