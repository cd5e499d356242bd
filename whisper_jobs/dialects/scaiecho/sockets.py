"""What the sockets of this dialect share: who may come, and how they are told why not."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from django.utils.translation import gettext as _

from accounts.models import User
from whisper_jobs import identity
from whisper_jobs.dialects.live_socket import LiveSocket
from whisper_jobs.dialects.refusals import Refusal
from whisper_jobs.dialects.scaiecho.errors import ScaiError, of_refusal
from whisper_jobs.dialects.scaiecho.live_access import may_open
from whisper_jobs.dialects.throttling import owner_of_tokens, person
from whisper_jobs.told import in_words_of_the_reader

#: The published close codes.
BAD_REQUEST, NOT_SIGNED_IN, NO_PERMISSION, SERVER_ERROR, NO_BACKEND = 4400, 4401, 4403, 4500, 4502
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
Json = dict[str, Any]


def close_code(error: str) -> int:
    """The close code that goes with an error's code."""
    return _CLOSE_CODES.get(error, SERVER_ERROR)


def published(message: Json) -> Json:
    """What the live process tells, without what is empty: why it ended, where somebody asked for that."""
    return {name: value for name, value in message.items() if name != "reason" or value}


class ScaiSocket(LiveSocket):
    """Programs come with a bearer, pages of this site with their session."""

    @property
    def is_page(self) -> bool:
        return self._token is None

    async def connect(self) -> None:
        self._token = _token(self.scope)
        await super().connect()

    async def dispatch(self, message: Json) -> None:
        """Channels sees to database connections before every message, in a thread; sound touches none."""
        if message["type"] == "websocket.receive" and message.get("bytes") is not None:
            await self.websocket_receive(message)
        else:
            await super().dispatch(message)

    def identified(self) -> User | None:
        if self._token is None:
            return identity.of_session(self.scope)
        is_text = self._token.isascii() and self._token.isprintable()
        return identity.of_token(self._token) if is_text else None

    def again(self, user: User) -> User | None:
        return identity.again(user, self.scope)

    def caller(self, user: User) -> str:
        return person(user.pk) if self.is_page else owner_of_tokens(user.pk)

    def forbidden(self, user: User) -> str:
        if user.in_sandbox:
            return _("The sandbox has no live sessions. Use a token that is not for it.")
        return (
            "" if may_open(user, is_page=self.is_page) else _("Live sessions need the permission scaiecho:transcribe.")
        )

    async def turn_away(self) -> None:
        """Nothing is said to strangers: clients take any frame for an answer."""
        await self.hang_up(NOT_SIGNED_IN)

    async def refuse(self, code: str, message: str, **extra: Any) -> None:
        """An error, and the end of the socket."""
        await self.tell({"type": "error", "code": code, "message": message, **extra})
        await self.hang_up(close_code(code))

    async def refuse_with(self, error: ScaiError) -> None:
        await self.refuse(error.code, error.message, **error.extra)

    async def refuse_for(self, refusal: Refusal) -> None:
        await self.refuse_with(of_refusal(refusal))

    def in_their_words(self, message: str) -> str:
        """A sentence of the live process, in the language of this socket's user."""
        return in_words_of_the_reader(message)


def _token(scope: identity.Scope) -> str | None:
    """Of the header, else of the parameter; None where a browser comes with its session."""
    told = identity.bearer(scope)
    if told is None:
        told = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [None])[0]
        if told is not None:
            scope[identity.TOLD] = told
    return told
