"""Refusals as OpenAI's API words them: {"error": {"message", "type", "param", "code"}}. By the status its clients choose their
exception."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from whisper_jobs.dialects import inline
from whisper_jobs.dialects.refusals import Kind, Refusal, Worded

INVALID, SERVER = "invalid_request_error", "server_error"
#: Status, type and code. An empty code is null, or what the refusal itself has.
_KINDS: dict[Kind, tuple[int, str, str]] = {
    Kind.UNAUTHENTICATED: (401, INVALID, "invalid_api_key"),
    Kind.FORBIDDEN: (403, INVALID, "insufficient_permissions"),
    Kind.NOT_FOUND: (404, INVALID, ""),
    Kind.METHOD: (405, INVALID, "method_not_supported"),
    Kind.INVALID: (400, INVALID, "invalid_value"),
    Kind.UNREADABLE: (400, INVALID, "unreadable_body"),
    Kind.MEDIA_TYPE: (400, INVALID, "unsupported_content_type"),
    Kind.TOO_LARGE: (413, INVALID, "request_too_large"),
    Kind.NOT_ALLOWED: (400, INVALID, ""),
    Kind.RATE: (429, "requests", "rate_limit_exceeded"),
    Kind.TOO_MANY_JOBS: (429, "requests", "rate_limit_exceeded"),
    Kind.QUOTA: (429, "insufficient_quota", "insufficient_quota"),
    Kind.DISK_FULL: (507, SERVER, "disk_full"),
    Kind.UNAVAILABLE: (503, SERVER, "unavailable"),
    Kind.BROKEN: (500, SERVER, "internal_error"),
}
#: Why a job failed → status, type, code and the field that is to blame. All else is a fault of the server.
_FAILURES: dict[str, tuple[int, str, str, str | None]] = {
    **{
        code: (400, INVALID, code, "file")
        for code in ("media_corrupt", "no_audio_stream", "source_type_not_supported", "no_speech")
    },
    **{code: (413, INVALID, code, "file") for code in ("source_too_long", "source_too_large")},
    "language_unsupported": (400, INVALID, "language_unsupported", "language"),
    "model_unavailable": (404, INVALID, "model_not_found", "model"),
    "quota_exceeded": (429, "insufficient_quota", "insufficient_quota", None),
    "cancelled": (409, INVALID, "cancelled", None),
    "backend_unavailable": (503, SERVER, "backend_unavailable", None),
}
#: What DRF finds wrong with a field → what OpenAI calls it.
_OF_FIELDS = {
    **dict.fromkeys(("required", "null", "blank"), "missing_required_parameter"),
    "unknown_parameter": "unknown_parameter",
    "not_a_list": "invalid_type",
}


def word(refusal: Refusal) -> Worded:
    if refusal.kind == Kind.FAILED:
        status, kind, code, param = _FAILURES.get(refusal.code, (500, SERVER, refusal.code, None))
        return status, body(refusal.message, kind, code, param)
    status, kind, code = _KINDS[refusal.kind]
    param = refusal.parameter
    if refusal.kind == Kind.INVALID and param:
        detail = refusal.fields[param][0]
        return status, body(_sentence(param, detail), kind, _OF_FIELDS.get(str(detail.code), code), param)
    return status, body(refusal.message, kind, code or refusal.code, param)


def _sentence(param: str, detail: Any) -> str:
    """With the field's name, since people mostly see the sentence alone."""
    kind = _OF_FIELDS.get(str(detail.code))
    if kind == "missing_required_parameter":
        return _("Missing required parameter: “%(name)s”.") % {"name": param}
    if kind == "unknown_parameter":
        return str(detail)
    return _("Invalid value for “%(name)s”: %(why)s") % {"name": param, "why": detail}


def body(message: str, kind: str, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code or None}}


def goes_on(job_id: int) -> Worded:
    return 504, body(inline.goes_on(job_id), SERVER, "still_working")
