"""The error envelope of this dialect: {"error": {"code", "message", …}}. The published codes and their statuses stand here."""

from __future__ import annotations

import errno
import logging
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError, OperationalError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from whisper_jobs import limits, policy
from whisper_jobs.dialects import idempotency
from whisper_jobs.errors import JobError
from whisper_jobs.pen import Gone
from whisper_jobs.told import in_words_of_the_reader

log = logging.getLogger(__name__)
#: When a client may try again after a 503.
RETRY_SECONDS = 5
#: The codes that say what a request got wrong, with their statuses.
STATUSES: dict[str, int] = {
    "SCAIECHO_EMPTY_AUDIO": 400,
    "SCAIECHO_BAD_BACKEND_PREFERENCE": 400,
    "SCAIECHO_TENANT_POLICY_INVALID": 400,
    "SCAIECHO_SPEAKER_PREFLIGHT_FAILED": 400,
    "SCAIECHO_CONSENT_INVALID": 400,
    "SCAIECHO_DECODE_FAILED": 400,
    "SCAIECHO_WEBRTC_BAD_OFFER": 400,
    "SCAIECHO_UNAUTHORIZED": 401,
    "SCAIECHO_QUOTA_EXCEEDED": 402,
    "SCAIECHO_FORBIDDEN": 403,
    "SCAIECHO_SPEAKER_ACCESS_DENIED": 403,
    "SCAIECHO_NOT_FOUND": 404,
    "SCAIECHO_JOB_NOT_FOUND": 404,
    "SCAIECHO_SPEAKER_NOT_FOUND": 404,
    "SCAIECHO_WEBRTC_SESSION_NOT_FOUND": 404,
    "SCAIECHO_METHOD_NOT_ALLOWED": 405,
    "SCAIECHO_CANCELLED": 409,
    "SCAIECHO_SPEAKER_NO_REFERENCE": 409,
    "SCAIECHO_SPEAKER_NOT_READY_FOR_WARMING": 409,
    "SCAIECHO_WEBRTC_SESSION_STATE_LOST": 410,
    "SCAIECHO_TOO_LARGE": 413,
    "SCAIECHO_UNSUPPORTED_MEDIA_TYPE": 415,
    "SCAIECHO_INVALID": 422,
    "SCAIECHO_RATE_LIMITED": 429,
    "SCAIECHO_TOO_MANY_JOBS": 429,
    "SCAIECHO_INTERNAL_ERROR": 500,
    "SCAIECHO_NO_USABLE_BACKEND": 500,
    "SCAIECHO_WEBRTC_UNAVAILABLE": 501,
    "SCAIECHO_BACKEND_UNAVAILABLE": 502,
    "SCAIECHO_UNAVAILABLE": 503,
    "SCAIECHO_DISK_FULL": 507,
}
#: Why a job failed → what that is to who waits for it in the same request. All else is a fault of the server.
_FAILURES = {
    **dict.fromkeys(("media_corrupt", "no_audio_stream", "source_type_not_supported"), "SCAIECHO_DECODE_FAILED"),
    **dict.fromkeys(("source_too_long", "source_too_large"), "SCAIECHO_TOO_LARGE"),
    **dict.fromkeys(("backend_unavailable", "model_unavailable"), "SCAIECHO_BACKEND_UNAVAILABLE"),
    **dict.fromkeys(("language_unsupported", "no_speech"), "SCAIECHO_INVALID"),
    "quota_exceeded": "SCAIECHO_QUOTA_EXCEEDED",
    "cancelled": "SCAIECHO_CANCELLED",
}
#: The plain code of a status, for what DRF refuses by itself.
_CODES = {
    401: "SCAIECHO_UNAUTHORIZED",
    403: "SCAIECHO_FORBIDDEN",
    404: "SCAIECHO_NOT_FOUND",
    405: "SCAIECHO_METHOD_NOT_ALLOWED",
    415: "SCAIECHO_UNSUPPORTED_MEDIA_TYPE",
    429: "SCAIECHO_RATE_LIMITED",
}


class ScaiError(exceptions.APIException):
    """One of STATUSES, a sentence for the caller, and what else the answer tells under "error"."""

    def __init__(self, code: str, message: str, **extra: Any) -> None:
        super().__init__(message, code)
        self.code, self.message, self.extra = code, message, extra
        self.status_code = STATUSES[code]


