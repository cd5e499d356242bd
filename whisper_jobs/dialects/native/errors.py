"""The native error envelope: {"ok": false, "message", "code", "errors"}; validation is 422."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError, OperationalError
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from whisper_jobs import limits
from whisper_jobs.dialects import idempotency
from whisper_jobs.pen import Gone
from whisper_jobs.runs import NotAllowed

log = logging.getLogger(__name__)
#: When a client may try again after a 503.
RETRY_SECONDS = 5


class Unprocessable(exceptions.APIException):
    """A rule of the business refuses this; `errors` names the fields it is about."""

    status_code = 422
    default_code = "invalid"

    def __init__(self, message: str, *, code: str = "invalid", errors: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(message, code)
        self.errors = dict(errors or {})


class TooManyJobs(exceptions.APIException):
    status_code = 429
    default_code = limits.TooManyJobs.code


class TooLarge(exceptions.APIException):
    """What is in the body beside a file is more than any of the fields can hold."""

    status_code = 413
    default_detail = gettext_lazy("The request body is larger than this server accepts.")
    default_code = "too_large"


class Unavailable(exceptions.APIException):
    """A part of the server does not answer now; the same request may be answered later."""

    status_code = 503
    default_detail = gettext_lazy("The server can't answer now. Try again later.")
    default_code = "unavailable"


class DiskFull(exceptions.APIException):
    status_code = 507
    default_detail = gettext_lazy("The server's disk is full. Try again later or tell an administrator.")
    default_code = "disk_full"


class Broken(exceptions.APIException):
    """A fault of the server, which is logged and not told."""

    default_detail = gettext_lazy("Something went wrong on the server. Try again later.")
    default_code = "internal_error"


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler for the whole native API."""
    told = _as_api_error(error)
    if not isinstance(told, exceptions.APIException):
        told = _as_fault(told)
        log.log(logging.ERROR if isinstance(told, Broken) else logging.WARNING, "a request failed", exc_info=error)
    response = exception_handler(told, context)
    assert response is not None
    set_rollback()
    if isinstance(told, exceptions.ValidationError | exceptions.ParseError):
        response.status_code = 422
    if isinstance(told, Unavailable):
        response["Retry-After"] = str(RETRY_SECONDS)
    if isinstance(told, TooManyJobs):
        response["Retry-After"] = str(limits.RETRY_SECONDS)
    response.data = {"ok": False, "message": _message(told), "code": _code(told), "errors": _errors(told)}
    if isinstance(error, limits.LimitReached):
        response.data["limits"] = limits.told(error.standing)
    return response


def _as_fault(error: Exception) -> exceptions.APIException:
    if _is_disk_full(error):
        return DiskFull()
    return Unavailable() if isinstance(error, OperationalError) else Broken()


def _is_disk_full(error: Exception) -> bool:
    """As SQLite and PostgreSQL word it."""
    said = str(error).lower()
    return isinstance(error, DatabaseError) and ("disk is full" in said or "no space left" in said)


def _as_api_error(error: Exception) -> Exception:
    """What this error is to the sender; as it came where it is no answer of ours."""
    if isinstance(error, Http404 | Gone):
        return exceptions.NotFound(_("There is no such job."))
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, NotAllowed):
        return Unprocessable(str(error), code="not_allowed")
    if isinstance(error, idempotency.Refused):
        return Unprocessable(str(error), code=error.code, errors={idempotency.HEADER: [str(error)]})
    if isinstance(error, limits.TooManyJobs):
        return TooManyJobs(str(error))
    if isinstance(error, limits.LimitReached):
        return Unprocessable(str(error), code=error.code)
    if isinstance(error, RequestDataTooBig):
        return TooLarge()
    if isinstance(error, SuspiciousOperation | BadRequest):
        return Unprocessable(_("The server could not read this request."), code="bad_request")
    return error


def _errors(error: Exception) -> dict[str, list[str]]:
    if isinstance(error, Unprocessable):
        return error.errors
    if isinstance(error, exceptions.ValidationError) and isinstance(error.detail, dict):
        return {str(field): _texts(told) for field, told in error.detail.items()}
    return {}


def _texts(told: Any) -> list[str]:
    if isinstance(told, list):
        return [text for one in told for text in _texts(one)]
    if isinstance(told, dict):
        return [text for one in told.values() for text in _texts(one)]
    return [str(told)]


def _message(error: Exception) -> str:
    if isinstance(error, exceptions.ValidationError):
        first = next(iter(_errors(error).values()), None) or _texts(error.detail)
        return first[0]
    if isinstance(error, exceptions.APIException):
        return _texts(error.detail)[0]
    return str(error)


def _code(error: Exception) -> str:
    if isinstance(error, exceptions.ValidationError):
        return "invalid"
    codes = error.get_codes() if isinstance(error, exceptions.APIException) else "error"
    if isinstance(codes, dict):
        codes = codes.get("code", "invalid")
    return codes if isinstance(codes, str) else "invalid"
