"""WS /v1/modules/scaiecho/stream/transcribe: an open frame, sound as binary frames, a close frame; words come back meanwhile.

Only carries: what is heard, and what becomes of it, is the live process's matter. A client whose connection is lost comes back
with {"type": "open", "resume": session_id, "after": seconds}.
"""

from __future__ import annotations

import logging
from typing import Any

from channels.db import database_sync_to_async
from django.utils.translation import gettext as _

from whisper_jobs.dialects import live_socket
from whisper_jobs.dialects.live_socket import NORMAL
from whisper_jobs.dialects.scaiecho import stream_requests
from whisper_jobs.dialects.scaiecho.errors import ScaiError, as_scai
from whisper_jobs.dialects.scaiecho.sockets import ScaiSocket, close_code, published
from whisper_jobs.dialects.scaiecho.stream_requests import Opened
from whisper_jobs.hearing import client

log = logging.getLogger(__name__)
Json = dict[str, Any]


class StreamConsumer(ScaiSocket):
    """One session, from its open frame on."""

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any) -> None:
        if self.is_over:
            return
        try:
            if bytes_data is not None:
                await self._hear(bytes_data)
            else:
                await self._do(stream_requests.frame(text_data or ""))
        except client.Unavailable:
            await self._lost()
        except Exception as error:
            await self.refuse_with(as_scai(error))

    async def _do(self, frame: Json) -> None:
        if frame["type"] == "open":
            await self._open(frame)
        elif frame["type"] == "close":
            await self._finish()
        elif frame["type"] == "ping":
            await self.tell({"type": "pong"})
        else:
            raise ScaiError("SCAIECHO_INVALID", _("This kind of frame is not known."))

    async def _open(self, frame: Json) -> None:
        if self.line is not None:
            raise ScaiError("SCAIECHO_INVALID", _("The session is open already."))
        assert self.user is not None
        opened: Opened = await database_sync_to_async(stream_requests.opened)(self.user, frame, is_page=self.is_page)
        try:
            self.line = await client.connect()
        except client.Unavailable as error:
            log.warning("no live session: %s", error)
            raise ScaiError("SCAIECHO_BACKEND_UNAVAILABLE", live_socket.unreachable()) from error
        asked = {"op": opened.op, "session_id": str(opened.session_id), "after": opened.after}
        await self.line.send(asked)
        self.later(self._tell_all(self.line))

    async def _hear(self, sound: bytes) -> None:
        if self.line is None:
            raise ScaiError("SCAIECHO_INVALID", _("Send an open frame first."))
        await self.line.send_bytes(sound)

    async def _finish(self) -> None:
        """The last words and the recording's number come before the end."""
        if self.line is None:
            await self.hang_up(NORMAL)
        else:
            await self.line.send({"op": "end"})

    async def _tell_all(self, line: client.Line) -> None:
        """Passes on what the live process tells, until it has no more."""
        ending: int | None = None
        is_ready = False
        async for message in line:
            kind = message.get("type")
            if kind == "error":
                ending = close_code(str(message.get("code")))
                message = {**message, "message": self.in_their_words(str(message.get("message", "")))}
            await self.tell(published(message))
            is_ready = is_ready or kind == "ready"
            if kind == "closed" or (kind == "error" and not is_ready):
                break
        else:
            if ending is None:
                await self._lost()
        await self.hang_up(NORMAL if ending is None else ending)

    async def _lost(self) -> None:
        await self.refuse("SCAIECHO_STREAM_FAILED", live_socket.lost())

    async def leave(self) -> None:
        if self.line is not None:
            await self.line.finish()
