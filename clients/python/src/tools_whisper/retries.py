"""When a call is sent once more, and after how long. Decides, never waits."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tools_whisper.wire import Answer, Call

#: Refused before anything was done.
NOT_NOW = (429, 503)
#: A proxy lost the server's answer: what was asked for may have happened.
IN_BETWEEN = (502, 504)


@dataclass(frozen=True, slots=True)
class Retries:
    """A server that wants a longer pause than `longest_pause` is not asked again."""

    attempts: int = 6
    first_pause: float = 0.5
    longest_pause: float = 120.0

    def pause(self, call: Call, answer: Answer, attempt: int) -> float | None:
        """Seconds to wait after attempt 1, 2, …; None where this answer is the last."""
        if attempt >= self.attempts or not _is_worth_it(call, answer):
            return None
        asked = _retry_after(answer)
        if asked is None:
            # Not all clients at once, after the server was away.
            doubled: float = self.first_pause * 2 ** (attempt - 1)
            return min(self.longest_pause, doubled) * random.uniform(0.75, 1.25)  # noqa: S311
        return asked if asked <= self.longest_pause else None


def _is_worth_it(call: Call, answer: Answer) -> bool:
    if answer.lost is not None:
        return call.is_repeatable or not answer.is_sent
    return answer.status in NOT_NOW or (answer.status in IN_BETWEEN and call.is_repeatable)


def _retry_after(answer: Answer) -> float | None:
    told = answer.headers.get("retry-after", "").strip()
    return float(told) if told.isascii() and told.isdigit() and len(told) < 9 else None
