"""WS …/webrtc/sessions/{id}/control: the words of a WebRTC session as they are heard, and {"type": "close"} to end it early.

Opened before the offer or after it; with ?after=seconds it first tells again what is final behind that moment.
"""

from __future__ import annotations

import asyncio
import logging
import math
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from django.utils.translation import override

from accounts.language import language_of
from accounts.models import User
from whisper_jobs.dialects import live_socket
from whisper_jobs.dialects.live_socket import NORMAL
from whisper_jobs.dialects.refusals import Refusal
from whisper_jobs.dialects.scaiecho import stream_requests, webrtc_sessions
from whisper_jobs.dialects.scaiecho.errors import as_scai
from whisper_jobs.dialects.scaiecho.sockets import ScaiSocket, close_code, published
from whisper_jobs.hearing import client
from whisper_jobs.models import LiveSession

log = logging.getLogger(__name__)
#: Between two looks at the row, which tells of an end that nobody was there to tell.
ROW_SECONDS = 15.0
Json = dict[str, Any]


class ControlConsumer(ScaiSocket):
    _line: client.Line | None = None

    async def enter(self, user: User) -> None:
        await self._try(self._watch)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any) -> None:
        if not self.is_over:
            await self._try(self._do, text_data or "")

    async def _try(self, work: Any, *args: Any) -> None:
        try:
            await work(*args)
        except client.Unavailable as error:
            log.warning("no live session: %s", error)
            await self.refuse("SCAIECHO_BACKEND_UNAVAILABLE", live_socket.unreachable())
        except Exception as error:
            await self.refuse_with(as_scai(error))

    async def _watch(self) -> None:
        row = await database_sync_to_async(self._found)()
        if row.closed_at:
            await self._tell_end(row)
            return
        self._line = await client.connect()
        await self._line.send({"op": "watch", "session_id": str(row.pk), "after": _after(self.scope)})
        self.later(self._tell_all(self._line))
        self.later(self._watch_row())

    async def _do(self, told: str) -> None:
        frame = stream_requests.frame(told)
        if frame["type"] == "close":
            row = await database_sync_to_async(self._closed)()
            if row.closed_at:
                await self._tell_end(row)
        elif frame["type"] == "ping":
            await self.tell({"type": "pong"})

    async def _tell_all(self, line: client.Line) -> None:
        ending = NORMAL
        async for message in line:
            if message.get("type") == "error":
                ending = close_code(str(message.get("code")))
                message = {**message, "message": self.in_their_words(str(message.get("message", "")))}
            await self.tell(published(message))
            if message.get("type") == "closed":
                break
        else:
            if ending == NORMAL:
                await self.refuse("SCAIECHO_STREAM_FAILED", live_socket.lost())
        await self.hang_up(ending)

    async def _watch_row(self) -> None:
        while True:
            await asyncio.sleep(ROW_SECONDS)
            await self._try(self._look_at_row)

    async def _look_at_row(self) -> None:
        row = await database_sync_to_async(self._found)()
        if row.closed_at:
            await self._tell_end(row)

    async def _tell_end(self, row: LiveSession) -> None:
        job = str(row.job_id) if row.job_id else None
        told = {"audio_bytes": row.audio_bytes, "job_id": job, "reason": self.in_their_words(row.reason)}
        await self.tell(published({"type": "closed", **told}))
        await self.hang_up(NORMAL)

    def _found(self) -> LiveSession:
        """Raises ScaiError where there is no such session, or it got lost."""
        assert self.user is not None
        with override(language_of(self.user)):
            return webrtc_sessions.find_known(self.user, self.scope["url_route"]["kwargs"]["session_id"])

    def _closed(self) -> LiveSession:
        row = self._found()
        assert self.user is not None
        with override(language_of(self.user)):
            webrtc_sessions.close(row)
        return row

    async def send_away(self, refusal: Refusal) -> None:
        try:
            await database_sync_to_async(self._closed)()
        except Exception:
            log.exception("a WebRTC session of somebody who may no longer speak could not be ended")
        await self.refuse_for(refusal)

    async def leave(self) -> None:
        if self._line is not None:
            self._line.close()


def _after(scope: dict[str, Any]) -> float | None:
    """Nothing is told again where nobody asks for it."""
    given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("after", [""])[0]
    try:
        seconds = float(given)
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
