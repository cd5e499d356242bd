"""The calls that make a job: what intake refuses told as what it is to the sender, and repeated requests answered as the first."""

from __future__ import annotations

import errno

from django.utils.translation import gettext as _

from accounts.models import User
from whisper_jobs import intake, resumable
from whisper_jobs.dialects import idempotency
from whisper_jobs.dialects.idempotency import Made
from whisper_jobs.dialects.native.errors import Unprocessable
from whisper_jobs.dialects.native.requests import Again
from whisper_jobs.models import Channel, Job


def message(channel: str | None) -> str:
    if channel == Channel.API:
        return _("Whisper API job queued. A callback will be sent when the job reaches a terminal state.")
    return _("The job is queued.")


def submit(submission: intake.Submission) -> Made:
    return idempotency.once(lambda: _submitted(submission), submission.owner)


def again(job: Job, owner: User, asked: Again) -> Made:
    return idempotency.once(lambda: _repeated(job, owner, asked), owner)


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
