"""The web process: Daphne, with request bodies of any size on disk instead of in memory.

Started by the supervisor with a socket that already listens, or alone by `python -m config.web`.
"""

from __future__ import annotations

# Daphne installs the asyncio reactor, which must happen before anything else imports Twisted's.
from daphne.server import Server as DaphneServer  # isort: skip

import asyncio
import errno
import json
import os
import resource
import socket
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import django
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory
from django.conf import settings
from twisted.internet import reactor as _reactor
from twisted.logger import ILogObserver, LogEvent, globalLogBeginner
from zope.interface import provider

from config.preflight import Refusal, listen
from config.spool import BODY_DISCARDED, DISK_FULL, Body, Inbox, Room

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

reactor: Any = _reactor
MEGABYTE = 1 << 20
#: What a form may hold beside its file.
FORM_BYTES = MEGABYTE
#: Bodies that can't be an upload, such as JSON.
DOCUMENT_BYTES = 16 * MEGABYTE
UPLOADS = (b"multipart/", b"application/octet-stream", b"application/offset+octet-stream", b"audio/", b"video/")
SOCKET_MESSAGE_BYTES = 256 * 1024
OPEN_FILES = 65_536
FULL = (errno.ENOSPC, errno.EDQUOT)
REFUSALS = {
    413: ("too_large", "The request body is larger than this server accepts."),
    507: ("disk_full", "The server's disk is full. Ask an administrator to make room, then try again."),
}


def is_upload(content_type: bytes) -> bool:
    return content_type.strip().lower().startswith(UPLOADS)


class Request(WebRequest):
    """A request whose body goes to a Body. Twisted's own parsing of forms, in memory, is off."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._parsePOSTFormSubmission = False

    def gotLength(self, length: int | None) -> None:
        self.content = Body(self.server.room, self._limit_bytes(), length)

    def _limit_bytes(self) -> int:
        kind = (self.requestHeaders.getRawHeaders(b"content-type") or [b""])[0]
        return int(self.server.upload_bytes) if is_upload(kind) else DOCUMENT_BYTES

    def process(self) -> Any:
        self.content.finish()
        return super().process()


class Factory(HTTPFactory):
    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        return protocol


class Server(DaphneServer):
    """Daphne's server on a socket that already listens."""

    def __init__(self, application: Application, listener: socket.socket, *, room: Room, upload_bytes: int) -> None:
        super().__init__(
            application,
            endpoints=["adopted"],
            server_name="",
            websocket_max_frame_size=SOCKET_MESSAGE_BYTES,
            websocket_max_message_size=SOCKET_MESSAGE_BYTES,
        )
        self.room = room
        self.upload_bytes = upload_bytes
        self._listener = listener

    def run(self) -> None:
        self.connections: dict[Any, dict[str, Any]] = {}
        self.http_factory = Factory(self)
        self.ws_factory = WebSocketFactory(self, server=self.server_name)
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            allowNullOrigin=True,
            openHandshakeTimeout=self.websocket_handshake_timeout,
            maxMessagePayloadSize=self.websocket_max_message_size,
            maxFramePayloadSize=self.websocket_max_frame_size,
        )
        globalLogBeginner.beginLoggingTo([_ignore], redirectStandardIO=False, discardBuffer=True)
        reactor.callLater(1, self.application_checker)
        reactor.callLater(2, self.timeout_checker)
        asyncio.set_event_loop(reactor._asyncioEventloop)
        # Twisted accepts until there is nobody left to accept.
        self._listener.setblocking(False)
        reactor.adoptStreamPort(self._listener.fileno(), self._listener.family, self.http_factory)
        reactor.addSystemEventTrigger("before", "shutdown", self.kill_all_applications)
        reactor.run()

    def create_application(self, protocol: Any, scope: Scope) -> Any:
        if scope["type"] != "http":
            return super().create_application(protocol, scope)
        body: Body = protocol.content
        inbox = Inbox(body)
        started = self.application(described(scope, body), inbox.get, partial(self.handle_reply, protocol))
        if protocol not in self.connections:
            return None
        self.connections[protocol]["application_instance"] = asyncio.ensure_future(started)
        return inbox

    def kill_all_applications(self) -> Any:
        # Daphne's own trips over connections that have no application, such as idle ones.
        for connection in [one for one, known in self.connections.items() if "application_instance" not in known]:
            del self.connections[connection]
        return super().kill_all_applications()


def described(scope: Scope, body: Body) -> Scope:
    """The scope with the body's true length, also for a chunked one; and word of a body that was not kept."""
    kept = [pair for pair in scope["headers"] if pair[0] not in (b"content-length", b"transfer-encoding")]
    if len(kept) != len(scope["headers"]):
        kept.append((b"content-length", b"%d" % (0 if body.discarded else body.size)))
    extensions = dict(scope.get("extensions", {}))
    if body.discarded:
        size = body.size if body.declared_bytes is None else body.declared_bytes
        extensions[BODY_DISCARDED] = {"reason": body.discarded, "size": size, "limit": body.limit_bytes}
    return {**scope, "asgi": {"version": "3.0"}, "headers": kept, "extensions": extensions}


@provider(ILogObserver)
def _ignore(event: LogEvent) -> None:
    """Twisted's own log: what matters of it is logged by Daphne."""


class Guard:
    """Answers for the application where a body could not be kept, except an upload over the limit, which it explains itself."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = scope.get("extensions", {}).get(BODY_DISCARDED)
        if told and told["reason"] == DISK_FULL:
            return await refuse(send, 507)
        if told and not is_upload(dict(scope["headers"]).get(b"content-type", b"")):
            return await refuse(send, 413)
        try:
            await self._application(scope, receive, send)
        except OSError as error:
            if scope["type"] != "http" or error.errno not in FULL:
                raise
            await refuse(send, 507)


async def refuse(send: Send, status: int) -> None:
    code, message = REFUSALS[status]
    text = json.dumps({"ok": False, "code": code, "message": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(text))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


def allow_many_sockets() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def serve(application: Application, listener: socket.socket) -> None:
    """Serves `application` until SIGTERM."""
    allow_many_sockets()
    room = Room(settings.DATA_DIR / "tmp", settings.TOOLS.disk_reserve_mb * MEGABYTE)
    upload_bytes = settings.TOOLS.upload_max_mb * MEGABYTE + FORM_BYTES
    Server(Guard(application), listener, room=room, upload_bytes=upload_bytes).run()


def main(listener: socket.socket | None = None) -> None:
    """The web process; `listener` is None where it has to open its own socket."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    # The application reads the settings and the models, which are there from here on only.
    from config.asgi import application

    serve(application, listener or listen(settings.TOOLS.bind, settings.TOOLS.port))


if __name__ == "__main__":
    try:
        main()
    except Refusal as error:
        sys.exit(str(error))
