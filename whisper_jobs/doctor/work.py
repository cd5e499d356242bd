"""What does the work: broker, workers, clocks that agree."""

from __future__ import annotations

import time

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.utils.translation import gettext as _

from whisper_jobs import queries
from whisper_jobs.doctor import broker
from whisper_jobs.doctor.finding import Finding, State

#: Leases and signatures bear a difference of seconds; a minute ends sessions early and makes codes and callbacks fail.
ODD_SECONDS, WRONG_SECONDS = 5.0, 60.0


def is_stopped() -> bool:
    """Whether this server is not meant to run now: its own broker has left no socket."""
    tools = settings.TOOLS
    return tools.embedded_broker and not tools.socket_path.exists()


def check_broker() -> Finding:
    if is_stopped():
        return _stopped("broker")
    if broker.answers():
        return Finding("broker", State.OK, _("The broker answers."))
    if settings.TOOLS.embedded_broker:
        return Finding("broker", State.FAIL, _("The broker does not answer."), _("Stop the server and start it again."))
    advice = _("See that it runs and that TOOLS_REDIS_URL is right.")
    return Finding("broker", State.FAIL, _("The broker does not answer."), advice)


def check_workers() -> Finding:
    if is_stopped():
        return _stopped("workers")
    try:
        counts = queries.live_workers()
    except DatabaseError:
        return Finding("workers", State.FAIL, _("Without the database no worker works."))
    idle = [lane for lane, count in counts.items() if not count]
    if idle:
        sentence = _("No worker is up for: %(lanes)s. Their jobs wait.") % {"lanes": ", ".join(idle)}
        return Finding("workers", State.FAIL, sentence, _("See the logs of the workers in the data folder, in log/."))
    told = ", ".join(f"{lane} {count}" for lane, count in counts.items())
    return Finding("workers", State.OK, _("Workers are up: %(lanes)s.") % {"lanes": told})


def _stopped(name: str) -> Finding:
    return Finding(name, State.WARN, _("The server is not running."), _("Start it with `script/server`."))


def clock(elsewhere: dict[str, float]) -> Finding:
    """`elsewhere`: whose clock it is → by how many seconds it is ahead of this machine's."""
    if not elsewhere:
        return Finding("clock", State.OK, _("There is no other clock to compare this machine's with."))
    whose, ahead = max(elsewhere.items(), key=lambda one: abs(one[1]))
    numbers = {"whose": whose, "seconds": abs(ahead)}
    if abs(ahead) <= ODD_SECONDS:
        return Finding("clock", State.OK, _("The clock agrees with that of: %(all)s.") % {"all": ", ".join(elsewhere)})
    behind = _("This machine's clock is %(seconds)d s behind that of %(whose)s.")
    sentence = (
        behind if ahead > 0 else _("This machine's clock is %(seconds)d s ahead of that of %(whose)s.")
    ) % numbers
    advice = _("Let the machines set their clocks by NTP (`timedatectl set-ntp true`).")
    return Finding("clock", State.FAIL if abs(ahead) > WRONG_SECONDS else State.WARN, sentence, advice)


def check_clock() -> Finding:
    """Against the broker's clock and the database's. One on this machine has the same, and agrees."""
    elsewhere: dict[str, float] = {}
    if not is_stopped() and (told := broker.clock()) is not None:
        elsewhere[_("the broker")] = told - time.time()
    if (told := _database_clock()) is not None:
        elsewhere[_("the database")] = told - time.time()
    return clock(elsewhere)


def _database_clock() -> float | None:
    if connection.vendor != "postgresql":
        return None
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
            row = cursor.fetchone()
    except DatabaseError:
        return None
    return float(row[0]) if row else None
