"""In which recordings enrolled speakers were heard, and whom a person may name somebody as. Reads, never writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from whisper_jobs import queries, recognition, speakers, voices
from whisper_jobs.models import HowNamed, Job, JobVoice, Speaker

#: Speakers that a recording's speaker can be named as, where there are more.
MOST_CANDIDATES = 500


@dataclass(frozen=True, slots=True)
class Appearance:
    """A speaker in one recording; `score` where the voice was recognised. `number` is where to go on from."""

    number: int
    job: Job
    label: str
    seconds: float
    score: float | None
    recognised: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """The last heard first; `following` is the number to go on from, None at the end."""

    appearances: list[Appearance]
    following: int | None


def of_speaker(
    speaker_id: UUID, user: User, *, channel: str | None = None, before: int | None = None, limit: int = 50
) -> Page:
    """In the recordings that `user` may see."""
    rows = JobVoice.objects.filter(speaker=speaker_id, job__in=queries.visible_jobs(user, channel).order_by())
    rows = rows.select_related("job", "job__owner").defer("sealed").order_by("-id")
    found = list((rows if before is None else rows.filter(pk__lt=before))[: limit + 1])
    more = len(found) > limit
    return Page([_appearance(row) for row in found[:limit]], found[limit - 1].pk if more else None)


def _appearance(row: JobVoice) -> Appearance:
    recognised = row.how == HowNamed.RECOGNISED
    return Appearance(row.pk, row.job, row.label, row.seconds, row.score, recognised, row.at)


def candidates(job: Job, user: User) -> QuerySet[Speaker]:
    """Enrolled speakers that the recording is compared with, of those whom `user` sees and may work with, by name."""
    if not user.has_perm("whisper.scaiecho_enroll"):
        return Speaker.objects.none()
    heard = voices.recognisable().filter(voices.heard_for(job.owner))
    return heard.filter(pk__in=speakers.visible(user).values("pk")).order_by("display_name", "pk")


class NobodyThere(Exception):
    """There is no such enrolled speaker whom this user could name."""


def link_of(job: Job, speaker_id: UUID | None, user: User) -> recognition.Link | None:
    """What says that somebody in the recording is this speaker, whose profile learns when it is the user's to change.

    None says that it is nobody enrolled. Raises NobodyThere.
    """
    if speaker_id is None:
        return None
    speaker = candidates(job, user).filter(pk=speaker_id).first()
    if speaker is None:
        raise NobodyThere
    learns = speakers.may_change(user, speaker)
    return recognition.link_to(speaker.pk, speaker.display_name, HowNamed.NAMED, learns=learns)
