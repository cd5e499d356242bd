"""Verbs for the approval that a job may wait for: assign, take, submit, send back, approve. Each is one transaction.

Whoever sees the job may assign it and approve; whoever it is assigned to edits and submits. Approving completes the job, so
that callbacks and links to it come only then. A completed job stays so: there is no taking back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.backends import ModelBackend
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from whisper_jobs import queries, review_rows
from whisper_jobs.media.naming import plain_text
from whisper_jobs.models import Job, Review, ReviewState, Transcript
from whisper_jobs.moves import complete
from whisper_jobs.pen import Edit, editing
from whisper_jobs.runs import NotAllowed
from whisper_jobs.states import Stage

LONGEST_NOTE = 2000
_EDITED = (ReviewState.ASSIGNED, ReviewState.RETURNED)


def editors_of(job: Job) -> QuerySet[User]:
    """Who can see this job (as queries.visible_jobs), and so may edit it: its owner, its tenant's managers, admins."""
    managers: QuerySet[User] = ModelBackend().with_perm("whisper.manage", include_superusers=False)
    sees = Q(pk=job.owner_id) | Q(is_superuser=True) | Q(tenant=job.tenant_id, pk__in=managers.values("pk"))
    return User.objects.filter(sees, is_active=True).order_by("email")


def name_of(user: User) -> str:
    return user.name or user.email


def assign(job_id: int, *, by: User, assignee: User | None) -> Job:
    """Names who is to edit; None for nobody. Raises NotAllowed for somebody who does not see the job; Gone."""
    with _reviewing(job_id) as (edit, row):
        if assignee is not None and not editors_of(edit.job).filter(pk=assignee.pk).exists():
            raise NotAllowed(_("This person can't see the recording."))
        if row.assignee_id == (assignee.pk if assignee else None):
            return edit.job
        row.assignee = assignee
        row.state = ReviewState.ASSIGNED if assignee else ReviewState.WAITING
        who = name_of(by)
        edit.log(f"{who} gave the transcript to {name_of(assignee)}." if assignee else f"{who} took the editor away.")
    return edit.job


def take(job_id: int, *, by: User) -> Job:
    """Of two who take it at once, one gets it. Raises NotAllowed when another has it; Gone."""
    with _reviewing(job_id) as (edit, row):
        if row.assignee is not None and row.assignee_id != by.pk:
            raise NotAllowed(_("%(name)s is editing this already.") % {"name": name_of(row.assignee)})
        if row.assignee is None:
            row.assignee, row.state = by, ReviewState.ASSIGNED
            edit.log(f"{name_of(by)} edits the transcript.")
    return edit.job


def submit(job_id: int, *, by: User, note: str = "") -> Job:
    """Whoever edits says that it is ready. Raises NotAllowed for anybody else; Gone."""
    with _reviewing(job_id) as (edit, row):
        if row.assignee_id != by.pk:
            raise NotAllowed(_("Only the person who edits this can submit it. Take it first."))
        if row.state in _EDITED:
            row.state, row.note = ReviewState.SUBMITTED, _tidy(note)
            edit.log(f"{name_of(by)} submitted the transcript for approval.")
    return edit.job


def send_back(job_id: int, *, by: User, note: str) -> Job:
    """What was submitted needs more work; `note` says which. Raises NotAllowed when nothing was submitted; Gone."""
    with _reviewing(job_id) as (edit, row):
        if row.state != ReviewState.SUBMITTED:
            raise NotAllowed(_("Nothing was submitted that could be sent back."))
        if not _tidy(note):
            raise NotAllowed(_("Say in a note what is to be changed."))
        row.state, row.note, row.decided_by = ReviewState.RETURNED, _tidy(note), by
        edit.log(f"{name_of(by)} sent the transcript back: {row.note}")
    return edit.job


def approve(job_id: int, *, by: User, version: int | None = None) -> Job:
    """Completes the job. With the `version` that was read: raises NotAllowed when it has been corrected since; Gone."""
    with _reviewing(job_id) as (edit, row):
        now = Transcript.objects.values_list("version", flat=True).get(job=edit.job)
        if version is not None and version != now:
            raise NotAllowed(_("The transcript was changed after you opened it. Read it again, then approve."))
        row.state, row.decided_by, row.approved_number = ReviewState.APPROVED, by, now
        edit.log(f"{name_of(by)} approved the transcript.")
        complete(edit)
    return edit.job


@contextmanager
def _reviewing(job_id: int) -> Iterator[tuple[Edit, Review]]:
    """The locked job and its review, which is kept at the end. Raises NotAllowed unless the job waits for an approval; Gone."""
    with editing(job_id) as edit:
        if edit.job.stage != Stage.REVIEWING:
            raise NotAllowed(_("This recording does not wait for an approval."))
        row = Review.objects.select_related("assignee").filter(job=edit.job).first()
        row = row or review_rows.begin(edit.job, at=edit.now)
        yield edit, row
        row.changed_at = edit.now
        row.save()


def _tidy(note: str) -> str:
    return plain_text(note).strip()[:LONGEST_NOTE]


# --- what waits -----------------------------------------------------------------------------------


def awaiting(user: User) -> QuerySet[Job]:
    """The jobs that wait for an approval and that `user` sees, each with its review and its editor; the oldest first."""
    waiting = queries.visible_jobs(user).filter(stage=Stage.REVIEWING, review__isnull=False)
    return waiting.select_related("owner", "review__assignee").order_by("id")


def narrowed(jobs: QuerySet[Job], view: str, user: User) -> QuerySet[Job]:
    """One of `VIEWS` of what waits."""
    return jobs.filter(VIEWS[view](user))


VIEWS = {
    "mine": lambda user: Q(review__assignee=user, review__state__in=_EDITED),
    "waiting": lambda user: Q(review__state=ReviewState.WAITING),
    "returned": lambda user: Q(review__state=ReviewState.RETURNED),
    "submitted": lambda user: Q(review__state=ReviewState.SUBMITTED),
    "all": lambda user: Q(),
}


def counts(user: User) -> dict[str, int]:
    """How many each view has, in one query."""
    from_views = {view: Count("pk", filter=VIEWS[view](user)) for view in VIEWS if view != "all"}
    counted: dict[str, int] = awaiting(user).order_by().aggregate(**from_views, all=Count("pk"))
    return counted


def to_do(user: User) -> int:
    """How many wait for `user`: to be edited by them, by whoever comes, or to be approved."""
    wanted = VIEWS["mine"](user) | VIEWS["waiting"](user) | VIEWS["submitted"](user)
    return awaiting(user).filter(wanted).order_by().count()
