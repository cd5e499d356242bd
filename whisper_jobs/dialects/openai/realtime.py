"""WS /v1/realtime: a transcription session. Sound comes as events, and so do words.

Only carries: what is heard, and what becomes of it, is the live process's matter. A session begins with its first sound; when the
socket is closed, by whomever, it becomes a recording.
"""

from __future__ import annotations

import contextlib
import logging
import time
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import User
from whisper_jobs import queries
from whisper_jobs.dialects import live_socket, refusals
from whisper_jobs.dialects.live_socket import LiveSocket
from whisper_jobs.dialects.openai import errors, realtime_keys, realtime_requests, realtime_session, realtime_sound
from whisper_jobs.dialects.openai.realtime_items import Conversation, event, new_id
from whisper_jobs.dialects.openai.realtime_requests import APPEND, CLEAR, COMMIT, UPDATE_BEFORE, Event
from whisper_jobs.dialects.refusals import Kind, Refusal, Refused
from whisper_jobs.dialects.throttling import owner_of_tokens
from whisper_jobs.hearing import client
from whisper_jobs.told import in_words_of_the_reader

log = logging.getLogger(__name__)
#: As OpenAI closes what it refuses; and of a fault.
REFUSED, FAULT = 3000, 4500
#: What the live process refuses with → what that is to a caller.
_KINDS = {
    "SCAIECHO_UNAUTHORIZED": Kind.UNAUTHENTICATED,
    "SCAIECHO_NO_USABLE_BACKEND": Kind.FORBIDDEN,
    "SCAIECHO_QUOTA_EXCEEDED": Kind.QUOTA,
    "SCAIECHO_TOO_MANY_JOBS": Kind.TOO_MANY_JOBS,
    "SCAIECHO_BACKEND_UNAVAILABLE": Kind.UNAVAILABLE,
    "SCAIECHO_INVALID": Kind.NOT_ALLOWED,
    "SCAIECHO_DECODE_FAILED": Kind.NOT_ALLOWED,
}
Json = dict[str, Any]


