"""The native error envelope: {"ok": false, "message", "code", "errors"}; validation is 422."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail

from whisper_jobs.dialects import refusals
from whisper_jobs.dialects.refusals import Kind, Refusal, Refused

STATUSES: dict[Kind, int] = {
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.METHOD: 405,
    Kind.TOO_LARGE: 413,
    Kind.MEDIA_TYPE: 415,
    Kind.RATE: 429,
    Kind.TOO_MANY_JOBS: 429,
    Kind.BROKEN: 500,
    Kind.UNAVAILABLE: 503,
    Kind.DISK_FULL: 507,
}


class Unprocessable(Refused):
    """A rule of the business refuses this; `errors` names the fields it is about."""

    def __init__(self, message: str, *, code: str = "invalid", errors: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(Kind.INVALID, message, code=code)
        fields = {name: [ErrorDetail(one, code) for one in told] for name, told in (errors or {}).items()}
        self.refusal = Refusal(Kind.INVALID, message, code, fields)


def word(refusal: Refusal) -> refusals.Worded:
    message, code = refusal.message, refusal.code
    if refusal.kind == Kind.NOT_FOUND:
        # Whatever else has a number is told by the view that looks for it.
        message, code = message if code == "not_found" else _("There is no such job."), "not_found"
    body: dict[str, Any] = {"ok": False, "message": message, "code": code, "errors": refusal.fields, **refusal.extra}
    return refusal.status or STATUSES.get(refusal.kind, 422), body


#: For the whole native API.
handle = refusals.handler(word)
