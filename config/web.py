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
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import django
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from django.conf import settings
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogEvent, globalLogBeginner
from zope.interface import provider

from config import envelopes
from config.flow import Courier, Flow
from config.preflight import Refusal, listen
from config.pressure import Pressure, is_long
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
PIECE = b"application/offset+octet-stream"
#: Below here a PATCH goes on with an upload (tus), whose bytes count also when the connection is cut.
RESUMABLE = b"/api/whisper/uploads/"
#: How long a client that was refused may go on sending before it is cut off, so that it reads why.
LINGER_SECONDS = 5.0
#: Of a message that comes in. What is sent may be a page of long segments.
SOCKET_MESSAGE_BYTES = 256 * 1024
#: Messages that wait for the application; a client that sends faster is read from again when it has caught up.
SOCKET_MESSAGES, SOCKET_LOOK_SECONDS = 64, 0.05
OPEN_FILES = 65_536
#: Uploads on their way have so long to be stored when the server stops, less than its supervisor waits.
STOP_SECONDS = 5.0
FULL = (errno.ENOSPC, errno.EDQUOT)
REFUSALS = {
    413: ("too_large", "The request body is larger than this server accepts."),
    507: ("disk_full", "The server's disk is full. Ask an administrator to make room, then try again."),
}


def is_upload(content_type: bytes) -> bool:
    return content_type.strip().lower().startswith(UPLOADS)


