"""What any exception is to a caller, before a dialect words it: one list for all of them.

A dialect has a table from Kind to its own status and code, and an envelope; nothing else of its own for what goes wrong.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import ceil
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError, OperationalError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from whisper_jobs import limits, resumable
from whisper_jobs.dialects import idempotency
from whisper_jobs.errors import JobError
from whisper_jobs.pen import Gone
from whisper_jobs.runs import NotAllowed
from whisper_jobs.told import in_words_of_the_reader

log = logging.getLogger(__name__)
#: When a client may try again after a fault that passes.
RETRY_SECONDS = 5


class Kind(Enum):
    """Why a request is refused."""

    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD = "method"
    #: `fields` says what is wrong with which.
    INVALID = "invalid"
    #: The body is no JSON, no form, or can't be read.
    UNREADABLE = "unreadable"
    MEDIA_TYPE = "media_type"
    TOO_LARGE = "too_large"
    #: Not in this order of calls, or not in this state.
    NOT_ALLOWED = "not_allowed"
    #: A job ended without words; `code` is that of errors.FAILURES.
    FAILED = "failed"
    RATE = "rate"
    TOO_MANY_JOBS = "too_many_jobs"
    QUOTA = "quota"
    DISK_FULL = "disk_full"
    UNAVAILABLE = "unavailable"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Refusal:
    """`fields`: sentences by field, each with DRF's code of what is wrong (`required`, `invalid_choice` …) as `.code`."""

    kind: Kind
    message: str
    code: str = ""
    fields: Mapping[str, list[exceptions.ErrorDetail]] = field(default_factory=dict)
    retry_after_seconds: int | None = None
    #: The job that it is about, where there is one.
    job_id: int | None = None
    #: Where a protocol demands one that no Kind has.
    status: int | None = None
    #: What else there is to tell.
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parameter(self) -> str | None:
        """The first field that it is about."""
        return next(iter(self.fields), None)


class Refused(Exception):
    """For views and requests that refuse by themselves."""

    def __init__(self, kind: Kind, message: str, *, code: str = "", field: str = "") -> None:
        super().__init__(message)
        told = {field: [exceptions.ErrorDetail(message, code or "invalid")]} if field else {}
        self.refusal = Refusal(kind, message, code, told)


#: Status and body of a refusal, as a dialect writes them.
Worded = tuple[int, Any]


def handler(word: Callable[[Refusal], Worded]) -> Callable[[Exception, dict[str, Any]], Response]:
    """DRF's exception handler for the views of a dialect that words refusals so."""

    def handle(error: Exception, context: dict[str, Any]) -> Response:
        told = of(error)
        return respond(error, context, word(told), told.retry_after_seconds)

    return handle


def respond(error: Exception, context: dict[str, Any], worded: Worded, retry_after_seconds: int | None) -> Response:
    # What DRF makes of its own refusals has the right headers, such as a challenge.
    known = error if isinstance(error, exceptions.APIException) else exceptions.APIException()
    response = exception_handler(known, context)
    assert response is not None
    set_rollback()
    response.status_code, response.data = worded
    if retry_after_seconds:
        response["Retry-After"] = str(retry_after_seconds)
    return response


def of(error: Exception) -> Refusal:
    """What any exception is to the caller. What nobody thought of is logged and not told."""
    if isinstance(error, Refused):
        return error.refusal
    if isinstance(error, exceptions.APIException):
        return _of_drf(error)
    return _of_core(error) or _of_the_server(error)


_OF_STATUS = {
    401: Kind.UNAUTHENTICATED,
    403: Kind.FORBIDDEN,
    404: Kind.NOT_FOUND,
    405: Kind.METHOD,
    415: Kind.MEDIA_TYPE,
    429: Kind.RATE,
}


