"""JSON out of what a model wrote: bare, fenced or with talk around it; and values out of JSON that may be anything."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

#: Of the white space no more than the line's own: with line breaks in both parts, an answer of these alone would take hours.
_FENCED = re.compile(r"```(?:json)?[^\S\n]*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_CLOCK = re.compile(r"\[?(?:(\d{1,4}):)?(\d{1,4}):(\d{1,2}(?:\.\d{1,6})?)\]?")


def object_in(text: str) -> Mapping[str, Any] | None:
    """The JSON object in an answer, or None when there is none that is whole."""
    fenced = _FENCED.search(text)
    first, last = text.find("{"), text.rfind("}")
    for candidate in (text, fenced[1] if fenced else "", text[first : last + 1] if 0 <= first < last else ""):
        found = _parsed(candidate)
        if isinstance(found, dict):
            return found
    return None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def plain(value: object) -> str:
    """A string as every database takes it: without NUL and halves of characters. Empty for what is none."""
    if not isinstance(value, str):
        return ""
    return value.replace("\0", "").encode("utf-8", "replace").decode().strip()


def seconds_of(value: object) -> float | None:
    """`1:02:03`, `[2:03]` or a number of seconds; None for anything else."""
    if isinstance(value, str):
        clock = _CLOCK.fullmatch(value.strip())
        if clock is None:
            return None
        return int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + float(clock[3])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def clock_of(seconds: float) -> str:
    """`h:mm:ss`, always with hours, so that a model has nothing to guess."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