class Request(WebRequest):
    """A request whose body goes to a Body, or to a Flow. Twisted's own parsing of forms, in memory, is off."""

    content: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._parsePOSTFormSubmission = False
        self._is_answered = False
        self.pressure = Pressure()

    def gotLength(self, length: int | None) -> None:
        # Twisted sets these when the body is there, too late for a Flow.
        self.method, self.uri = self.channel._command, self.channel._path
        self.clientproto, self.path = self.channel._version, self.uri.partition(b"?")[0]
        if length == 0 or not self._is_piece():
            self.content = Body(self.server.room, self._limit_bytes(), length)
        else:
            self.content = Flow(self.server.room, self._limit_bytes(), length)
            super().process()

    def _header(self, name: bytes) -> bytes:
        return bytes((self.requestHeaders.getRawHeaders(name) or [b""])[0])

    def _is_piece(self) -> bool:
        method = self._header(b"x-http-method-override") if self.method == b"POST" else self.method
        kind = self._header(b"content-type").partition(b";")[0].strip().lower()
        return method.upper() == b"PATCH" and kind == PIECE and self.path.startswith(RESUMABLE)

    def _limit_bytes(self) -> int:
        return int(self.server.upload_bytes) if is_upload(self._header(b"content-type")) else DOCUMENT_BYTES

    def process(self) -> Any:
        self.content.finish()
        if not isinstance(self.content, Flow):
            return super().process()
        if self._is_answered:
            super().finish()
        return None

    def handle_reply(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start" and self._is_arriving():
            message = {**message, "headers": [*message.get("headers", []), (b"connection", b"close")]}
        super().handle_reply(message)
        if message["type"] == "http.response.start" and is_long(message.get("headers", [])):
            self.registerProducer(self.pressure, True)

    def connectionLost(self, reason: Any) -> None:
        self.pressure.stopProducing()
        super().connectionLost(reason)

    def finish(self) -> None:
        if self.producer:
            self.unregisterProducer()
        if self._is_arriving():
            # What follows is no next request. A client reads its answer when it is done sending, so let it go on for a bit.
            self._is_answered, self.channel.persistent = True, False
            reactor.callLater(LINGER_SECONDS, self.hang_up)
        else:
            super().finish()

    def _is_arriving(self) -> bool:
        return isinstance(self.content, Flow) and not self.content.is_whole

    def hang_up(self) -> None:
        if not self.finished and not self._disconnected:
            self.channel.transport.abortConnection()


class Factory(HTTPFactory):
    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        return protocol


class Socket(WebSocketProtocol):
    """One that holds both sides back: who sends faster than is read, and who reads slower than is sent."""

    maxMessagePayloadSize: int
    _is_waiting = False

    def connectionMade(self) -> None:
        super().connectionMade()
        self.pressure = Pressure()
        # Until now the connection was that of the request that asked for this.
        self.transport.unregisterProducer()
        self.transport.registerProducer(self.pressure, True)

    def connectionLost(self, reason: Any) -> None:
        self.pressure.stopProducing()
        super().connectionLost(reason)

    def _closeConnection(self, *args: Any, **kwargs: Any) -> None:
        # Twisted would wait for a producer to resume.
        self.transport.unregisterProducer()
        super()._closeConnection(*args, **kwargs)

    def onMessage(self, *args: Any, **kwargs: Any) -> None:
        super().onMessage(*args, **kwargs)
        if not self._is_waiting and self._is_crowded():
            self._is_waiting = True
            self.transport.pauseProducing()
            reactor.callLater(SOCKET_LOOK_SECONDS, self._go_on)

    def _is_crowded(self) -> bool:
        return bool(self.application_queue.qsize() >= SOCKET_MESSAGES)

    def _go_on(self) -> None:
        if self._is_crowded() and self.transport.connected:
            reactor.callLater(SOCKET_LOOK_SECONDS, self._go_on)
        else:
            self._is_waiting = False
            self.transport.resumeProducing()

    def sendMessage(self, *args: Any, **kwargs: Any) -> None:
        """Autobahn has one limit for both ways, and this one is for what strangers send."""
        limit, self.maxMessagePayloadSize = self.maxMessagePayloadSize, 0
        try:
            super().sendMessage(*args, **kwargs)
        finally:
            self.maxMessagePayloadSize = limit


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
        #: Of the uploads that arrive now, by path.
        self._couriers: defaultdict[str, set[Courier]] = defaultdict(set)
        self._errands: set[asyncio.Future[None]] = set()

    def run(self) -> None:
        self.connections: dict[Any, dict[str, Any]] = {}
        self.http_factory = Factory(self)
        self.ws_factory = WebSocketFactory(self, server=self.server_name)
        self.ws_factory.protocol = Socket
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
        reactor.addSystemEventTrigger("before", "shutdown", self._store_what_came)
        reactor.addSystemEventTrigger("before", "shutdown", self.kill_all_applications)
        reactor.run()

    def create_application(self, protocol: Any, scope: Scope) -> Any:
        if scope["type"] != "http":
            return super().create_application(protocol, scope)
        if protocol not in self.connections:
            return None
        if isinstance(protocol.content, Flow):
            return self._carry(protocol, scope)
        inbox = Inbox(protocol.content)
        started = self._run(protocol, described(scope, protocol.content), inbox)
        self.connections[protocol]["application_instance"] = asyncio.ensure_future(started)
        return inbox

    async def _run(self, protocol: Any, scope: Scope, inbox: Inbox) -> None:
        if scope["method"] == "HEAD":
            await asyncio.gather(*(one.catch_up() for one in self._couriers.get(scope["path"], ())))
        await self.application(scope, inbox.get, partial(self.handle_reply, protocol))

    def _carry(self, protocol: Any, scope: Scope) -> Courier:
        """Runs by itself, since Daphne cancels the application of a client that has left, and what came must be kept."""
        courier = Courier(protocol.content, scope, self._ask)
        errand = asyncio.ensure_future(self._accompany(courier, scope["path"], partial(self.handle_reply, protocol)))
        self._errands.add(errand)
        errand.add_done_callback(self._errands.discard)
        self.connections[protocol]["application_instance"] = asyncio.shield(errand)
        return courier

    async def _accompany(self, courier: Courier, path: str, send: Send) -> None:
        self._couriers[path].add(courier)
        try:
            await courier.run(send)
        finally:
            self._couriers[path].discard(courier)
            if not self._couriers[path]:
                del self._couriers[path]

    async def _ask(self, scope: Scope, body: Body, send: Send) -> None:
        await self.application(described(scope, body), Inbox(body).get, send)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        await super().handle_reply(protocol, message)
        if isinstance(protocol, Socket):
            await protocol.pressure.wait()
        elif isinstance(protocol, Request):
            try:
                await protocol.pressure.ease()
            except TimeoutError:
                protocol.hang_up()

    def _store_what_came(self) -> Deferred[Any]:
        """The server stops: uploads on their way keep what has arrived."""
        return Deferred.fromFuture(asyncio.ensure_future(self._catch_up()))

    async def _catch_up(self) -> None:
        here = [one for couriers in self._couriers.values() for one in couriers]
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await asyncio.gather(*(one.catch_up() for one in here))

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
            return await refuse(send, 507, scope["path"])
        if told and not is_upload(dict(scope["headers"]).get(b"content-type", b"")):
            return await refuse(send, 413, scope["path"])
        try:
            await self._application(scope, receive, send)
        except OSError as error:
            if scope["type"] != "http" or error.errno not in FULL:
                raise
            await refuse(send, 507, scope["path"])


async def refuse(send: Send, status: int, path: str) -> None:
    text = json.dumps(envelopes.refusal(path, *REFUSALS[status])).encode()
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
