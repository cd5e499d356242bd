"""Django's ASGI handler, except that it reads a body from the web server's file instead of copying it to one of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import IO, Any

from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler

from config.spool import Inbox


class Handler(ASGIHandler):
    """Under another server than config.web it is Django's own."""

    async def read_body(self, receive: Callable[[], Awaitable[Any]]) -> IO[bytes]:
        inbox = getattr(receive, "__self__", None)
        if not isinstance(inbox, Inbox):
            return await super().read_body(receive)
        file = inbox.hand_over()
        if file is None:
            raise RequestAborted
        return file
