"""Live sessions: whether the process that holds them answers, and whether anybody reads for it."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from whisper_jobs.doctor.finding import Finding, State
from whisper_jobs.doctor.work import is_stopped
from whisper_jobs.hearing import client

NAME = "live"


def check_live() -> Finding:
    tools = settings.TOOLS
    if not tools.has_live:
        advice = _("Set TOOLS_LIVE_WORKERS to have them.")
        return Finding(NAME, State.OK, _("Live sessions are switched off."), advice)
    if is_stopped():
        return Finding(NAME, State.WARN, _("The server is not running."), _("Start it with `script/server`."))
    return found(client.status())


def found(told: dict[str, object] | None) -> Finding:
    """`told` is what the live process says of itself; None where it doesn't answer."""
    if told is None:
        advice = _("See its log in the data folder, in log/, and TOOLS_LIVE_ADDRESS if that is set.")
        return Finding(NAME, State.FAIL, _("The process that holds live sessions does not answer."), advice)
    numbers = {"sessions": told["sessions"], "ears": told["ears"]}
    if not told["ears"]:
        sentence = _("Live sessions are heard, but no process reads them: their words come later, as recordings.")
        return Finding(NAME, State.FAIL, sentence, _("See the logs in the data folder, in log/."))
    return Finding(NAME, State.OK, _("Live sessions: %(sessions)s now, %(ears)s processes read them.") % numbers)