def _of_drf(error: exceptions.APIException) -> Refusal:
    if isinstance(error, exceptions.ValidationError):
        fields = _by_field(error.detail)
        return Refusal(Kind.INVALID, next(iter(fields.values()))[0] if fields else str(error), "invalid", fields)
    if isinstance(error, exceptions.ParseError):
        return Refusal(Kind.UNREADABLE, str(error.detail), error.default_code)
    wait = getattr(error, "wait", None)
    kind = _OF_STATUS.get(error.status_code, Kind.INVALID if error.status_code < 500 else Kind.BROKEN)
    told = _leaves(error.detail)[0]
    return Refusal(
        kind,
        told,
        told.code or "",
        retry_after_seconds=None if wait is None else max(1, ceil(wait)),
        status=None if error.status_code in (500, *_OF_STATUS) else error.status_code,
    )


def _by_field(detail: Any) -> dict[str, list[exceptions.ErrorDetail]]:
    told = detail if isinstance(detail, dict) else {"non_field_errors": detail}
    return {str(name): leaves for name, one in told.items() if (leaves := _leaves(one))}


def _leaves(detail: Any) -> list[exceptions.ErrorDetail]:
    """The sentences in what DRF says is wrong, however deep they lie."""
    if isinstance(detail, list | dict):
        inner = detail.values() if isinstance(detail, dict) else detail
        return [leaf for one in inner for leaf in _leaves(one)]
    return [detail if isinstance(detail, exceptions.ErrorDetail) else exceptions.ErrorDetail(str(detail), "invalid")]


def _of_core(error: Exception) -> Refusal | None:
    if isinstance(error, JobError):
        return of_failure(error.code, error.message)
    if isinstance(error, NotAllowed):
        return Refusal(Kind.NOT_ALLOWED, str(error), "not_allowed")
    if isinstance(error, idempotency.Refused):
        return Refused(Kind.INVALID, str(error), code=error.code, field=idempotency.HEADER).refusal
    if isinstance(error, resumable.Refused):
        kind = Kind.DISK_FULL if error.code == "disk_full" else Kind.INVALID
        return Refused(kind, str(error), code=error.code).refusal
    if isinstance(error, Gone):
        return Refusal(Kind.NOT_FOUND, _("There is no such job."), "no_such_job")
    if isinstance(error, Http404):
        return Refusal(Kind.NOT_FOUND, _("There is nothing at this address."))
    if isinstance(error, PermissionDenied):
        return Refusal(Kind.FORBIDDEN, _("You may not do this."), "permission_denied")
    if isinstance(error, limits.LimitReached):
        return _of_limit(error)
    if isinstance(error, RequestDataTooBig):
        return Refusal(Kind.TOO_LARGE, _("The request body is larger than this server accepts."), "too_large")
    if isinstance(error, SuspiciousOperation | BadRequest):
        return Refusal(Kind.UNREADABLE, _("The server could not read this request."), "bad_request")
    return None


def _of_limit(error: limits.LimitReached) -> Refusal:
    extra = {"limits": limits.told(error.standing)}
    if isinstance(error, limits.TooManyJobs):
        return Refusal(
            Kind.TOO_MANY_JOBS, str(error), error.code, retry_after_seconds=limits.RETRY_SECONDS, extra=extra
        )
    return Refusal(Kind.QUOTA, str(error), error.code, extra=extra)


def of_failure(code: str, message: str) -> Refusal:
    """What a job that failed, or can't be made, is to its caller."""
    return Refusal(Kind.FAILED, in_words_of_the_reader(message), code)


def _of_the_server(error: Exception) -> Refusal:
    told = _fault(error)
    log.log(logging.ERROR if told.kind == Kind.BROKEN else logging.WARNING, "a request failed", exc_info=error)
    return told


def _fault(error: Exception) -> Refusal:
    if is_disk_full(error):
        return Refusal(
            Kind.DISK_FULL, _("The server's disk is full. Try again later or tell an administrator."), "disk_full"
        )
    if isinstance(error, OperationalError):
        told = _("The server can't answer now. Try again later.")
        return Refusal(Kind.UNAVAILABLE, told, "unavailable", retry_after_seconds=RETRY_SECONDS)
    return Refusal(Kind.BROKEN, _("Something went wrong on the server. Try again later."), "internal_error")


def is_disk_full(error: Exception) -> bool:
    """As the system, SQLite and PostgreSQL word it."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    said = str(error).lower()
    return isinstance(error, DatabaseError) and ("disk is full" in said or "no space left" in said)
