"""Holds a long answer back while its client reads slowly, so that what was not sent yet does not pile up in memory.

What Twisted calls a push producer. Knows neither the request nor the application.
"""

from __future__ import annotations

import asyncio

#: An answer of this many bytes or more, told beforehand, is held back: recordings. Transcripts are not: each keeps a
#: look at the database open until it is read to its end, and a client must not be able to keep that for long.
LONG_BYTES = 4 << 20
#: Who reads nothing for so long is cut off. A player that was paused comes back for the rest.
STALL_SECONDS = 300.0


class Pressure:
    def __init__(self) -> None:
        self._free = asyncio.Event()
        self._free.set()

    def pauseProducing(self) -> None:
        self._free.clear()

    def resumeProducing(self) -> None:
        self._free.set()

    def stopProducing(self) -> None:
        """The client has gone: nobody waits for it any more."""
        self._free.set()

    async def wait(self) -> None:
        """The same for as long as it takes: a socket has other signs of whether somebody is there."""
        await self._free.wait()

    async def ease(self) -> None:
        """Returns when more may be sent. Raises TimeoutError for a client that does not read."""
        if not self._free.is_set():
            await asyncio.wait_for(self._free.wait(), STALL_SECONDS)


def is_long(headers: list[tuple[bytes, bytes]]) -> bool:
    told = [value for name, value in headers if name.lower() == b"content-length"]
    return bool(told) and told[0].isdigit() and int(told[0]) >= LONG_BYTES
