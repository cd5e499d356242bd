"""What is to be told to one line. A listener that reads slowly misses interim words, which later ones replace, and no others."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from whisper_jobs.hearing.wire import Json

#: Final words that wait for a listener. They are in the spool as well, so that who is that far behind comes back for them.
MOST_WAITING = 2_000


class Mailbox:
    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most = most
        self._waiting: deque[Json] = deque()
        self._news = asyncio.Event()
        self.is_closed = False

    def put(self, message: Json) -> None:
        if self.is_closed:
            return
        if message.get("type") == "delta" and self._waiting and _is_interim(self._waiting[-1]):
            self._waiting.pop()
        self._waiting.append(message)
        if len(self._waiting) > self._most:
            self._waiting.clear()
            self.is_closed = True
        self._news.set()

    def close(self) -> None:
        """After what waits, the listener's line ends."""
        self.is_closed = True
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[Json]:
        while self._waiting or not self.is_closed:
            if self._waiting:
                yield self._waiting.popleft()
            else:
                self._news.clear()
                await self._news.wait()


def _is_interim(message: Json) -> bool:
    return message.get("type") == "delta" and not message.get("is_final")
