"""How each API words a refusal where none of its views was reached, by the path that was asked for."""

from __future__ import annotations

from typing import Any

NATIVE, SCAIECHO = "/api/", "/v1/modules/scaiecho/"


def is_api(path: str) -> bool:
    return path.startswith((NATIVE, SCAIECHO))


def refusal(path: str, code: str, message: str) -> dict[str, Any]:
    """`code` is the native API's."""
    if path.startswith(SCAIECHO):
        return {"error": {"code": f"SCAIECHO_{code.upper()}", "message": message}}
    return {"ok": False, "message": message, "code": code, "errors": {}}
