"""What the sockets for live sound of every dialect share: who is there and may be, looked at again and again, and the live process.

Each dialect words its own refusals and carries its own frames.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import Coroutine
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.language import language_of, speak_to
from accounts.models import User
from whisper_jobs.budget import spend
from whisper_jobs.dialects.refusals import Kind, Refusal
from whisper_jobs.hearing import client

log = logging.getLogger(__name__)
NORMAL = 1000
LOOK_SECONDS = 20.0
#: Told to the live process; a sentence that `told` knows.
SENT_AWAY = "The account or the token may not be used any more."
Json = dict[str, Any]


def lost() -> str:
    """The live process died. What came until then becomes a recording when it is back."""
    return _("The server could not go on. What was heard is kept and becomes a recording.")


def unreachable() -> str:
    return _("Live transcription can't be reached now. Try again later.")


def _written(message: Json) -> str:
    """What a client sent is told back to it as it was, also half of a character, which has no bytes but an escape."""
    told = json.dumps(message, ensure_ascii=False)
    try:
        told.encode()
    except UnicodeEncodeError:
        return json.dumps(message)
    return told


class LiveSocket(AsyncWebsocketConsumer):
    """A socket of somebody who may open live sessions; others are told so and sent away."""

    #: What is heard doesn't go through the broker, and doesn't need it.
    channel_layer_alias = "none"
    user: User | None = None
    #: To the live process, once there is a session.
    line: client.Line | None = None
    subprotocol: str | None = None

    async def connect(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_over = False
        await self.accept(self.subprotocol)
        user = await database_sync_to_async(self.identified)()
        if user is None:
            await self.turn_away()
        elif refusal := await database_sync_to_async(self._refusal)(user):
            await self.refuse_for(refusal)
        else:
            self.user = user
            # What is said in this socket from now on, here and in its tasks.
            speak_to(user)
            self.later(self._look_again())
            await self.enter(user)

    # --- what a dialect says of itself ------------------------------------------------------------

    def identified(self) -> User | None:
        """Who is there. Queries the database."""
        raise NotImplementedError

    def again(self, user: User) -> User | None:
        """The same as they are now; None for who may be here no longer, whatever they may do. Queries the database."""
        raise NotImplementedError

    def caller(self, user: User) -> str:
        """Whose calls this one counts among (see throttling)."""
        raise NotImplementedError

    def forbidden(self, user: User) -> str:
        """Why somebody who is known may not open this, as a sentence; empty for who may."""
        raise NotImplementedError

    async def turn_away(self) -> None:
        """Nobody knows who is there."""
        raise NotImplementedError

    async def refuse_for(self, refusal: Refusal) -> None:
        """An error, and the end of the socket."""
        raise NotImplementedError

    async def enter(self, user: User) -> None:
        """Somebody is there who may be."""

    async def leave(self) -> None:
        """The socket is closed."""

    # --- coming and going -------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        return self._is_over or self.user is None

    async def disconnect(self, code: int) -> None:
        self._is_over = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.leave()

    async def tell(self, message: Json) -> None:
        """Waits while the client is slow to read."""
        if not self._is_over:
            await self.send(text_data=_written(message))

    async def hang_up(self, code: int, reason: str | None = None) -> None:
        if not self._is_over:
            self._is_over = True
            await self.close(code, reason)

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- who is there -----------------------------------------------------------------------------

    def _refusal(self, user: User) -> Refusal | None:
        """Why somebody who is known may not open this. A call counts as any other."""
        with override(language_of(user)):
            if forbidden := self.forbidden(user):
                return Refusal(Kind.FORBIDDEN, forbidden)
            budget = spend(f"api:{self.caller(user)}", settings.TOOLS.api_per_minute, now=time.time())
            if budget.wait_seconds:
                return Refusal(Kind.RATE, _("These are too many calls. Try again in a minute."))
        return None

    async def _look_again(self) -> None:
        """Sends away who was deactivated, signed out or lost the permission since the socket was opened."""
        while True:
            await asyncio.sleep(LOOK_SECONDS * random.uniform(0.5, 1.0))  # noqa: S311
            try:
                kind = await database_sync_to_async(self._not_allowed)()
            except Exception:
                log.exception("a socket's user could not be looked at")
                continue
            if kind:
                await self.send_away(Refusal(kind, _("The account or the token may not be used any more.")))

    async def send_away(self, refusal: Refusal) -> None:
        """What was heard becomes a recording."""
        if self.line is not None:
            try:
                await self.line.send({"op": "end", "reason": SENT_AWAY})
            except client.Unavailable:
                log.info("the live process had gone before")
        await self.refuse_for(refusal)

    def _not_allowed(self) -> Kind | None:
        """Why whoever is there may stay no longer; None while they may."""
        assert self.user is not None
        user = self.again(self.user)
        if user is None:
            return Kind.UNAUTHENTICATED
        self.user = user
        return Kind.FORBIDDEN if self.forbidden(user) else None