class RealtimeConsumer(LiveSocket):
    """One session. What a client gets wrong is told and changes nothing; it is sent away only for what can't go on."""

    async def connect(self) -> None:
        self._id, self._conversation = new_id("sess"), Conversation()
        self._appended_bytes = 0
        self._told = realtime_keys.told(self.scope)
        self.subprotocol = self._told.subprotocol
        self._conversation.is_before = self._told.is_before
        await super().connect()

    async def dispatch(self, message: Json) -> None:
        """Channels sees to database connections before every message, in a thread; most events are sound, which touches none."""
        if message["type"] == "websocket.receive":
            await self.websocket_receive(message)
        else:
            await super().dispatch(message)

    # --- who is there -----------------------------------------------------------------------------

    def identified(self) -> User | None:
        found = realtime_keys.find(self._told.key)
        self._key = found
        return found.token.user if found else None

    def again(self, user: User) -> User | None:
        token = realtime_keys.again(self._key.token) if self._key else None
        return token.user if token else None

    def caller(self, user: User) -> str:
        return owner_of_tokens(user.pk)

    def forbidden(self, user: User) -> str:
        if queries.can_use(user) and queries.can_use_api(user):
            return ""
        return _("Live sessions need the permissions whisper.use and whisper.api.")

    async def turn_away(self) -> None:
        told = _("This API key is not known, or is no longer good.")
        if not self._told.key:
            told = _("Send an API key: a bearer in the header Authorization.")
        await self.refuse_for(Refusal(Kind.UNAUTHENTICATED, told))

    async def refuse_for(self, refusal: Refusal) -> None:
        status, body = errors.word(refusal)
        for failed in self._conversation.failures(body["error"]):
            await self.tell(failed)
        await self._tell_error(refusal)
        await self.hang_up(FAULT if status >= 500 else REFUSED)

    async def _tell_error(self, refusal: Refusal, event_id: str | None = None) -> None:
        _status, body = errors.word(refusal)
        await self.tell(event("error", error={**body["error"], "event_id": event_id}))

    # --- what a client sends ----------------------------------------------------------------------

    async def enter(self, user: User) -> None:
        assert self._key is not None
        try:
            setup = realtime_requests.asked_for(self.scope.get("query_string", b""))
            if not settings.TOOLS.has_live:
                raise Refused(Kind.UNAVAILABLE, _("Live sessions are switched off on this server."))
            if self._key.token.is_sandbox:
                raise Refused(Kind.FORBIDDEN, _("The sandbox has no live sessions. Use a token that is not for it."))
        except Refused as refused:
            await self.refuse_for(refused.refusal)
            return
        self._conversation.setup = self._key.setup or setup
        self._expires_at = round(time.time() + settings.TOOLS.live_max_hours * 3600)
        await self._tell_session("created")

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any) -> None:
        if self.is_over:
            return
        asked: Event | None = None
        try:
            asked = realtime_requests.event(text_data or "")
            realtime_requests.demand_known(asked)
            await self._do(asked)
        except client.Unavailable as error:
            log.warning("no live session: %s", error)
            told = live_socket.lost() if self.line else live_socket.unreachable()
            await self.refuse_for(Refusal(Kind.UNAVAILABLE, told))
        except Refused as refused:
            await self._tell_error(refused.refusal, asked.id if asked else None)
        except Exception as error:
            await self.refuse_for(refusals.of(error))

    async def _do(self, asked: Event) -> None:
        if asked.kind == APPEND:
            await self._append(asked)
        elif asked.kind == COMMIT:
            realtime_requests.demand_enough(self._appended - self._conversation.committed)
            self._conversation.committed = self._appended
            await self._ask({"op": "flush"})
        elif asked.kind == CLEAR:
            await self._clear()
        else:
            await self._update(asked)

    async def _append(self, asked: Event) -> None:
        text = asked.told.get("audio")
        if not isinstance(text, str):
            raise Refused(Kind.INVALID, _("Send sound as base64."), code="required", field="audio")
        try:
            sound = realtime_sound.decoded(text)
        except realtime_sound.NotBase64 as error:
            raise Refused(Kind.INVALID, _("This is no base64."), field="audio") from error
        line = self.line or await self._open()
        self._appended_bytes += len(sound)
        await line.send_bytes(realtime_sound.as_pcm(sound, self._conversation.setup.format))

    async def _open(self) -> client.Line:
        assert self.user is not None
        setup = self._conversation.setup
        row = await database_sync_to_async(realtime_requests.made)(self.user, setup)
        self.line = await client.connect()
        await self.line.send(realtime_requests.opening(row, setup))
        self.later(self._tell_all(self.line))
        return self.line

    async def _clear(self) -> None:
        if self.line is None or self._appended <= self._conversation.committed:
            await self.tell(event("input_audio_buffer.cleared"))
        else:
            self._conversation.committed = self._appended
            await self._ask({"op": "clear"})

    async def _update(self, asked: Event) -> None:
        setup = realtime_requests.session(self._conversation.setup, asked, is_heard=self.line is not None)
        self._conversation.setup = setup
        self._conversation.is_before = asked.kind == UPDATE_BEFORE
        await self._tell_session("updated")
        if self.line is not None:
            await self._ask(realtime_requests.hinting(setup))

    async def _ask(self, question: Json) -> None:
        assert self.line is not None
        await self.line.send(question)

    @property
    def _appended(self) -> float:
        """Seconds."""
        return self._appended_bytes / self._conversation.setup.bytes_per_second

    # --- what a client is told --------------------------------------------------------------------

    async def _tell_session(self, what: str) -> None:
        is_before, setup = self._conversation.is_before, self._conversation.setup
        told = realtime_session.told_before(setup) if is_before else realtime_session.told(setup)
        kind = f"{'transcription_session' if is_before else 'session'}.{what}"
        await self.tell(event(kind, session={"id": self._id, "expires_at": self._expires_at, **told}))

    async def _tell_all(self, line: client.Line) -> None:
        """Passes on what the live process tells, until it has no more."""
        refusal: Refusal | None = None
        is_ready = False
        async for message in line:
            kind = message.get("type")
            is_ready = is_ready or kind == "ready"
            if kind == "error":
                refusal = _refusal(message)
            for told in self._conversation.events(message):
                await self.tell(told)
            if kind == "closed":
                refusal = refusal or Refusal(Kind.NOT_ALLOWED, _over(message), "session_expired")
            if kind == "closed" or (kind == "error" and not is_ready):
                break
        await self.refuse_for(refusal or Refusal(Kind.UNAVAILABLE, live_socket.lost()))

    async def leave(self) -> None:
        """Nobody comes back to a session: it is a recording from now on, with all that was appended."""
        if self.line is not None:
            with contextlib.suppress(client.Unavailable):
                await self.line.send({"op": "end"})
            await self.line.finish()


def _refusal(message: Json) -> Refusal:
    told = in_words_of_the_reader(str(message.get("message", "")))
    return Refusal(_KINDS.get(str(message.get("code")), Kind.BROKEN), told, "session_failed")


def _over(message: Json) -> str:
    reason = str(message.get("reason") or "")
    return in_words_of_the_reader(reason) if reason else _("The session has ended.")
