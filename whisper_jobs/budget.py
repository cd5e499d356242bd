"""How many calls a minute somebody has left. Counted in the cache; where that can't count, nobody is refused."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

from django.core.cache import cache

log = logging.getLogger(__name__)
PERIOD = 60.0


@dataclass(frozen=True, slots=True)
class Budget:
    """What a caller has left. `wait_seconds` until the next call is answered; 0 where this one was."""

    limit: int
    remaining: int
    wait_seconds: float = 0.0


def spend(caller: str, limit: int, *, now: float) -> Budget:
    """Counts one call, unless it is refused. Those of the minute before count too, as if they had come evenly."""
    minute, elapsed = divmod(now, PERIOD)
    key, key_before = (f"budget:{caller}:{int(minute) - back}" for back in (0, 1))
    try:
        cache.add(key, 0, timeout=2 * PERIOD)
        used = cache.incr(key)
        before = cache.get(key_before) or 0
        wait = _wait(used - 1, before, limit, elapsed)
        if wait:
            cache.decr(key)
    except Exception as error:  # whatever a cache may raise
        log.warning("calls are not counted: %s", error)
        return Budget(limit, limit)
    left = limit - used - math.ceil(before * (1 - elapsed / PERIOD))
    return Budget(limit, max(0, left), wait)


def _wait(used: int, before: int, limit: int, elapsed: float) -> float:
    """Seconds until one more fits beside the `used` of this minute and what still counts of the minute before."""
    if used + 1 + before * (1 - elapsed / PERIOD) <= limit:
        return 0.0
    if used < limit:
        return max(0.001, PERIOD * (1 - (limit - 1 - used) / before) - elapsed)
    return PERIOD - elapsed + PERIOD * max(0.0, 1 - (limit - 1) / used)
