"""The calls that make a job: what intake refuses told as what it is to the sender, and repeated requests answered as the first."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from accounts.models import User
from whisper_jobs import intake, resumable
from whisper_jobs.dialects.native import idempotency
from whisper_jobs.dialects.native.errors import Unprocessable
from whisper_jobs.dialects.native.requests import Again
from whisper_jobs.models import Channel, Job
from whisper_jobs.pen import Gone


@dataclass(frozen=True, slots=True)
class Made:
    """A job, and the headers that say whether this request made it or an earlier one did."""

    job: Job
    headers: dict[str, str] = field(default_factory=dict)


def message(channel: str | None) -> str:
    if channel == Channel.API:
        return _("Whisper API job queued. A callback will be sent when the job reaches a terminal state.")
    return _("The job is queued.")


def submit(submission: intake.Submission) -> Made:
    return _once(lambda: _submitted(submission), submission.owner)


def again(job: Job, owner: User, asked: Again) -> Made:
    return _once(lambda: _repeated(job, owner, asked), owner)


def _once(make: Callable[[], Job], owner: User) -> Made:
    try:
        return Made(make())
    except intake.Repeated as repeated:
        idempotency.demand_same(repeated)
        return Made(_made_before(repeated, owner), {idempotency.REPLAYED: "true"})


def _made_before(repeated: intake.Repeated, owner: User) -> Job:
    """Deleted meanwhile, it is gone. A manager sees those of one tenant, but this one is the owner's in any case."""
    found = Job.objects.select_related("owner").filter(owner=owner, pk=repeated.job_id).first()
    if found is None:
        raise Gone(repeated.job_id)
    return found


def _submitted(submission: intake.Submission) -> Job:
    try:
        return intake.submit(submission)
    except resumable.Refused as refused:
        raise Unprocessable(str(refused), code=refused.code, errors={"upload_id": [str(refused)]}) from refused
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        told = _("The server's disk is full. Try again later or tell an administrator.")
        raise Unprocessable(told, code="disk_full", errors={"media_file": [told]}) from error


def _repeated(job: Job, owner: User, asked: Again) -> Job:
    try:
        return intake.again(job, owner, model=asked.model, idempotency=asked.idempotency)
    except FileNotFoundError as error:
        told = _("The recording is not on the server any more. Submit it again.")
        raise Unprocessable(told, code="source_not_found") from error
