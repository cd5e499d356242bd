"""The two sockets. Both: identify, join the group, send a snapshot read after joining, then forward what is pushed.

A push can be missed while the broker is away, so every now and then a socket compares itself with the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from abc import abstractmethod
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from accounts.models import User
from whisper_jobs import broadcast, identity, queries
from whisper_jobs.live import snapshots
from whisper_jobs.states import UNHEARD

log = logging.getLogger(__name__)
BAD_MESSAGE, NOT_SIGNED_IN, NO_PERMISSION, NOT_VISIBLE = 4400, 4401, 4403, 4404
#: Open it again: it could not go on as it was.
TRY_AGAIN = 4500
AUTH_SECONDS = 10.0
CATCH_UP_SECONDS = 20.0
#: The line is counted again at most this often.
LINE_SECONDS = 1.0


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """What both sockets share: who is there, joining, catching up, leaving."""

    user: User | None = None
    #: Only jobs of this channel exist here; None for all.
    channel: str | None = None
    group: str = ""

    async def connect(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        await self.accept()
        token = identity.bearer(self.scope)
        user = (
            identity.of_session(self.scope) if token is None else await database_sync_to_async(identity.of_token)(token)
        )
        if user is not None:
            await self._enter(user)
        elif token is not None:
            await self.close(NOT_SIGNED_IN)
        else:
            self._later(self._close_unless_known())

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        kind = content.get("type") if isinstance(content, dict) else None
        if kind == "auth" and self.user is None:
            self.scope[identity.TOLD] = token = str(content.get("token", ""))
            user = await database_sync_to_async(identity.of_token)(token)
            await (self._enter(user) if user is not None else self.close(NOT_SIGNED_IN))
        elif kind == "ping":
            await self.send_json({"type": "pong"})

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any) -> None:
        """A frame that is no JSON closes the socket. An application may not send the protocol's own code for that."""
        try:
            await super().receive(text_data=text_data, bytes_data=bytes_data, **kwargs)
        except (ValueError, RecursionError):
            await self.close(BAD_MESSAGE)

    async def disconnect(self, code: int) -> None:
        for task in self._tasks:
            task.cancel()
        if self.group:
            with contextlib.suppress(OSError):
                await self.channel_layer.group_discard(self.group, self.channel_name)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Channels sees to database connections before every message, in a thread. A push, which touches none, must
        not wait for that: with some hundred pages of one job it was most of the time."""
        if message["type"] == "push":
            await self.push(message)
        else:
            await super().dispatch(message)

    async def push(self, event: dict[str, Any]) -> None:
        """A message of the group."""
        await self.forward(event["message"])

    async def _enter(self, user: User) -> None:
        self.user, self.channel = user, identity.channel_of(self.scope)
        if not await database_sync_to_async(queries.can_use)(user):
            await self.close(NO_PERMISSION)
            return
        if await self.join(user):
            self._later(self._keep_up())

    async def _join_group(self, group: str) -> None:
        self.group = group
        await self.channel_layer.group_add(group, self.channel_name)

    async def _close_unless_known(self) -> None:
        await asyncio.sleep(AUTH_SECONDS)
        if self.user is None:
            await self.close(NOT_SIGNED_IN)

    async def _keep_up(self) -> None:
        while True:
            # Not all at once, when many pages were opened together.
            await asyncio.sleep(CATCH_UP_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311
            try:
                if await self._still_allowed():
                    await self.catch_up()
            except Exception:
                log.exception("a socket could not catch up")
                await self.close(TRY_AGAIN)

    async def _still_allowed(self) -> bool:
        """Closes the socket of somebody who was deactivated or lost the permission since it was opened."""
        assert self.user is not None
        user = await database_sync_to_async(identity.again)(self.user, self.scope)
        if user is None:
            await self.close(NOT_SIGNED_IN)
        elif not await database_sync_to_async(queries.can_use)(user):
            await self.close(NO_PERMISSION)
        else:
            self.user = user
            return True
        return False

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @abstractmethod
    async def join(self, user: User) -> bool:
        """Joins and sends the snapshot; False when the socket was closed instead."""

    @abstractmethod
    async def catch_up(self) -> None:
        """Compares with the database and sends what was missed."""

    @abstractmethod
    async def forward(self, message: broadcast.Message) -> None:
        """Sends a pushed message on, unless it is old."""


class JobConsumer(LiveConsumer):
    """One job: snapshot, the segments there are, then changes, log lines and segments as windows finish."""

    async def join(self, user: User) -> bool:
        self.job_id = int(self.scope["url_route"]["kwargs"]["job_id"])
        #: `sent` is the highest revision of any message, `seen` that of the last job told, `synced` that of the last look.
        self.seen = self.sent = self.synced = _since(self.scope)
        self.told: set[int] = set()
        self._placing = False
        # Before the first look at the job, so that no change falls between the look and the first push.
        await self._join_group(broadcast.job_group(self.job_id))
        return await self._tell("snapshot")

    async def catch_up(self) -> None:
        if await self._revision() != self.seen:
            await self._tell("change")
        else:
            await self._tell_place()

    async def _revision(self) -> int | None:
        assert self.user is not None
        revision: int | None = await database_sync_to_async(snapshots.revision_of)(self.user, self.job_id, self.channel)
        return revision

    async def _tell(self, kind: str) -> bool:
        """The job as it is, and the segments stored since the last look that were not pushed."""
        assert self.user is not None
        job = await database_sync_to_async(snapshots.job)(self.user, self.job_id, self.channel)
        if job is None:
            await self.close(NOT_VISIBLE)
            return False
        self.seen = max(self.seen, job["revision"])
        await self._send_in_order({"type": kind, "revision": job["revision"], "job": job})
        async for page in snapshots.segments(self.job_id, self.synced):
            fresh = [one for one in page if one["id"] not in self.told]
            if fresh:
                await self._send_in_order(
                    {"type": "segments", "revision": job["revision"], "window": None, "segments": fresh}
                )
        self.synced, self.told = job["revision"], set()
        return True

    async def forward(self, message: broadcast.Message) -> None:
        if message["type"] == "change":
            # One older than segments already told is overtaken: the change that goes with those follows.
            if message["revision"] <= self.seen or message["revision"] < self.sent:
                return
            self.seen = message["revision"]
            self._place_later(message["job"])
        elif message["type"] == "segments":
            # Windows finish side by side: an older revision may come later and is no less news.
            self.told |= {one["id"] for one in message["segments"]}
        await self._send_in_order(message)

    def _place_later(self, job: dict[str, Any]) -> None:
        """A pushed change tells what stands in the job's own row; its place depends on all the others."""
        if job.get("stage") in UNHEARD and not self._placing:
            self._placing = True
            self._later(self._after_a_moment())

    async def _after_a_moment(self) -> None:
        await asyncio.sleep(LINE_SECONDS)
        self._placing = False
        await self._tell_place()

    async def _tell_place(self) -> None:
        assert self.user is not None
        place = await database_sync_to_async(snapshots.place)(self.user, self.job_id, self.channel)
        if place is not None:
            await self.send_json({"type": "place", **place})

    async def _send_in_order(self, message: broadcast.Message) -> None:
        """Revisions only grow on the wire: what comes late goes under the revision that has been told."""
        if "revision" in message:
            self.sent = max(self.sent, message["revision"])
            message = {**message, "revision": self.sent}
        await self.send_json(message)