def of_failure(error: JobError, **extra: Any) -> ScaiError:
    """What a failed job, or one that can't be made, is to its caller."""
    code = _FAILURES.get(error.code, "SCAIECHO_INTERNAL_ERROR")
    return ScaiError(code, in_words_of_the_reader(error.message), failure_code=error.code, **extra)


def invalid(errors: dict[str, list[str]]) -> ScaiError:
    """Fields that hold what they can't."""
    sentences = [sentence for told in errors.values() for sentence in told]
    return ScaiError("SCAIECHO_INVALID", sentences[0] if sentences else _("This can't be accepted."), errors=errors)


def envelope(error: ScaiError) -> dict[str, Any]:
    return {"error": {"code": error.code, "message": error.message, **error.extra}}


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler for every view of this dialect."""
    told = as_scai(error)
    # What DRF makes of its own refusals has the right headers.
    known = error if isinstance(error, exceptions.APIException) else told
    response = exception_handler(known, context)
    assert response is not None
    set_rollback()
    response.status_code, response.data = told.status_code, envelope(told)
    wait = {"SCAIECHO_UNAVAILABLE": RETRY_SECONDS, "SCAIECHO_TOO_MANY_JOBS": limits.RETRY_SECONDS}.get(told.code)
    if wait:
        response["Retry-After"] = str(wait)
    return response


def as_scai(error: Exception) -> ScaiError:
    """What any exception is to the caller. What nobody thought of is logged and not told."""
    if isinstance(error, ScaiError):
        return error
    if isinstance(error, exceptions.APIException):
        return _of_drf(error)
    return _of_core(error) or _fault(error)


def _of_drf(error: exceptions.APIException) -> ScaiError:
    if isinstance(error, exceptions.ValidationError):
        told = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
        return invalid({str(field): texts(one) for field, one in told.items()})
    code = _CODES.get(error.status_code, "SCAIECHO_INVALID" if error.status_code < 500 else "SCAIECHO_INTERNAL_ERROR")
    return ScaiError(code, texts(error.detail)[0])


def _of_core(error: Exception) -> ScaiError | None:
    if isinstance(error, policy.NoUsableBackend):
        return ScaiError("SCAIECHO_NO_USABLE_BACKEND", in_words_of_the_reader(error.message))
    if isinstance(error, JobError):
        return of_failure(error)
    if isinstance(error, idempotency.Refused):
        return invalid({idempotency.HEADER: [str(error)]})
    if isinstance(error, Gone):
        return ScaiError("SCAIECHO_JOB_NOT_FOUND", _("There is no such job."))
    if isinstance(error, Http404):
        return ScaiError("SCAIECHO_NOT_FOUND", _("There is nothing at this address."))
    if isinstance(error, PermissionDenied):
        return ScaiError("SCAIECHO_FORBIDDEN", _("You may not do this."))
    if isinstance(error, limits.LimitReached):
        code = "SCAIECHO_TOO_MANY_JOBS" if isinstance(error, limits.TooManyJobs) else "SCAIECHO_QUOTA_EXCEEDED"
        return ScaiError(code, str(error), limits=limits.told(error.standing))
    if isinstance(error, RequestDataTooBig):
        return ScaiError("SCAIECHO_TOO_LARGE", _("The request body is larger than this server accepts."))
    if isinstance(error, SuspiciousOperation | BadRequest):
        return ScaiError("SCAIECHO_INVALID", _("The server could not read this request."))
    return None


def _fault(error: Exception) -> ScaiError:
    if _is_disk_full(error):
        told = ScaiError(
            "SCAIECHO_DISK_FULL", _("The server's disk is full. Try again later or tell an administrator.")
        )
    elif isinstance(error, OperationalError):
        told = ScaiError("SCAIECHO_UNAVAILABLE", _("The server can't answer now. Try again later."))
    else:
        told = ScaiError("SCAIECHO_INTERNAL_ERROR", _("Something went wrong on the server. Try again later."))
    is_broken = told.code == "SCAIECHO_INTERNAL_ERROR"
    log.log(logging.ERROR if is_broken else logging.WARNING, "a request failed", exc_info=error)
    return told


def _is_disk_full(error: Exception) -> bool:
    """As the system, SQLite and PostgreSQL word it."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    said = str(error).lower()
    return isinstance(error, DatabaseError) and ("disk is full" in said or "no space left" in said)


def texts(told: Any) -> list[str]:
    """The sentences in what DRF says is wrong, however deep they lie."""
    if isinstance(told, list | dict):
        inner = told.values() if isinstance(told, dict) else told
        return [text for one in inner for text in texts(one)]
    return [str(told)]
