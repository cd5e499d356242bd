"""Verbs for whoever sees a job: share its transcript, change the link, revoke it. Each is one transaction, as in lifecycle."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict

from django.contrib.auth.hashers import make_password
from django.utils.translation import gettext as _

from sharing import links
from sharing.models import Share
from whisper_jobs.models import Job
from whisper_jobs.pen import Edit, editing
from whisper_jobs.runs import NotAllowed
from whisper_jobs.states import Stage

MOST_DAYS = 3650
LEAST_PASSCODE, MOST_PASSCODE = 4, 128


class Options(TypedDict, total=False):
    """What to set; what is left out stays as it is. An empty passcode removes it, and `expires_at=None` means never."""

    expires_at: datetime | None
    passcode: str
    allow_audio: bool
    show_analysis: bool


class NotShared(NotAllowed):
    """The job has no share that could be changed or revoked."""


def share(job_id: int, options: Options, *, new_link: bool = False) -> tuple[Job, bool]:
    """The job, and whether its link is new: a link that is still good is kept and changed, unless another is wanted.

    A new link takes over the options of the one before. Raises NotAllowed while there is no transcript; Gone.
    """
    fields = _columns(options)
    with editing(job_id) as edit:
        if edit.job.stage != Stage.COMPLETED:
            raise NotAllowed(_("A transcript can be shared when its job is completed."))
        before = links.current(edit.job)
        if before is not None and not (new_link or before.has_expired):
            _change(edit, before, fields)
            return edit.job, False
        if before is not None:
            _revoke(edit, before)
        edit.log("The transcript is shared.")
        edit.show_share(Share.objects.create(job=edit.job, **{**_inherited(before), **fields}))
    return edit.job, True


def change(job_id: int, options: Options) -> Job:
    """Sets what is given, of a share that may have expired. Raises NotShared; Gone."""
    fields = _columns(options)
    with editing(job_id) as edit:
        _change(edit, _demand(edit.job), fields)
    return edit.job


def revoke(job_id: int) -> Job:
    """Ends the share at once and for good. Raises NotShared; Gone."""
    with editing(job_id) as edit:
        _revoke(edit, _demand(edit.job))
        edit.log("The transcript is no longer shared.")
        edit.show_share(None)
    return edit.job


def _columns(options: Options) -> dict[str, Any]:
    """Made before the job is locked: hashing is slow on purpose."""
    fields: dict[str, Any] = {**options}
    if "passcode" in options:
        fields["passcode"] = make_password(options["passcode"]) if options["passcode"] else ""
    return fields


def _demand(job: Job) -> Share:
    found = links.current(job)
    if found is None:
        raise NotShared(_("This transcript is not shared."))
    return found


def _change(edit: Edit, row: Share, fields: dict[str, Any]) -> None:
    if fields:
        Share.objects.filter(pk=row.pk).update(**fields)
        row.refresh_from_db()
        edit.log("The link to the transcript was changed.")
        edit.show_share(row)


def _revoke(edit: Edit, row: Share) -> None:
    Share.objects.filter(pk=row.pk).update(revoked_at=edit.now)


def _inherited(before: Share | None) -> dict[str, Any]:
    if before is None:
        return {}
    expires_at = None if before.has_expired else before.expires_at
    return {
        "expires_at": expires_at,
        "passcode": before.passcode,
        "allow_audio": before.allow_audio,
        "show_analysis": before.show_analysis,
    }
