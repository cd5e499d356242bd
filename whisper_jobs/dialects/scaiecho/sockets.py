"""What the sockets of this dialect share: who is there and may be, looked at again and again, and how they are told why not."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import Coroutine
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.language import language_of, speak_to
from accounts.models import User
from whisper_jobs import identity
from whisper_jobs.budget import spend
from whisper_jobs.dialects.scaiecho.errors import ScaiError
from whisper_jobs.dialects.scaiecho.live_access import may_open
from whisper_jobs.dialects.throttling import owner_of_tokens, person
from whisper_jobs.told import in_words_of_the_reader

log = logging.getLogger(__name__)
#: The published close codes.
BAD_REQUEST, NOT_SIGNED_IN, NO_PERMISSION, SERVER_ERROR, NO_BACKEND = 4400, 4401, 4403, 4500, 4502
NORMAL = 1000
_CLOSE_CODES = {
    "SCAIECHO_UNAUTHORIZED": NOT_SIGNED_IN,
    **dict.fromkeys(("SCAIECHO_BACKEND_UNAVAILABLE", "SCAIECHO_NO_USABLE_BACKEND"), NO_BACKEND),
    **dict.fromkeys(
        ("SCAIECHO_FORBIDDEN", "SCAIECHO_QUOTA_EXCEEDED", "SCAIECHO_TOO_MANY_JOBS", "SCAIECHO_RATE_LIMITED"),
        NO_PERMISSION,
    ),
    **dict.fromkeys(
        (
            "SCAIECHO_INVALID",
            "SCAIECHO_BAD_BACKEND_PREFERENCE",
            "SCAIECHO_DECODE_FAILED",
            "SCAIECHO_NOT_FOUND",
            "SCAIECHO_WEBRTC_SESSION_NOT_FOUND",
        ),
        BAD_REQUEST,
    ),
}
LOOK_SECONDS = 20.0
Json = dict[str, Any]


def close_code(error: str) -> int:
    """The close code that goes with an error's code."""
    return _CLOSE_CODES.get(error, SERVER_ERROR)


def published(message: Json) -> Json:
    """What the live process tells, without what is empty: why it ended, where somebody asked for that."""
    return {name: value for name, value in message.items() if name != "reason" or value}


class ScaiSocket(AsyncWebsocketConsumer):
    """A socket of somebody who may open live sessions; others are told so and sent away."""

    #: What is heard doesn't go through the broker, and doesn't need it.
    channel_layer_alias = "none"
    user: User | None = None

    async def connect(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_over = False
        await self.accept()
        token = _token(self.scope)
        self.is_page = token is None
        user = await database_sync_to_async(_identified)(self.scope, token)
        if user is None:
            # Nothing is said to strangers: clients take any frame for an answer.
            await self.hang_up(NOT_SIGNED_IN)
        elif refused := await database_sync_to_async(_refusal)(user, is_page=self.is_page):
            await self.refuse(*refused)
        else:
            self.user = user
            # What is said in this socket from now on, here and in its tasks.
            speak_to(user)
            self.later(self._look_again())
            await self.enter(user)

    async def enter(self, user: User) -> None:
        """Somebody is there who may be."""

    async def leave(self) -> None:
        """The socket is closed."""

    async def disconnect(self, code: int) -> None:
        self._is_over = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.leave()

    async def dispatch(self, message: Json) -> None:
        """Channels sees to database connections before every message, in a thread; sound touches none."""
        if message["type"] == "websocket.receive" and message.get("bytes") is not None:
            await self.websocket_receive(message)
        else:
            await super().dispatch(message)

    # --- what is told -----------------------------------------------------------------------------

    async def tell(self, message: Json) -> None:
        """Waits while the client is slow to read."""
        if not self._is_over:
            await self.send(text_data=json.dumps(message, ensure_ascii=False))

    async def refuse(self, code: str, message: str, **extra: Any) -> None:
        """An error, and the end of the socket."""
        await self.tell({"type": "error", "code": code, "message": message, **extra})
        await self.hang_up(close_code(code))

    async def refuse_with(self, error: ScaiError) -> None:
        await self.refuse(error.code, error.message, **error.extra)

    def in_their_words(self, message: str) -> str:
        """A sentence of the live process, in the language of this socket's user."""
        return in_words_of_the_reader(message)

    async def hang_up(self, code: int) -> None:
        if not self._is_over:
            self._is_over = True
            await self.close(code)

    # --- who is there -----------------------------------------------------------------------------

    async def _look_again(self) -> None:
        """Sends away who was deactivated, signed out or lost the permission since the socket was opened."""
        while True:
            await asyncio.sleep(LOOK_SECONDS * random.uniform(0.5, 1.0))  # noqa: S311
            try:
                code = await database_sync_to_async(self._not_allowed)()
            except Exception:
                log.exception("a socket's user could not be looked at")
                continue
            if code:
                await self.send_away(code, _("The account or the token may not be used any more."))

    async def send_away(self, code: str, message: str) -> None:
        await self.refuse(code, message)

    def _not_allowed(self) -> str:
        """Why whoever is there may stay no longer: the error's code; empty while they may."""
        assert self.user is not None
        user = identity.again(self.user, self.scope)
        if user is None:
            return "SCAIECHO_UNAUTHORIZED"
        self.user = user
        return "" if may_open(user, is_page=self.is_page) else "SCAIECHO_FORBIDDEN"

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _token(scope: identity.Scope) -> str | None:
    """Of the header, else of the parameter; None where a browser comes with its session."""
    told = identity.bearer(scope)
    if told is None:
        told = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [None])[0]
        if told is not None:
            scope[identity.TOLD] = told
    return told


def _identified(scope: identity.Scope, token: str | None) -> User | None:
    if token is None:
        return identity.of_session(scope)
    return identity.of_token(token) if token.isascii() and token.isprintable() else None


def _refusal(user: User, *, is_page: bool) -> tuple[str, str] | None:
    """Why somebody who is known may not open this: the error's code, and a sentence. A call counts as any other."""
    with override(language_of(user)):
        if not may_open(user, is_page=is_page):
            return "SCAIECHO_FORBIDDEN", _("Live sessions need the permission scaiecho:transcribe.")
        caller = person(user.pk) if is_page else owner_of_tokens(user.pk)
        budget = spend(f"api:{caller}", settings.TOOLS.api_per_minute, now=time.time())
        if budget.wait_seconds:
            return "SCAIECHO_RATE_LIMITED", _("These are too many calls. Try again in a minute.")
    return None
