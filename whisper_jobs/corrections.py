"""A transcript that people make better: making one correction, which is one transaction, and reading the log of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from whisper_jobs.correction_changes import Change
from whisper_jobs.correction_sheet import Sheet
from whisper_jobs.models import Correction, Job
from whisper_jobs.pen import editing

#: Corrections that are read at once, and segments that they hold.
MOST_LISTED, MOST_SEGMENTS = 200, 20_000


@dataclass(frozen=True, slots=True)
class Made:
    """`is_new` is false when this request had been answered before."""

    correction: Correction
    is_new: bool


def correct(job_id: int, change: Change, *, author: User, request_id: UUID) -> Made:
    """Makes one change of a transcript and logs it; the same request once more changes nothing.

    Raises Conflict when somebody else has changed what it touches, Unsuitable for a value that makes no sense here, NotReady
    while there is no transcript, and Gone.
    """
    with editing(job_id) as edit:
        before = Correction.objects.filter(job=edit.job, request_id=request_id).select_related("author").first()
        if before is not None:
            return Made(before, is_new=False)
        sheet = Sheet(edit)
        change.apply(sheet)
        made = sheet.write(change.kind, author=author, request_id=request_id, of_number=change.of_number)
    return Made(made, is_new=True)


def correct_all(job_id: int, asked: Iterable[tuple[UUID, Change]], *, author: User) -> None:
    """Makes several, each with the id of its request, in order; or none where one can't be made. Raises as `correct` does."""
    with transaction.atomic():
        for request_id, change in asked:
            correct(job_id, change, author=author, request_id=request_id)


@dataclass(frozen=True, slots=True)
class Page:
    """Corrections in the order that was asked for; `following` is the number to go on from, None at the end."""

    corrections: list[Correction]
    following: int | None


def since(job: Job, number: int, limit: int) -> Page:
    """Those after a version, in order."""
    return _page(_log(job).filter(number__gt=number).order_by("number"), limit)


def newest(job: Job, before: int | None, limit: int, author_id: int | None = None) -> Page:
    """The newest first, those before a number and by one person where that is told."""
    rows = _log(job).order_by("-number")
    rows = rows if before is None else rows.filter(number__lt=before)
    return _page(rows if author_id is None else rows.filter(author=author_id), limit)


def _page(rows: QuerySet[Correction], limit: int) -> Page:
    """As many as `limit`, or fewer when they hold whole transcripts; one at least."""
    found: list[Correction] = []
    weight = 0
    for row in rows[: limit + 1].iterator(chunk_size=5):
        weight += len(row.before) + len(row.after)
        if len(found) == limit or (found and weight > MOST_SEGMENTS):
            return Page(found, found[-1].number)
        found.append(row)
    return Page(found, None)


def authors(job: Job) -> list[User]:
    """Everybody who has corrected this transcript."""
    ids = Correction.objects.filter(job=job, author__isnull=False).values("author").distinct()
    return list(User.objects.filter(pk__in=ids).order_by("name", "email"))


def _log(job: Job) -> QuerySet[Correction]:
    return Correction.objects.filter(job=job).select_related("author")
