"""Who may open a live session: programs with the published permissions, and on this site's own page everybody who may use it.

Somebody who may hand in a recording by a form may as well speak it into the page.
"""

from __future__ import annotations

from accounts.models import User
from whisper_jobs import queries
from whisper_jobs.dialects.scaiecho.access import may


def may_open(user: User, *, is_page: bool) -> bool:
    return may(user, "scaiecho:transcribe") or (is_page and queries.can_use(user))


def may_tell_speakers_apart(user: User, *, is_page: bool) -> bool:
    return may(user, "scaiecho:diarize") or (is_page and queries.can_use(user))
