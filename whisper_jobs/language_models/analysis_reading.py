"""What an analysis consists of, and reading it out of an answer. What does not fit is kept as text; nothing is made up."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from whisper_jobs.language_models.json_reading import clock_of, object_in, plain, seconds_of

_TEXT = {"type": "string"}
_MAYBE = {"type": ["string", "null"]}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": dict(items)}


SCHEMA = _object(
    summary=_TEXT,
    key_points=_list(_TEXT),
    decisions=_list(_TEXT),
    action_items=_list(_object(text=_TEXT, owner=_MAYBE, due=_MAYBE)),
    chapters=_list(_object(title=_TEXT, start=_TEXT)),
)
PARTS = tuple(SCHEMA["properties"])


@dataclass(frozen=True, slots=True)
class Span:
    """Where chapters may begin: the starts of the transcript's lines, in order, seconds of the recording."""

    starts: Sequence[float]
    end: float

    def nearest(self, seconds: float) -> float | None:
        """The line that begins nearest to a time; None outside of the recording."""
        if seconds > self.end or not self.starts:
            return None
        place = bisect_left(self.starts, seconds)
        return min(self.starts[max(0, place - 1) : place + 1], key=lambda start: abs(start - seconds))


@dataclass(frozen=True, slots=True)
class Reading:
    """`data` is what fits, by part; `rest` the text of what does not."""

    data: Mapping[str, Any] = field(default_factory=dict)
    rest: str = ""


def read(text: str, span: Span) -> Reading:
    found = object_in(text)
    if found is None:
        return Reading(rest=plain(text))
    data: dict[str, Any] = {}
    rest = {key: value for key, value in found.items() if key not in PARTS}
    for part, take in _TAKES.items():
        value, unfit = take(found.get(part), span)
        data |= {part: value} if value else {}
        rest |= {part: unfit} if unfit else {}
    try:
        return Reading(data, "\n\n".join(filter(None, (_shown(key, value) for key, value in rest.items()))))
    except RecursionError:
        return Reading(data, plain(text))


def _shown(key: str, value: object) -> str:
    if value in (None, "", [], {}):
        return ""
    told = plain(value) if isinstance(value, str) else plain(json.dumps(value, ensure_ascii=False))
    return f"{plain(key)}: {told}"


Take = Callable[[Any, Span], tuple[Any, Any]]


def _summary(value: Any, span: Span) -> tuple[Any, Any]:
    text = plain(value)
    return text, None if text else value


def _each(take: Callable[[Any, Span], Any]) -> Take:
    """Reads a list item by item; a single item in place of a list counts as one."""

    def read_list(value: Any, span: Span) -> tuple[Any, Any]:
        items = value if isinstance(value, list) else [] if value in (None, "") else [value]
        taken = [(take(item, span), item) for item in items]
        return [good for good, _ in taken if good], [item for good, item in taken if not good and item]

    return read_list


def _point(item: Any, span: Span) -> str:
    return plain(item.get("text")) if isinstance(item, dict) else plain(item)


def _action(item: Any, span: Span) -> dict[str, str]:
    text = _point(item, span)
    told = item if isinstance(item, dict) else {}
    named = {name: plain(told.get(name)) for name in ("owner", "due")}
    return {"text": text, **{name: value for name, value in named.items() if value}} if text else {}


def _chapter(item: Any, span: Span) -> dict[str, Any]:
    told = item if isinstance(item, dict) else {}
    title, asked = plain(told.get("title")), seconds_of(told.get("start"))
    start = span.nearest(asked) if asked is not None else None
    return {"title": title, "start": start} if title and start is not None else {}


def _chapters(value: Any, span: Span) -> tuple[Any, Any]:
    """In order of time, and one per time. Those outside of the recording are no text worth keeping either."""
    good, _ = _each(_chapter)(value, span)
    first = {one["start"]: one for one in reversed(good)}
    return [first[start] for start in sorted(first)], None


_TAKES: dict[str, Take] = {
    "summary": _summary,
    "key_points": _each(_point),
    "decisions": _each(_point),
    "action_items": _each(_action),
    "chapters": _chapters,
}


def render(reading: Reading, headings: Mapping[str, str]) -> str:
    """All of it as plain text, to be read; `headings` by part."""
    data = reading.data
    blocks = [data.get("summary", "")]
    blocks += [_block(headings[part], lines) for part, lines in _lines(data)]
    return "\n\n".join(filter(None, [*blocks, reading.rest]))


def _lines(data: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for part in ("key_points", "decisions"):
        yield part, [f"- {point}" for point in data.get(part, [])]
    yield "action_items", [f"- {_action_line(one)}" for one in data.get("action_items", [])]
    yield "chapters", [f"{clock_of(one['start'])} {one['title']}" for one in data.get("chapters", [])]


def _action_line(action: Mapping[str, str]) -> str:
    beside = ", ".join(filter(None, (action.get("owner"), action.get("due"))))
    return f"{action['text']} ({beside})" if beside else action["text"]


def _block(heading: str, lines: Sequence[str]) -> str:
    return "\n".join([heading, *lines]) if lines else ""
