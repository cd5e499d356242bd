"""The live process: listens for lines, and does what comes over them. An edge has one for each session; each ear has one.

What an edge asks: open, resume, hint, flush, clear, end, watch, rtc.offer, rtc.candidate, rtc.close, status. Once it has a
session, bytes are sound.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections

from whisper_jobs import presence
from whisper_jobs.hearing import choosing, rtc, wire
from whisper_jobs.hearing.choosing import Refused
from whisper_jobs.hearing.mailbox import Mailbox
from whisper_jobs.hearing.opening import asked_of, hints_of
from whisper_jobs.hearing.session import End, Session
from whisper_jobs.hearing.sessions import ENDED, Sessions
from whisper_jobs.hearing.tending import tend
from whisper_jobs.hearing.wire import Json
from whisper_jobs.outbound import Guard

log = logging.getLogger(__name__)
FOLDER = "live"
NOT_UNDERSTOOD = "SCAIECHO_INVALID"
BAD_OFFER = "SCAIECHO_WEBRTC_BAD_OFFER"
ELSEWHERE = "The session goes on over another connection."
#: When the process is told to stop, so much time for a last word to those who are connected.
GOODBYE_SECONDS = 0.5


def run() -> None:
    """Becomes the live process, until it is told to stop."""
    connections.close_all()
    asyncio.run(serve())


async def serve() -> None:
    folder = settings.DATA_DIR / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    live = Live(Sessions(folder, presence.me().name))
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with live.listening(settings.TOOLS.live_listener):
        await stopped.wait()


class Live:
    """The process without its signals, so that a test can have it in its own loop."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.peers = rtc.Peers(Guard(settings.TOOLS.outbound_allow), self._peer_is_lost)
        sessions.farewell = lambda session_id: self.peers.close(str(session_id))
        self._callers: set[asyncio.Task[Any]] = set()

    @contextlib.asynccontextmanager
    async def listening(self, address: str | tuple[str, int]) -> Any:
        server = await _listen(address, self._called)
        tending = asyncio.create_task(tend(self.sessions))
        try:
            yield
        finally:
            server.close()
            tending.cancel()
            await self.peers.close_all()
            await self.sessions.stop()
            await asyncio.sleep(GOODBYE_SECONDS)
            for caller in self._callers:
                caller.cancel()

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._callers.add(task)
        try:
            await wire.greet(reader, writer)
            await self._serve(reader, writer)
        except wire.Broken as error:
            log.debug("a line ended: %s", error)
        except asyncio.CancelledError:
            log.debug("a line was ended")
        except Exception:
            log.exception("a line failed")
        finally:
            self._callers.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await wire.receive(reader)
        if isinstance(first, dict) and first.get("op") == "ear":
            await self.sessions.ears.serve(reader, writer)
        else:
            await Edge(self, reader, writer).serve(first)

    def _peer_is_lost(self, session_id: str) -> None:
        if session := self.sessions.find(UUID(session_id)):
            self.sessions.drop(session)

    def status(self) -> Json:
        held = self.sessions.held
        return {
            "type": "status",
            "process": self.sessions.process,
            "sessions": len(held),
            "ears": self.sessions.ears.count,
            "lag_seconds": max((session.lag for session in held), default=0.0),
        }


async def _listen(address: str | tuple[str, int], called: Callable[..., Awaitable[None]]) -> asyncio.Server:
    if not isinstance(address, str):
        return await asyncio.start_server(called, *address)
    # Left by a process that was killed. Whoever starts this one sees to it that there is no other.
    Path(address).unlink(missing_ok=True)
    server = await asyncio.start_unix_server(called, address)
    os.chmod(address, 0o600)
    return server


