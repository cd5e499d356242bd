"""What an integrator wants to see happen without any work: read from a header, kept on the job as JSON, played by the pipeline."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from whisper_jobs.errors import FAILURES

#: Seconds, as the contract has it.
MOST_FINISH_IN = 900
MOST_SEGMENTS = 10_000
MOST_CALLBACK_FAILURES = 9
HEADER = "X-Sandbox"
_MOST = {"finish_in": MOST_FINISH_IN, "segments": MOST_SEGMENTS, "callback_failures": MOST_CALLBACK_FAILURES}
_LEAST = {"finish_in": 0, "segments": 1, "callback_failures": 0}


class Invalid(ValueError):
    """The message is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Script:
    """How a job of the sandbox ends: after `finish_in` seconds, never where that is None; with `error` (a code of FAILURES) or
    with so many made-up segments. So many first attempts of its callback are sent, and then counted as failed.
    """

    finish_in: int | None = 0
    error: str = ""
    segments: int = 8
    callback_failures: int = 0

    def stored(self) -> dict[str, Any]:
        return asdict(self)


def script_of(stored: dict[str, Any]) -> Script:
    return Script(**stored)


def parse(text: str, default: Script) -> Script:
    """From `finish_in=3; error=no_speech; segments=40; callback_failures=2`, in any order; `finish_in=never`. Raises Invalid.

    What is left out is as in `default`.
    """
    told: dict[str, Any] = {}
    for part in filter(None, (one.strip() for one in text.split(";"))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or name in told:
            raise Invalid(_("X-Sandbox is written as “finish_in=3; error=no_speech; segments=40”."))
        told[name] = _value(name, value)
    return replace(default, **told)


def _value(name: str, value: str) -> int | str | None:
    if name == "error":
        if value not in FAILURES:
            raise Invalid(_("There is no failure “%(code)s”. Choose one of: %(known)s.") % _known(value))
        return value
    if name not in _MOST:
        raise Invalid(_("X-Sandbox has no part “%(name)s”.") % {"name": name[:40]})
    if name == "finish_in" and value == "never":
        return None
    if not (value.isascii() and value.isdigit() and _LEAST[name] <= int(value[:9]) <= _MOST[name] and len(value) < 9):
        told = {"name": name, "least": _LEAST[name], "most": _MOST[name]}
        raise Invalid(_("%(name)s is a whole number from %(least)d to %(most)d.") % told)
    return int(value)


def _known(code: str) -> dict[str, str]:
    return {"code": code[:40], "known": ", ".join(FAILURES)}
