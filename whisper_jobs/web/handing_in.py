"""Several recordings handed in by one form: one after the other, and told which are in when one can't be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from whisper_jobs import intake, limits
from whisper_jobs.intake import Submission
from whisper_jobs.models import Job

#: Characters of a link and of a title that another app shares.
LONGEST_LINK, LONGEST_TITLE = 4000, 200


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What became a job and what is left. `problem` says why there is something left, `field` what it is about."""

    jobs: Sequence[Job]
    left: Sequence[Submission] = ()
    problem: str = ""
    field: str | None = None

    @property
    def told(self) -> list[str]:
        """For the person who sent the form."""
        count = len(self.jobs)
        taken = ngettext("%(n)d recording is in the queue.", "%(n)d recordings are in the queue.", count) % {"n": count}
        if not self.problem:
            return [taken]
        if not self.jobs:
            return [self.problem]
        names = ", ".join(_name(one) for one in self.left)
        return [self.problem, taken, _("These are not: %(names)s") % {"names": names}]


def hand_in(asked: Sequence[Submission]) -> HandedIn:
    """Stops at the first that can't be taken: what stops it would stop the others."""
    jobs: list[Job] = []
    for place, one in enumerate(asked):
        try:
            jobs.append(intake.submit(one))
        except limits.LimitReached as reached:
            return HandedIn(jobs, asked[place:], str(reached))
        except OSError:
            return HandedIn(jobs, asked[place:], not_stored(), "media_file")
    return HandedIn(jobs)


def _name(one: Submission) -> str:
    return one.source_url or str(one.media_file and one.media_file.name)


def not_stored() -> str:
    return _(
        "The recording could not be stored; the server's disk may be full. Try again later or tell an administrator."
    )


def shared(asked: Mapping[str, str]) -> dict[str, str]:
    """What the address of the page puts into the form, as another app shares it."""
    link, title = asked.get("source_url", ""), asked.get("source_label", "")
    told = {"source_url": link[:LONGEST_LINK], "source_label": title[:LONGEST_TITLE]}
    return {name: value.replace("\0", "") for name, value in told.items() if value}