class Edge:
    """One line of an edge, which may speak for one session, or watch one."""

    def __init__(self, live: Live, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._live, self._sessions = live, live.sessions
        self._reader, self._writer = reader, writer
        self._mailbox = Mailbox()
        self._session: Session | None = None
        self._watched: UUID | None = None
        self._does: dict[str, Callable[[Json], Awaitable[None]]] = {
            "open": self._open,
            "resume": self._resume,
            "hint": self._hint,
            "flush": self._flush,
            "clear": self._clear,
            "end": self._end,
            "watch": self._watch,
            "status": self._status,
            "rtc.offer": self._offer,
            "rtc.candidate": self._candidate,
            "rtc.close": self._hang_up,
        }

    async def serve(self, first: wire.Message) -> None:
        """Until the line ends, from either side."""
        telling = asyncio.create_task(self._tell())
        listening = asyncio.create_task(self._listen(first))
        try:
            done, _pending = await asyncio.wait([telling, listening], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            telling.cancel()
            listening.cancel()
            self._leave()

    async def _tell(self) -> None:
        async for message in self._mailbox:
            await wire.send(self._writer, message)

    async def _listen(self, message: wire.Message) -> None:
        while True:
            if isinstance(message, bytes):
                # Another line may have the session by now.
                if self._session is not None and self._session.feeder is self._mailbox:
                    await self._session.feed_bytes(message)
            else:
                await self._do(message)
            message = await wire.receive(self._reader)

    async def _do(self, message: Json) -> None:
        does = self._does.get(str(message.get("op")))
        try:
            if does is None:
                raise Refused(NOT_UNDERSTOOD, "unknown op")
            await does(message)
        except Refused as refused:
            self._mailbox.put({"type": "error", "code": refused.code, "message": refused.message})
        except rtc.BadOffer as error:
            self._mailbox.put({"type": "error", "code": BAD_OFFER, "message": str(error)})

    def _leave(self) -> None:
        if self._watched is not None:
            self._sessions.leave(self._watched, self._mailbox)
        session = self._session
        if session is not None and session.feeder is self._mailbox:
            self._sessions.drop(session)

    # --- what is asked ----------------------------------------------------------------------------

    async def _open(self, message: Json) -> None:
        await self._speak_for(await self._sessions.open(_id(message), asked_of(message)))

    async def _resume(self, message: Json) -> None:
        session = self._sessions.find(_id(message))
        if session is None:
            raise Refused("SCAIECHO_NOT_FOUND", ENDED)
        await self._speak_for(session, after=float(message.get("after") or 0.0))

    async def _speak_for(self, session: Session, *, after: float | None = None) -> None:
        """From now on this line's sound is the session's; one that had it before is sent away."""
        before, session.feeder = session.feeder, self._mailbox
        if before is not None:
            before.put({"type": "error", "code": NOT_UNDERSTOOD, "message": ELSEWHERE})
            self._sessions.leave(session.id, before)
            before.close()
        self._session, self._watched = session, session.id
        self._sessions.pick_up(session)
        await session.join(self._mailbox, [self._ready(session)], after=after)

    def _ready(self, session: Session) -> Json:
        return {
            "type": "ready",
            "backend_used": session.head.backend,
            "session_id": str(session.id),
            "resume_seconds": settings.TOOLS.live_resume_seconds,
            "sample_rate": session.opening.sample_rate,
            "audio_bytes": session.audio_bytes,
            "engine": session.head.engine,
            "model": session.head.model,
            "quality": session.head.quality,
        }

    async def _hint(self, message: Json) -> None:
        """What is read from now on may have these words in it, and is in this language; without one it is found out."""
        session = self._own()
        session.hints, session.language = hints_of(message), str(message.get("language", ""))

    async def _flush(self, _message: Json) -> None:
        await self._own().flush()

    async def _clear(self, _message: Json) -> None:
        await self._own().clear()

    def _own(self) -> Session:
        """The session that this line speaks for. Raises Refused."""
        session = self._session
        if session is None or session.feeder is not self._mailbox:
            raise Refused(choosing.LOST, ENDED)
        return session

    async def _end(self, message: Json) -> None:
        session = self._sessions.find(_id(message)) if "session_id" in message else self._session
        if session is None:
            raise Refused(choosing.LOST, ENDED)
        told = {name: str(message.get(name, "")) for name in ("reason", "code", "message")}
        session.end(End(**told))

    async def _watch(self, message: Json) -> None:
        self._watched = _id(message)
        after = message.get("after")
        await self._sessions.watch(self._watched, self._mailbox, None if after is None else float(after))

    async def _status(self, message: Json) -> None:
        self._mailbox.put(self._live.status())

    # --- WebRTC -----------------------------------------------------------------------------------

    async def _offer(self, message: Json) -> None:
        """The first offer begins the session; a later one goes on with it."""
        session_id = _id(message)
        session = self._sessions.find(session_id) or await self._sessions.open(session_id)
        servers = message.get("ice_servers") or []
        try:
            answered = self._live.peers.answer(
                str(session_id),
                session.feed_soon,
                lambda: session.ending is not None,
                str(message.get("sdp", "")),
                servers,
            )
            sdp = await answered
        except rtc.BadOffer:
            # A better one may come for a while.
            if str(session_id) not in self._live.peers:
                self._sessions.drop(session)
            raise
        self._sessions.pick_up(session)
        self._mailbox.put({"type": "answer", "sdp": sdp, "backend_used": session.head.backend})

    async def _candidate(self, message: Json) -> None:
        index = message.get("sdp_mline_index")
        told = (str(message.get("candidate", "")), message.get("sdp_mid"), index)
        await self._live.peers.add_candidate(str(_id(message)), *told)
        self._mailbox.put({"type": "done"})

    async def _hang_up(self, message: Json) -> None:
        session_id = _id(message)
        await self._live.peers.close(str(session_id))
        if session := self._sessions.find(session_id):
            session.end(End(reason=str(message.get("reason", ""))))
        self._mailbox.put({"type": "done"})


def _id(message: Json) -> UUID:
    """Raises Refused."""
    try:
        return UUID(str(message.get("session_id")))
    except ValueError as error:
        raise Refused(choosing.NOT_FOUND, ENDED) from error
