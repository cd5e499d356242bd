"""Shares the ears among the sessions: each ear gets the work of the session that has waited longest since it was last read.

An ear is a process that has called the live process. One that goes away, or takes too long, gives its work back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Any

from whisper_jobs.errors import FAILURES, JobError
from whisper_jobs.hearing import packed, wire
from whisper_jobs.hearing.session import Session
from whisper_jobs.speech.streaming.heard import Work

log = logging.getLogger(__name__)
#: Loading a model on a slow machine is in it.
READING_SECONDS = 180.0
LOOK_SECONDS = 1.0


class Ears:
    """`sessions` are those that are held now."""

    def __init__(self, sessions: Callable[[], Collection[Session]]) -> None:
        self._sessions = sessions
        self._news = asyncio.Event()
        self.count = 0

    def wake(self) -> None:
        """There may be something to read."""
        self._news.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One ear, until it goes."""
        self.count += 1
        try:
            while not reader.at_eof():
                found = await self._next()
                if found is not None:
                    await self._read(reader, writer, *found)
        except wire.Broken as error:
            log.info("an ear went away: %s", error)
        finally:
            self.count -= 1

    async def _next(self) -> tuple[Session, Work] | None:
        """Of the sessions that may have something, the one that waits longest. None after a while without any."""
        self._news.clear()
        due = [session for session in self._sessions() if session.is_due]
        for session in sorted(due, key=lambda one: one.waiting_since or 0.0):
            if session.is_due and (work := await session.next_work()):
                return session, work
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._news.wait()
        except TimeoutError:
            pass
        return None

    async def _read(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: Session, work: Work
    ) -> None:
        """Raises Broken when the ear died or hangs; its work is due again then."""
        try:
            async with asyncio.timeout(READING_SECONDS):
                await wire.send(writer, _question(session, work))
                await wire.send(writer, packed.sound(work.samples))
                told = await wire.receive(reader)
        except (wire.Broken, TimeoutError, asyncio.CancelledError) as error:
            await session.give_up(work)
            raise wire.Broken("it died, or took too long") from error
        try:
            await _hand_over(session, work, told if isinstance(told, dict) else {})
        except Exception:
            log.exception("what was read of session %s could not be taken", session.id)
            await session.give_up(work)


def _question(session: Session, work: Work) -> dict[str, Any]:
    return {
        "op": "read",
        "backend": session.head.backend,
        "engine": session.head.engine,
        "model": session.head.model,
        "language": session.language,
        "prompt": session.hints.prompt,
        "hotwords": list(session.hints.hotwords),
        "diarize": session.opening.diarize,
        "number": work.number,
        "start": work.start,
        "is_final": work.is_final,
        "speech": [list(span) for span in work.speech],
    }


async def _hand_over(session: Session, work: Work, told: dict[str, Any]) -> None:
    if told.get("type") != "result":
        code = told.get("code")
        error = JobError(code if code in FAILURES else "internal_error", str(told.get("message", "")))
        log.warning("a part of session %s could not be read: %s", session.id, error)
        await session.give_up(work, error)
        return
    await session.take(work, packed.result_of(told["result"]), told.get("voice"))