def _since(scope: dict[str, Any]) -> int:
    given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("since", ["0"])[0]
    return int(given) if given.isdecimal() and len(given) < 10 else 0


class QueueConsumer(LiveConsumer):
    """The queue page: its first page of jobs, then every change of a job that the user may see."""

    async def join(self, user: User) -> bool:
        self.known: dict[int, int] = {}
        self._counting = False
        self._queue = await database_sync_to_async(_queue_of)(user)
        await self._join_group(self._queue)
        page = await database_sync_to_async(snapshots.queue)(user, self.channel)
        self.known = {job["id"]: job["revision"] for job in page["jobs"]}
        await self.send_json({"type": "snapshot", **page})
        return True

    async def catch_up(self) -> None:
        assert self.user is not None
        if await database_sync_to_async(_queue_of)(self.user) != self._queue:
            await self.close(TRY_AGAIN)
            return
        page = await database_sync_to_async(snapshots.queue)(self.user, self.channel)
        for job in reversed(page["jobs"]):
            await self.forward({"type": "change", "revision": job["revision"], "job": job, "moved": True})

    async def forward(self, message: broadcast.Message) -> None:
        if message["type"] == "change":
            job, moved = message["job"], message["moved"]
            if message["revision"] <= self.known.get(job["id"], 0) or self.channel not in (None, job["queue_channel"]):
                return
            if self.user is not None and self.user.in_sandbox and not job["sandbox"]:
                return
            self.known[job["id"]] = message["revision"]
            await self.send_json({"type": "change", "revision": message["revision"], "job": job})
            if moved:
                self._count_line()
        else:
            self.known.pop(message.get("id", 0), None)
            await self.send_json(message)
            self._count_line()

    def _count_line(self) -> None:
        if not self._counting:
            self._counting = True
            self._later(self._tell_line())

    async def _tell_line(self) -> None:
        await asyncio.sleep(LINE_SECONDS)
        self._counting = False
        assert self.user is not None
        await self.send_json({"type": "queue", **await database_sync_to_async(snapshots.line)(self.user, self.channel)})


def _queue_of(user: User) -> str:
    """The group that hears of the jobs that queries.visible_jobs shows to this user."""
    if user.is_superuser:
        return broadcast.EVERY_QUEUE
    return broadcast.tenant_queue(user.tenant_id) if queries.can_manage_all(user) else broadcast.owner_queue(user.pk)


class NowhereConsumer(AsyncJsonWebsocketConsumer):
    """Any other path: told so, rather than an error of the server."""

    async def connect(self) -> None:
        await self.accept()
        await self.close(NOT_VISIBLE)
