"""What a call asks of the sandbox, alike in every dialect: the script that is played in place of the work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from django.utils.translation import gettext as _

from accounts.models import PersonalToken, User
from whisper_jobs import policy, sandbox
from whisper_jobs.dialects.refusals import Kind, Refused
from whisper_jobs.sandbox import HEADER, Script


class HasHeaders(Protocol):
    """A request of any library."""

    @property
    def headers(self) -> Mapping[str, str]: ...


def script_for(request: HasHeaders, token: PersonalToken | None, *, default: Script | None = None) -> Script | None:
    """The script of a job that this call makes; None where the work is to be done.

    `default` is played where the header says nothing else. Raises Refused: the header is of no use with another token, so it is
    never passed over.
    """
    told = request.headers.get(HEADER)
    if token is not None and token.is_sandbox:
        return _read(told or "", default or Script())
    if told is not None:
        raise _invalid(
            _("X-Sandbox is for tokens of the sandbox. Make one on the page of your tokens, or leave it out.")
        )
    return None


def script_or_work(request: HasHeaders, token: PersonalToken | None, owner: User) -> Script | None:
    """The same; where the work is to be done, who may do it. Said at once rather than by a job that can only fail.

    Raises policy.NoUsableBackend.
    """
    script = script_for(request, token)
    if script is None:
        policy.allowed_for(owner)
    return script


def _read(told: str, default: Script) -> Script:
    try:
        return sandbox.parse(told, default)
    except sandbox.Invalid as error:
        raise _invalid(str(error)) from error


def _invalid(message: str) -> Refused:
    return Refused(Kind.INVALID, message, code="invalid", field=HEADER)
