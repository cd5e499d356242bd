"""A body that is handed over while it still arrives: one long request becomes several for the application, each with a piece.

So what has come of a resumable upload counts though the connection is cut or this process is killed, and who may not send
is told so before the body is there. Knows neither Twisted nor Django.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from config.spool import SMALL_BYTES, Body, Room

Message = dict[str, Any]
Scope = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
#: Runs the application for one piece: scope, body, send.
Ask = Callable[[Scope, Body, Send], Awaitable[None]]

#: A piece is handed over at least so often; more is never lost.
PIECE_SECONDS = 10.0
#: Who asks where an upload stands waits so long, at most, for what is on its way into storage.
PATIENCE_SECONDS = 10.0
#: What a connection that was just cut still holds is read first: until it is silent for so long, this often at most.
SILENCE_SECONDS = 0.1
MOST_LOOKS = 10
#: The ASGI extension that all pieces of one body share; whisper_jobs.dialects.native.tus reads and fills it.
FLOW = "tools.flow"
OFFSET = b"upload-offset"
#: A place in a file. Python refuses to read numbers of some thousand digits.
_PLACE = re.compile(rb"[0-9]{1,18}")
CHECKSUM = b"upload-checksum"


class Flow:
    """What Twisted takes for the content of a request: a Body that is exchanged for the next whenever it is cut."""

    def __init__(self, room: Room, limit_bytes: int, declared_bytes: int | None) -> None:
        self.declared_bytes = declared_bytes
        self.is_whole = self.is_over = False
        self.arrived_bytes = 0
        self._make = partial(Body, room, limit_bytes)
        self._body = self._make(declared_bytes if self._fits_memory() else None)
        self._call = asyncio.Event()

    def _fits_memory(self) -> bool:
        return self.declared_bytes is not None and self.declared_bytes <= SMALL_BYTES

    @property
    def is_long(self) -> bool:
        return not self._fits_memory()

    def write(self, data: bytes) -> None:
        if not self.is_over:
            self.arrived_bytes += len(data)
            self._body.write(data)

    def finish(self) -> None:
        """The last byte is in."""
        self.is_whole = True
        self.end()

    def end(self) -> None:
        """Nothing more is taken: it is whole, or the client is gone, or was refused."""
        self.is_over = True
        self._call.set()

    def discard(self) -> None:
        """What was not handed over is not wanted."""
        self.end()
        self._body.close()

    def hurry(self) -> None:
        """Somebody waits for what has come so far."""
        self._call.set()

    async def settle(self) -> None:
        """Until nothing more comes for the moment."""
        for _look in range(MOST_LOOKS):
            before = self.arrived_bytes
            await asyncio.sleep(SILENCE_SECONDS)
            if self.is_over or self.arrived_bytes == before:
                return

    async def due(self, seconds: float | None) -> None:
        """Until a piece should be handed over."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._call.wait(), seconds)
        if not self.is_over:
            self._call.clear()

    def cut(self) -> Body:
        """What has come since the last cut; the caller closes it."""
        body, self._body = self._body, self._make(0 if self.is_over else None)
        body.finish()
        return body

    def nothing(self) -> Body:
        return self._make(0)

    # As Twisted uses a file. Nothing is read by it.

    @property
    def closed(self) -> bool:
        return False

    def close(self) -> None:
        self.end()

    def tell(self) -> int:
        return 0

    def seek(self, *place: int) -> None:
        pass

    def read(self, *size: int) -> bytes:
        return b""


@dataclass(frozen=True)
class Answer:
    messages: tuple[Message, ...]

    @property
    def is_refusal(self) -> bool:
        return not 200 <= int(self.messages[0]["status"]) < 300

    async def forward(self, send: Send) -> None:
        for message in self.messages:
            await send(message)


class Courier:
    """Carries a Flow to the application, a piece at a time, and the last answer, or the first refusal, to the client.

    It also stands where Daphne wants the application's queue, which hears when the client has left.
    """

    def __init__(self, flow: Flow, scope: Scope, ask: Ask) -> None:
        self._flow, self._ask = flow, ask
        headers = dict(scope["headers"])
        offset = headers.get(OFFSET, b"")
        is_place = _PLACE.fullmatch(offset) is not None
        self._offset = int(offset) if is_place else 0
        # A checksum is that of the whole body, and a place that is no number can't be counted on from.
        self._divisible = CHECKSUM not in headers and is_place
        self._told: dict[str, Any] = {"coming": flow.declared_bytes}
        self._scope = {**scope, "extensions": {**scope.get("extensions", {}), FLOW: self._told}}
        self._begun = self._done = 0
        self._turn = asyncio.Condition()

    def put_nowait(self, message: Message) -> None:
        if message["type"] == "http.disconnect":
            self._flow.end()

    async def run(self, send: Send) -> None:
        try:
            answer = await self._carry()
        finally:
            self._flow.discard()
            async with self._turn:
                self._begun = self._done = -1
                self._turn.notify_all()
        if answer:
            await answer.forward(send)

    async def _carry(self) -> Answer | None:
        """The answer for the client; None where it has left and nothing of what came can be kept."""
        answer = None
        if self._flow.is_long:
            answer = await self._hand_over(self._flow.nothing())
        while not (answer and answer.is_refusal):
            await self._flow.due(PIECE_SECONDS if self._divisible else None)
            is_last = self._flow.is_over
            if is_last and not (self._divisible or self._flow.is_whole):
                return None
            answer = await self._next_piece(is_last) or answer
            if is_last:
                break
        return answer

    async def _next_piece(self, is_last: bool) -> Answer | None:
        self._begun += 1
        body = self._flow.cut()
        try:
            return await self._hand_over(body) if body.size or (is_last and self._flow.is_whole) else None
        finally:
            body.close()
            async with self._turn:
                self._done = self._begun
                self._turn.notify_all()

    async def _hand_over(self, body: Body) -> Answer:
        headers = [pair for pair in self._scope["headers"] if pair[0] != OFFSET or not self._divisible]
        if self._divisible:
            headers.append((OFFSET, b"%d" % self._offset))
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._ask({**self._scope, "headers": headers}, body, keep)
        self._offset += body.size
        if self._told["coming"] is not None:
            self._told["coming"] -= body.size
        return Answer(tuple(messages))

    async def catch_up(self) -> None:
        """Until all that has come by now, and can be kept by itself, is with the application; within reason."""
        if not self._divisible:
            return
        await self._flow.settle()
        wanted = self._begun + 1
        self._flow.hurry()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS), self._turn:
                await self._turn.wait_for(lambda: self._done < 0 or self._done >= wanted)
