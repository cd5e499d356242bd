"""Errors of this dialect: {"ErrorType", "ErrorComment"}. The published types stand here, and what a failed job's code is called."""

from __future__ import annotations

from whisper_jobs.dialects.refusals import Kind, Refusal, Worded

MISSING, OPTION, QUERY, URL = "MISSING_PARAMETER", "INVALID_OPTION", "INVALID_QUERY", "INVALID_URL"
TOKEN, ITEM, FAULT = "BAD_API_TOKEN", "ITEM_NOT_FOUND", "INTERNAL_ERROR"
#: Of a field with an address that can't be used.
BAD_ADDRESS = "bad_address"
#: DRF's codes of a field that is not there. One that is empty or null says nothing either.
_ABSENT = ("required", "blank", "null")

_WORDS: dict[Kind, tuple[int, str]] = {
    Kind.UNAUTHENTICATED: (401, TOKEN),
    Kind.FORBIDDEN: (403, TOKEN),
    Kind.NOT_FOUND: (404, ITEM),
    Kind.METHOD: (405, QUERY),
    Kind.UNREADABLE: (400, QUERY),
    Kind.MEDIA_TYPE: (415, QUERY),
    Kind.TOO_LARGE: (413, OPTION),
    Kind.NOT_ALLOWED: (409, QUERY),
    Kind.FAILED: (400, OPTION),
    Kind.RATE: (429, QUERY),
    Kind.TOO_MANY_JOBS: (429, QUERY),
    Kind.QUOTA: (402, QUERY),
    Kind.DISK_FULL: (507, FAULT),
    Kind.UNAVAILABLE: (503, FAULT),
    Kind.BROKEN: (500, FAULT),
}

#: Why a job failed → the published code of it; all else is a fault of transcribing.
_FAILURES: dict[str, str] = {
    **dict.fromkeys(("media_corrupt", "no_audio_stream", "source_type_not_supported"), "failed_transcoding"),
    **dict.fromkeys(
        ("source_unreachable", "source_not_found", "source_blocked", "source_private_address", "source_age_restricted"),
        "media_upload_error",
    ),
    "source_too_long": "exceeded_allowed_duration",
    "source_too_large": "media_upload_error",
    "no_speech": "no_speech",
    "language_unsupported": "foreign_language",
    "quota_exceeded": "audio_minutes_limit_on_account",
}


def word(refusal: Refusal) -> Worded:
    """Status and body of a refusal."""
    status, kind = (400, _of_field(refusal)) if refusal.kind == Kind.INVALID else _WORDS[refusal.kind]
    name = refusal.parameter if refusal.kind == Kind.INVALID else None
    comment = f"{name}: {refusal.message}" if name and name != "non_field_errors" else refusal.message
    return status, {"ErrorType": kind, "ErrorComment": comment}


def _of_field(refusal: Refusal) -> str:
    code = next((wrong[0].code for wrong in refusal.fields.values() if wrong), "")
    if code in _ABSENT:
        return MISSING
    return URL if code == BAD_ADDRESS else OPTION


def failure(code: str) -> str:
    return _FAILURES.get(code, "failed_transcribing")
