"""How well the server works, as far as everybody may know: one word for each part of it, from what the doctor last found.

The doctor takes a while, so that a thread asks it now and then, and nobody who asks here waits.
"""

from __future__ import annotations

import threading
import time

from whisper_jobs.doctor import examining
from whisper_jobs.doctor.finding import Group

#: Parts whose checks need neither the database nor the broker, which /readyz looks at by itself. What protects the site is
#: nobody else's business.
GROUPS = (Group.SPEECH, Group.MEDIA, Group.STORAGE)
#: What was found is good for so long.
FRESH_SECONDS = 60.0

_lock = threading.Lock()
_found: dict[str, str] = {}
_looked_at: float | None = None


def known() -> dict[str, str]:
    """Part → ok, warn or fail; empty until the doctor has come once."""
    global _looked_at
    with _lock:
        if _looked_at is None or time.monotonic() - _looked_at > FRESH_SECONDS:
            _looked_at = time.monotonic()
            threading.Thread(target=_look, name="doctor", daemon=True).start()
        return dict(_found)


def _look() -> None:
    sections = examining.examine(GROUPS)
    with _lock:
        _found.update({section.group.value: section.state.value for section in sections})
