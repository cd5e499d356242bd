"""Reads. The one place that decides which jobs a user may see; anything else is 404 in every dialect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet, Sum, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from accounts.models import User
from whisper_jobs import search
from whisper_jobs.errors import FAILURES
from whisper_jobs.models import Job, Segment, Step, Tally, TranslatedSegment, Translation, Worker
from whisper_jobs.models.worker import FRESH
from whisper_jobs.states import PROCESSING, STATUS_OF, UNHEARD, Lane, Stage, Status, StepState, stages_of

#: Places in the queue are counted up to here.
MOST_PLACES = 10_000


def can_use(user: User) -> bool:
    return user.has_perm("whisper.use")


def can_use_api(user: User) -> bool:
    """Whether this user's personal tokens are good for the token API."""
    return user.has_perm("whisper.api")


def can_manage_all(user: User) -> bool:
    return user.has_perm("whisper.manage")


def can_enrich(user: User) -> bool:
    """Whether transcripts of this user may be sent to a language model."""
    return user.has_perm("accounts.provider_openai")


def visible_jobs(user: User, channel: str | None = None) -> QuerySet[Job]:
    """The jobs that `user` may see, newest first: all for admins, those of their tenant for managers, else the own.

    Of a token of the sandbox only those of the sandbox.
    """
    return _jobs_of(user, channel).filter(trashed_at=None).order_by("-id")


def trashed_jobs(user: User, channel: str | None = None) -> QuerySet[Job]:
    """Of the same jobs those in the trash, the last one thrown away first."""
    return _jobs_of(user, channel).filter(trashed_at__isnull=False).order_by("-trashed_at", "-id")


def _jobs_of(user: User, channel: str | None) -> QuerySet[Job]:
    jobs = Job.objects.select_related("owner")
    if user.in_sandbox:
        jobs = jobs.filter(sandbox__isnull=False)
    if not user.is_superuser:
        jobs = jobs.filter(tenant=user.tenant_id) if can_manage_all(user) else jobs.filter(owner=user)
    return jobs.filter(channel=channel) if channel else jobs


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What a list may be narrowed to; `cursor` is the id of the last job seen."""

    status: str = ""
    channel: str = ""
    text: str = ""
    cursor: int | None = None
    limit: int = 50


def page_of_jobs(user: User, narrow: ListFilter, channel: str | None = None) -> tuple[list[Job], int | None]:
    """One page of the jobs visible in `channel`, and the cursor of the next page, or None at the end."""
    jobs = visible_jobs(user, channel)
    if narrow.channel:
        jobs = jobs.filter(channel=narrow.channel)
    if narrow.status:
        jobs = jobs.filter(stage__in=stages_named(narrow.status))
    if narrow.text:
        jobs = jobs.filter(mentions(narrow.text))
    if narrow.cursor is not None:
        jobs = jobs.filter(id__lt=narrow.cursor)
    with search.by_index() if narrow.text else nullcontext():
        found = list(jobs[: narrow.limit + 1])
    more = len(found) > narrow.limit
    return found[: narrow.limit], found[narrow.limit - 1].pk if more else None


def stages_named(status: str) -> Iterable[str]:
    if status == "active":
        return (Stage.QUEUED, *PROCESSING)
    return PROCESSING if status == "processing" else stages_of(status)


def mentions(text: str) -> Q:
    """The jobs that somebody who types this looks for: by their words, or by the code of their failure."""
    found = search.found_by(search.parse(text))
    return found | Q(failure_code=text) if text in FAILURES else found


def summary(user: User, channel: str | None = None) -> dict[str, int]:
    """How many jobs that `user` sees are queued, processing, completed, failed."""
    counted = _rehearsed(user, channel) if user.in_sandbox else _tallied(user, channel)
    busy = {STATUS_OF[stage] for stage in PROCESSING}
    return {
        "queued": counted.get(Status.QUEUED, 0),
        "processing": sum(counted.get(status, 0) for status in busy),
        "completed": counted.get(Status.COMPLETED, 0),
        "failed": counted.get(Status.FAILED, 0),
    }


def _tallied(user: User, channel: str | None) -> dict[str, int]:
    tallies = Tally.objects.all()
    if not user.is_superuser:
        seen = {"owner__tenant": user.tenant_id} if can_manage_all(user) else {"owner": user}
        tallies = tallies.filter(**seen)
    if channel:
        tallies = tallies.filter(channel=channel)
    return dict(tallies.values_list("status").annotate(n=Sum("jobs")).values_list("status", "n"))


def _rehearsed(user: User, channel: str | None) -> dict[str, int]:
    """Jobs of the sandbox have no tallies of their own, and are few."""
    stages = visible_jobs(user, channel).order_by().values_list("stage").annotate(n=Count("pk"))
    counted: Counter[str] = Counter()
    for stage, jobs in stages.values_list("stage", "n"):
        counted[STATUS_OF[stage]] += jobs
    return counted


def positions(jobs: Iterable[Job]) -> dict[int, int]:
    """Place in the queue (1 is next) of those jobs that have not been heard yet: owners take turns, oldest first."""
    waiting = [job for job in jobs if job.stage in UNHEARD]
    if len(waiting) < 2:
        return {job.pk: _position(job) for job in waiting}
    wanted = {job.pk for job in waiting}
    turn = Window(RowNumber(), partition_by=[F("owner")], order_by=[F("id").asc()])
    line = Job.objects.filter(stage__in=UNHEARD).annotate(turn=turn).order_by("-priority", "turn", "id")
    ids = line.values_list("id", flat=True)[:MOST_PLACES]
    return {pk: place for place, pk in enumerate(ids, start=1) if pk in wanted}


def _position(job: Job) -> int:
    """The same of one job, without the whole line: each other owner has as many turns before it as its own owner, or fewer."""
    owners = Job.objects.filter(stage__in=UNHEARD, priority__gte=job.priority).values_list("priority", "owner")
    counted = owners.annotate(n=Count("pk"), before=Count("pk", filter=Q(pk__lt=job.pk)))
    line = {(priority, owner): (n, before) for priority, owner, n, before in counted}
    mine = (job.priority, job.owner_id)
    turn = line.pop(mine, (1, 0))[1] + 1
    ahead: int = sum(
        n if priority > job.priority else min(n, turn - 1) + (before >= turn)
        for (priority, _owner), (n, before) in line.items()
    )
    place: int = ahead + turn
    return place


def segments_since(job_id: int, revision: int) -> QuerySet[Segment]:
    """Segments stored after the job had this revision, in order of time."""
    return Segment.objects.filter(job_id=job_id, revision__gt=revision).order_by("start", "id")


def translated_texts(job_id: int, language: str, segments: Iterable[Segment]) -> dict[int, str] | None:
    """segment id → its text in another language, for those that have one; None where no such translation was asked for."""
    translation = Translation.objects.filter(job=job_id, language=language).first()
    if translation is None:
        return None
    rows = TranslatedSegment.objects.filter(translation=translation, segment__in=[one.pk for one in segments])
    return dict(rows.values_list("segment_id", "text"))


def live_workers() -> dict[str, int]:
    """lane → workers seen lately, every lane named."""
    fresh = Worker.objects.filter(seen_at__gt=timezone.now() - FRESH)
    counted = dict(fresh.values_list("lane").annotate(n=Count("name")).values_list("lane", "n"))
    return {lane.value: counted.get(lane.value, 0) for lane in Lane}


def running_step(job_id: int) -> Step | None:
    """The step of this job that gave a sign of life last."""
    return Step.objects.filter(job_id=job_id, state=StepState.RUNNING).order_by("-heartbeat_at").first()
