"""Refusals as servers made with FastAPI word them (https://fastapi.tiangolo.com/tutorial/handling-errors/): {"detail": …}.

`detail` is a sentence, but where fields are wrong a list with what is wrong with each. Used by the dialects camb and asr.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whisper_jobs.dialects.refusals import Kind, Refusal, Worded

#: Of a refusal that is about no field. What makes a job fail is mostly its recording.
_STATUSES: dict[Kind, int] = {
    Kind.UNAUTHENTICATED: 401,
    Kind.QUOTA: 402,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.METHOD: 405,
    # No 409, which clients send again by themselves.
    Kind.NOT_ALLOWED: 400,
    Kind.TOO_LARGE: 413,
    Kind.MEDIA_TYPE: 415,
    Kind.UNREADABLE: 400,
    Kind.RATE: 429,
    Kind.TOO_MANY_JOBS: 429,
    Kind.BROKEN: 500,
    Kind.UNAVAILABLE: 503,
    Kind.DISK_FULL: 507,
}
#: Of failures that are not the recording's.
_FAILED: dict[str, int] = {
    "quota_exceeded": 402,
    "cancelled": 409,
    "source_too_large": 413,
    "source_type_not_supported": 415,
    "out_of_memory": 500,
    "worker_lost": 500,
    "internal_error": 500,
    "model_unavailable": 503,
    "backend_unavailable": 503,
    "timeout": 504,
}
#: DRF's code of what is wrong → Pydantic's (https://docs.pydantic.dev/latest/errors/validation_errors/).
_TYPES: dict[str, str] = {
    "required": "missing",
    "invalid_choice": "literal_error",
    "int_parsing": "int_parsing",
    "max_length": "string_too_long",
    "max_string_length": "string_too_long",
    "min_value": "greater_than_equal",
    "max_value": "less_than_equal",
    "not_a_list": "list_type",
}


def worded(refusal: Refusal, places: Mapping[str, str]) -> Worded:
    """`places` tells of fields that are not in the body whether they are in the query, the path or a header."""
    if refusal.kind == Kind.INVALID:
        return 422, {"detail": _fields(refusal, places) or [_entry(["body"], refusal.message, None)]}
    if refusal.kind == Kind.FAILED:
        return _FAILED.get(refusal.code, 422), {"detail": refusal.message}
    return _STATUSES.get(refusal.kind, 422), {"detail": refusal.message}


def _fields(refusal: Refusal, places: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        _entry([places.get(name, "body"), name], str(sentence), sentence.code)
        for name, sentences in refusal.fields.items()
        for sentence in sentences
    ]


def _entry(place: list[str], message: str, code: str | None) -> dict[str, Any]:
    return {"loc": place, "msg": message, "type": _TYPES.get(code or "", "value_error")}
