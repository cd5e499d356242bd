"""What the verbs have in common by which a user asks for more of a completed job. Works on an Edit; opens no transaction."""

from __future__ import annotations

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from whisper_jobs.models import Job, Step
from whisper_jobs.moves import requeue
from whisper_jobs.pen import Edit
from whisper_jobs.runs import NotAllowed
from whisper_jobs.states import Kind, Stage, StepState

#: Each of them takes the segments as they are.
_OF_SEGMENTS = (Kind.DIARIZE, Kind.REFILL)


def demand_transcript(job: Job) -> None:
    """Raises NotAllowed while there is no transcript, and for one that is made up."""
    demand_heard(job)
    if job.stage != Stage.COMPLETED:
        raise NotAllowed(_("This job has no finished transcript yet."))


def demand_heard(job: Job) -> None:
    """Raises NotAllowed for a job of the sandbox."""
    if job.sandbox is not None:
        told = _("This recording belongs to the sandbox: nothing was heard, so nothing more can be made of it.")
        raise NotAllowed(told)


def demand_sound(job: Job) -> None:
    """Raises NotAllowed where the original was deleted because its time was over."""
    if job.media_removed_at:
        told = _(
            "The sound of this recording was deleted on %(day)s, so that it can't be heard again. Hand it in anew."
        )
        raise NotAllowed(told % {"day": date_format(localtime(job.media_removed_at), "DATE_FORMAT")})


def queue(edit: Edit, kind: Kind, index: int) -> None:
    """Has the step run, whether or not it has before. Raises NotAllowed while it does."""
    at_work = Step.objects.filter(job=edit.job, state__in=[StepState.READY, StepState.RUNNING])
    if at_work.filter(kind=kind, index=index).exists():
        raise NotAllowed(_("This is being made already."))
    if kind in _OF_SEGMENTS and at_work.filter(kind__in=_OF_SEGMENTS).exists():
        raise NotAllowed(_("Something else of this transcript is being made. Try again when it is done."))
    requeue(edit, kind, index)
