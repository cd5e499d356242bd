"""The error envelope of this dialect: {"error": {"code", "message", …}}. The published codes and their statuses stand here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from whisper_jobs import limits, policy
from whisper_jobs.dialects import refusals
from whisper_jobs.dialects.refusals import Kind, Refusal
from whisper_jobs.told import in_words_of_the_reader

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
_CODES = {
    Kind.UNAUTHENTICATED: "SCAIECHO_UNAUTHORIZED",
    Kind.FORBIDDEN: "SCAIECHO_FORBIDDEN",
    Kind.NOT_FOUND: "SCAIECHO_NOT_FOUND",
    Kind.METHOD: "SCAIECHO_METHOD_NOT_ALLOWED",
    Kind.MEDIA_TYPE: "SCAIECHO_UNSUPPORTED_MEDIA_TYPE",
    Kind.TOO_LARGE: "SCAIECHO_TOO_LARGE",
    Kind.RATE: "SCAIECHO_RATE_LIMITED",
    Kind.TOO_MANY_JOBS: "SCAIECHO_TOO_MANY_JOBS",
    Kind.QUOTA: "SCAIECHO_QUOTA_EXCEEDED",
    Kind.DISK_FULL: "SCAIECHO_DISK_FULL",
    Kind.UNAVAILABLE: "SCAIECHO_UNAVAILABLE",
    Kind.BROKEN: "SCAIECHO_INTERNAL_ERROR",
}


#: When a client may try again after what passes.
_RETRY_SECONDS = {"SCAIECHO_UNAVAILABLE": refusals.RETRY_SECONDS, "SCAIECHO_TOO_MANY_JOBS": limits.RETRY_SECONDS}


class ScaiError(exceptions.APIException):
    """One of STATUSES, a sentence for the caller, and what else the answer tells under "error"."""

    def __init__(self, code: str, message: str, **extra: Any) -> None:
        super().__init__(message, code)
        self.retry_after_seconds = _RETRY_SECONDS.get(code)
        self.code, self.message, self.extra = code, message, extra
        self.status_code = STATUSES[code]


def invalid(errors: Mapping[str, Sequence[str]]) -> ScaiError:
    """Fields that hold what they can't."""
    sentences = [sentence for told in errors.values() for sentence in told]
    return ScaiError("SCAIECHO_INVALID", sentences[0] if sentences else _("This can't be accepted."), errors=errors)


def word(refusal: Refusal) -> refusals.Worded:
    told = of_refusal(refusal)
    return told.status_code, envelope(told)


def envelope(error: ScaiError) -> dict[str, Any]:
    return {"error": {"code": error.code, "message": error.message, **error.extra}}


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler for every view of this dialect."""
    told = as_scai(error)
    return refusals.respond(error, context, (told.status_code, envelope(told)), told.retry_after_seconds)


def as_scai(error: Exception) -> ScaiError:
    """What any exception is to the caller. What nobody thought of is logged and not told."""
    if isinstance(error, ScaiError):
        return error
    if isinstance(error, policy.NoUsableBackend):
        return ScaiError("SCAIECHO_NO_USABLE_BACKEND", in_words_of_the_reader(error.message))
    return of_refusal(refusals.of(error))


def of_refusal(refusal: Refusal) -> ScaiError:
    told = _of_refusal(refusal)
    told.retry_after_seconds = refusal.retry_after_seconds or told.retry_after_seconds
    return told


def _of_refusal(refusal: Refusal) -> ScaiError:
    if refusal.kind == Kind.INVALID and refusal.fields:
        return invalid(refusal.fields)
    if refusal.kind == Kind.FAILED:
        extra = {} if refusal.job_id is None else {"job_id": str(refusal.job_id)}
        code = _FAILURES.get(refusal.code, "SCAIECHO_INTERNAL_ERROR")
        return ScaiError(code, refusal.message, failure_code=refusal.code, **extra)
    if refusal.code == "no_such_job":
        return ScaiError("SCAIECHO_JOB_NOT_FOUND", refusal.message)
    return ScaiError(_CODES.get(refusal.kind, "SCAIECHO_INVALID"), refusal.message, **refusal.extra)
