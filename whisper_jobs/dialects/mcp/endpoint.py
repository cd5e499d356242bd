"""The ASGI application at /mcp: the gate, then the SDK's own application. Stateless: every request stands by itself."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import JSONResponse

from whisper_jobs.dialects.mcp import gate, server
from whisper_jobs.dialects.mcp.callers import CALLER
from whisper_jobs.pooled import pooled

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
PATH = "/mcp"
#: What the web server takes of a body that is no upload.
MOST_BYTES = 16 << 20


class Endpoint:
    """Starts the SDK's session manager with the first request: not every ASGI server tells of its start and its end."""

    def __init__(self) -> None:
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = ASGIRequest(dict(scope), io.BytesIO())
        caller = await pooled(lambda: gate.admit(request))
        if isinstance(caller, JSONResponse):
            await caller(scope, receive, send)
        else:
            application = await self._application()
            await application({**scope, CALLER: caller}, receive, send)

    async def _application(self) -> Application:
        """Of this loop; made anew should the session manager ever have ended."""
        if self._running is None or self._running.done() or self._running.get_loop() is not asyncio.get_running_loop():
            self._start()
        await self._ready.wait()
        return self._made

    def _start(self) -> None:
        made = server.make()
        self._ready = asyncio.Event()
        self._made: Application = made.streamable_http_app(
            streamable_http_path=PATH,
            stateless_http=True,
            max_request_body_size=MOST_BYTES,
            # The gate looks at hosts and origins, by the settings that all pages follow.
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        self._running = asyncio.create_task(_run(made.session_manager, self._ready), name="mcp")


async def _run(manager: StreamableHTTPSessionManager, ready: asyncio.Event) -> None:
    """As long as the loop."""
    async with manager.run():
        ready.set()
        await asyncio.Event().wait()
