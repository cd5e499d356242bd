"""All sessions of this live process: opening them, finding them again, ending what is over, and what a dead process has left."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import close_old_connections, connections

from whisper_jobs import uploads
from whisper_jobs.errors import JobError
from whisper_jobs.hearing import choosing, ending, rows, spool
from whisper_jobs.hearing.choosing import Known, Refused
from whisper_jobs.hearing.ears import Ears
from whisper_jobs.hearing.mailbox import Mailbox
from whisper_jobs.hearing.opening import ASKED_NOTHING, Asked
from whisper_jobs.hearing.session import BACKEND_DOWN, DISK_FULL, STREAM_FAILED, Session
from whisper_jobs.models import LiveSession
from whisper_jobs.models.live_session import SessionState

log = logging.getLogger(__name__)
T = TypeVar("T")
FULL = "All places for live sessions are taken. Try again later."
ENDED = "This session has ended."
LOST = "The server was restarted while this was heard."
#: What could not be made a recording is tried again after so long.
AGAIN_SECONDS = 30.0
#: The part of the places that those who have one already leave to others.
LAST_SHARE = 5


async def _nobody(_session_id: UUID) -> None:
    """Where sound comes over lines only."""


async def database(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    found: T = await database_sync_to_async(work)(*args, **kwargs)
    return found


class Sessions:
    """`process` is the name under which rows know this live process."""

    def __init__(self, folder: Path, process: str) -> None:
        self.folder, self.process = folder, process
        self.ears = Ears(lambda: list(self._held.values()))
        self.voices: dict[UUID, Known] = {}
        self._held: dict[UUID, Session] = {}
        self._opening = 0
        #: session → whose it is, also of those that are being opened.
        self._owners: dict[UUID, int] = {}
        #: Folders at which somebody is at work.
        self._taken: set[UUID] = set()
        #: Also of those who listen before the session has begun.
        self._mailboxes: defaultdict[UUID, set[Mailbox]] = defaultdict(set)
        self._tasks: set[asyncio.Task[None]] = set()
        self._tools = settings.TOOLS
        #: Called with each session that ends, for who feeds it otherwise than over a line.
        self.farewell: Callable[[UUID], Awaitable[None]] = _nobody

    @property
    def held(self) -> list[Session]:
        return list(self._held.values())

    # --- opening ----------------------------------------------------------------------------------

    async def open(self, session_id: UUID, asked: Asked = ASKED_NOTHING) -> Session:
        """Begins the session of a row that was just made. Raises Refused."""
        if session_id in self._taken or session_id in self._held:
            raise Refused(choosing.LOST, ENDED)
        self._taken.add(session_id)
        self._opening += 1
        try:
            if len(self._held) + self._opening > self._tools.live_sessions:
                raise Refused(BACKEND_DOWN, FULL)
            session = await self._open(session_id, asked)
        except Refused as refused:
            await database(rows.cannot_begin, session_id, refused.message)
            raise
        finally:
            self._taken.discard(session_id)
            self._opening -= 1
            if session_id not in self._held:
                self._forget_unheard(session_id)
        return session

    async def _open(self, session_id: UUID, asked: Asked) -> Session:
        row = await database(rows.of, session_id)
        if row is None:
            raise Refused(choosing.NOT_FOUND, ENDED)
        if row.owner_id in self._owners.values() and self._are_last_places:
            raise Refused(BACKEND_DOWN, FULL)
        self._owners[session_id] = row.owner_id
        session = await self._prepared(row, asked)
        if not await database(rows.begin, session_id, self.process, longest=self._longest):
            raise Refused(choosing.LOST, ENDED)
        try:
            await session.begin()
        except JobError as error:
            raise Refused("SCAIECHO_INVALID", error.message) from error
        except OSError as error:
            log.exception("a session could not begin")
            raise Refused(STREAM_FAILED, DISK_FULL) from error
        self._held[session_id] = session
        self.ears.wake()
        return session

    async def _prepared(self, row: LiveSession, asked: Asked) -> Session:
        head = await database(choosing.choose, row)
        known = await database(choosing.known_voices, row)
        if known is not None:
            self.voices[row.pk] = known
        return Session(
            opening=choosing.opening(row, asked),
            head=head,
            folder=self.folder / str(row.pk),
            mailboxes=self._mailboxes[row.pk],
            changed=self.ears.wake,
            over=lambda session: self._later(self._wind_up(session)),
            has_room=lambda: uploads.has_room(0),
            label=known.label if known else None,
            language=row.language,
        )

    @property
    def _are_last_places(self) -> bool:
        """One in five is for those who have none: nobody takes them all."""
        places = self._tools.live_sessions
        return len(self._owners) >= places - places // LAST_SHARE

    def find(self, session_id: UUID) -> Session | None:
        """One that is not ending."""
        session = self._held.get(session_id)
        return session if session is not None and session.ending is None else None

    @property
    def _longest(self) -> timedelta:
        return timedelta(hours=self._tools.live_max_hours)

    # --- who listens ------------------------------------------------------------------------------

    async def watch(self, session_id: UUID, mailbox: Mailbox, after: float | None) -> None:
        """All words of a session from now on, also of one that begins later."""
        if (session := self._held.get(session_id)) is not None:
            await session.join(mailbox, after=after)
        else:
            self._mailboxes[session_id].add(mailbox)

    def leave(self, session_id: UUID, mailbox: Mailbox) -> None:
        self._mailboxes[session_id].discard(mailbox)
        if session_id not in self._held and session_id not in self._taken:
            self._forget_unheard(session_id)

    # --- coming and going of the client -----------------------------------------------------------

    def drop(self, session: Session) -> None:
        if session.ending is None and session.dropped_at is None:
            session.drop()
            until = timedelta(seconds=self._tools.live_resume_seconds)
            self._later(database(rows.drop, session.id, until=until))

    def pick_up(self, session: Session) -> None:
        if session.dropped_at is not None:
            session.pick_up()
            self._later(database(rows.pick_up, session.id, longest=self._longest))

    # --- the end ----------------------------------------------------------------------------------

    async def _wind_up(self, session: Session) -> None:
        """The words that are still out, then the recording, then word of it to who listens."""
        assert session.ending is not None
        end = session.ending
        self._taken.add(session.id)
        try:
            await database(rows.end, session.id, end.reason, session.audio_bytes)
            await self.farewell(session.id)
            await session.settle()
            job = await session.finally_do(_made, session.id, session.folder, end.reason)
        except Exception:
            # The folder is there, and is looked at again.
            log.exception("session %s could not be made a recording", session.id)
            await session.let_go()
            session.tell({"type": "error", "code": STREAM_FAILED, "message": ending.LATER})
        else:
            if end.code:
                session.tell({"type": "error", "code": end.code, "message": end.message or end.reason})
            told = {"audio_bytes": session.audio_bytes, "job_id": str(job) if job else None, "reason": end.reason}
            session.tell({"type": "closed", **told})
        finally:
            self._forget(session)

    def _forget_unheard(self, session_id: UUID) -> None:
        """One that never began. Who listens for it listens on."""
        self._owners.pop(session_id, None)
        self.voices.pop(session_id, None)
        if not self._mailboxes[session_id]:
            del self._mailboxes[session_id]

    def _forget(self, session: Session) -> None:
        for mailbox in self._mailboxes.pop(session.id, set()):
            mailbox.close()
        self._held.pop(session.id, None)
        self._owners.pop(session.id, None)
        self.voices.pop(session.id, None)
        self._taken.discard(session.id)

    async def recover(self) -> None:
        """Makes recordings of what a live process has left that is no more, and of what could not be stored before."""
        left = await asyncio.to_thread(spool.left, self.folder)
        await database(rows.lose_all_but, self.process, left)
        for session_id in left:
            if session_id not in self._held and session_id not in self._taken:
                self._taken.add(session_id)
                try:
                    await asyncio.to_thread(_recovered, session_id, self.folder / str(session_id))
                except Exception:
                    log.exception("what is left of session %s could not be made a recording", session_id)
                finally:
                    self._taken.discard(session_id)

    async def stop(self) -> None:
        """The process ends: what is heard stays in the folders, and the next one makes recordings of it."""
        for session in self.held:
            session.tell({"type": "error", "code": STREAM_FAILED, "message": ending.LATER})
            for mailbox in session.mailboxes:
                mailbox.close()
            await session.let_go()

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a live session's work failed", exc_info=task.exception())


def _made(session_id: UUID, folder: Path, note: str) -> int | None:
    """In the session's own thread, whose connection to the database ends with it."""
    try:
        job = ending.finish(session_id, folder, SessionState.CLOSED, note)
        return job.pk if job else None
    finally:
        connections.close_all()


def _recovered(session_id: UUID, folder: Path) -> None:
    close_old_connections()
    try:
        row = rows.of(session_id)
        was_ending = row is not None and row.state == SessionState.ENDING
        state, note = (SessionState.CLOSED, row.reason if row else "") if was_ending else (SessionState.LOST, LOST)
        ending.finish(session_id, folder, state, note)
        log.info("session %s, which a process has left, is a recording now", session_id)
    finally:
        connections.close_all()
