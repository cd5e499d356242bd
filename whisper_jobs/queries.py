"""Reads. The one place that decides which jobs a user may see; anything else is 404 in every dialect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet, Sum, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from accounts.models import User
from whisper_jobs.models import Job, Segment, Step, Tally, Worker
from whisper_jobs.models.worker import FRESH
from whisper_jobs.states import PROCESSING, STATUS_OF, UNHEARD, Lane, Stage, Status, StepState, stages_of

#: Places in the queue are counted up to here.
MOST_PLACES = 10_000


def can_use(user: User) -> bool:
    return user.has_perm("whisper.use")


def can_manage_all(user: User) -> bool:
    return user.has_perm("whisper.manage")


def visible_jobs(user: User, channel: str | None = None) -> QuerySet[Job]:
    """The jobs that `user` may see, newest first."""
    jobs = Job.objects.select_related("owner").order_by("-id")
    if not can_manage_all(user):
        jobs = jobs.filter(owner=user)
    return jobs.filter(channel=channel) if channel else jobs


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What a list may be narrowed to; `cursor` is the id of the last job seen."""

    status: str = ""
    channel: str = ""
    text: str = ""
    cursor: int | None = None
    limit: int = 50


def page_of_jobs(user: User, narrow: ListFilter) -> tuple[list[Job], int | None]:
    """One page and the cursor of the next, or None at the end."""
    jobs = visible_jobs(user, narrow.channel or None)
    if narrow.status:
        jobs = jobs.filter(stage__in=_stages(narrow.status))
    if narrow.text:
        jobs = jobs.filter(_mentions(narrow.text))
    if narrow.cursor is not None:
        jobs = jobs.filter(id__lt=narrow.cursor)
    found = list(jobs[: narrow.limit + 1])
    more = len(found) > narrow.limit
    return found[: narrow.limit], found[narrow.limit - 1].pk if more else None


def _stages(status: str) -> Iterable[str]:
    if status == "active":
        return (Stage.QUEUED, *PROCESSING)
    return PROCESSING if status == "processing" else stages_of(status)


def _mentions(text: str) -> Q:
    fields = ("source_label", "source_title", "source_filename", "source_url", "source_note", "transcript__text")
    found = Q()
    for field in fields:
        found |= Q(**{f"{field}__icontains": text})
    return found


def summary(user: User, channel: str | None = None) -> dict[str, int]:
    """How many jobs that `user` sees are queued, processing, completed, failed."""
    tallies = Tally.objects.all() if can_manage_all(user) else Tally.objects.filter(owner=user)
    if channel:
        tallies = tallies.filter(channel=channel)
    counted = dict(tallies.values_list("status").annotate(n=Sum("jobs")).values_list("status", "n"))
    busy = {STATUS_OF[stage] for stage in PROCESSING}
    return {
        "queued": counted.get(Status.QUEUED, 0),
        "processing": sum(counted.get(status, 0) for status in busy),
        "completed": counted.get(Status.COMPLETED, 0),
        "failed": counted.get(Status.FAILED, 0),
    }


def positions(jobs: Iterable[Job]) -> dict[int, int]:
    """Place in the queue (1 is next) of those jobs that have not been heard yet: owners take turns, oldest first."""
    wanted = {job.pk for job in jobs if job.stage in UNHEARD}
    if not wanted:
        return {}
    turn = Window(RowNumber(), partition_by=[F("owner")], order_by=[F("id").asc()])
    line = Job.objects.filter(stage__in=UNHEARD).annotate(turn=turn).order_by("-priority", "turn", "id")
    ids = line.values_list("id", flat=True)[:MOST_PLACES]
    return {pk: place for place, pk in enumerate(ids, start=1) if pk in wanted}


def segments_since(job_id: int, revision: int) -> QuerySet[Segment]:
    """Segments stored after the job had this revision, in order of time."""
    return Segment.objects.filter(job_id=job_id, revision__gt=revision).order_by("start", "id")


def live_workers() -> dict[str, int]:
    """lane → workers seen lately, every lane named."""
    fresh = Worker.objects.filter(seen_at__gt=timezone.now() - FRESH)
    counted = dict(fresh.values_list("lane").annotate(n=Count("name")).values_list("lane", "n"))
    return {lane.value: counted.get(lane.value, 0) for lane in Lane}


def running_step(job_id: int) -> Step | None:
    """The step of this job that gave a sign of life last."""
    return Step.objects.filter(job_id=job_id, state=StepState.RUNNING).order_by("-heartbeat_at").first()
