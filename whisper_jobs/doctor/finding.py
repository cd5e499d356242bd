"""What a check has found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """`warn`: it works, but not as well as it could. `fail`: something that people rely on does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Group(StrEnum):
    """What /readyz tells of each is the worst state in it."""

    SPEECH = "speech"
    MEDIA = "media"
    STORAGE = "storage"
    QUEUE = "queue"
    SITE = "site"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Finding:
    """`name` is the check's own and stays; `sentence` and `advice` are in the reader's language, `advice` may be empty."""

    name: str
    state: State
    sentence: str
    advice: str = ""

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "state": self.state.value}


#: Looks at one thing. Raises nothing for what it is there to find.
Check = Callable[[], Finding]

ORDER = {State.OK: 0, State.WARN: 1, State.FAIL: 2}


def worst(states: Iterable[State]) -> State:
    """`ok` of none."""
    return max(states, key=ORDER.__getitem__, default=State.OK)
