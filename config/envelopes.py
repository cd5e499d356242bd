"""How each API words a refusal where none of its views was reached, by the path that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
_FAULTS = ("internal_error", "disk_full")
#: What the views of OpenAI's API call the same.
_OPENAI = {"not_found": "unknown_url", "bad_request": "unreadable_body", "too_large": "request_too_large"}


def _native(code: str, message: str) -> Json:
    return {"ok": False, "message": message, "code": code, "errors": {}}


def _scaiecho(code: str, message: str) -> Json:
    return {"error": {"code": f"SCAIECHO_{code.upper()}", "message": message}}


def _openai(code: str, message: str) -> Json:
    kind = "server_error" if code in _FAULTS else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": _OPENAI.get(code, code)}}


def _verbit(code: str, message: str) -> Json:
    known = {"not_found": "ITEM_NOT_FOUND", "too_large": "INVALID_OPTION", **dict.fromkeys(_FAULTS, "INTERNAL_ERROR")}
    return {"ErrorType": known.get(code, "INVALID_QUERY"), "ErrorComment": message}


def _fastapi(code: str, message: str) -> Json:
    return {"detail": message}


#: The first prefix that fits decides. Camb.ai's API and whisper-asr-webservice are both made with FastAPI.
_WORDED: tuple[tuple[str, Callable[[str, str], Json]], ...] = (
    ("/api/job/", _verbit),
    ("/api/", _native),
    ("/v1/modules/scaiecho/", _scaiecho),
    ("/v1/", _openai),
    ("/apis/", _fastapi),
    ("/asr", _fastapi),
    ("/detect-language", _fastapi),
)


def is_api(path: str) -> bool:
    return path.startswith(tuple(prefix for prefix, _word in _WORDED))


def refusal(path: str, code: str, message: str) -> Json:
    """`code` is the native API's."""
    word = next((word for prefix, word in _WORDED if path.startswith(prefix)), _native)
    return word(code, message)
