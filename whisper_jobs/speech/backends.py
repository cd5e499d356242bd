"""Who transcribes a job: A, the engines of this server, or B, the relay. Pure; called by pipeline.backends."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

Backend = Literal["A", "B"]
Preference = Literal["any", "A", "B"]
#: What an operator or a tenant can allow. The order of the letters says nothing; `default` does.
ALLOWED: dict[str, tuple[Backend, ...]] = {"A": ("A",), "B": ("B",), "AB": ("A", "B")}


@dataclass(frozen=True, slots=True)
class Policy:
    """What an owner is allowed, and what comes first when nobody says otherwise."""

    allowed: tuple[Backend, ...]
    default: Backend


@dataclass(frozen=True, slots=True)
class Refusal:
    """No backend may or can do it. `allowed` are those that may but are down; empty when none may."""

    allowed: tuple[Backend, ...]


def order(policy: Policy, preference: Preference, *, up: Collection[Backend]) -> tuple[Backend, ...] | Refusal:
    """The backends that may do it and are up, the best first.

    What is allowed decides first, then what the caller would like, then the default, then what is up: a preference for what
    isn't allowed counts as none, and who is allowed one backend alone waits for no other.
    """
    wanted = sorted(dict.fromkeys(policy.allowed), key=lambda one: (one != preference, one != policy.default))
    usable = tuple(one for one in wanted if one in up)
    return usable or Refusal(tuple(wanted))
