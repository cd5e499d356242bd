"""What flows ask of whoever drives them: a call, or a pause. They know no HTTP library and wait for nothing themselves,
so that the client with threads and the one with asyncio share them.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, TypeVar

Json = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """`is_repeatable`: to send it twice does no more than to send it once. The body of a good answer goes to `into`, if given."""

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Json | None = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_repeatable: bool = False
    into: IO[bytes] | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """`lost` is why there is none; `is_sent` whether the request may have arrived."""

    status: int = 0
    #: By names in lower case.
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    lost: Exception | None = None
    is_sent: bool = True

    def json(self) -> Json:
        """Empty where the body is no JSON object: a proxy's page, for one."""
        try:
            told = json.loads(self.body)
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}


#: What is sent into a flow after a pause is not looked at.
Flow = Generator[Call | Pause, Answer, T]
