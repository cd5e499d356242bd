"""How others reach the live process: a line to talk over, or one question and its answer. Called by web processes.

async with client.line() as line:
    await line.send({"op": "open", "session_id": …})
    await line.send_bytes(sound)
    async for message in line: …
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.conf import settings

from whisper_jobs.hearing import wire
from whisper_jobs.hearing.wire import Json

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 15.0
FINISH_SECONDS = 5.0


class Unavailable(Exception):
    """There is no live process that can be reached; the message is for logs."""


class Line:
    """One connection. What comes over it are JSON objects; the iteration ends with the line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, message: Json) -> None:
        """Raises Unavailable when the live process has gone."""
        await self._send(message)

    async def send_bytes(self, sound: bytes) -> None:
        """Sound as the client sent it, of any length. Waits while the live process is behind. Raises Unavailable."""
        for start in range(0, len(sound), wire.MOST_BYTES):
            await self._send(sound[start : start + wire.MOST_BYTES])

    async def receive(self) -> Json:
        """Raises Unavailable."""
        try:
            message = await wire.receive(self._reader)
        except wire.Broken as error:
            raise Unavailable(str(error)) from error
        return message if isinstance(message, dict) else {}

    async def __aiter__(self) -> AsyncIterator[Json]:
        while True:
            try:
                yield await self.receive()
            except Unavailable:
                return

    async def _send(self, message: wire.Message) -> None:
        try:
            await wire.send(self._writer, message)
        except wire.Broken as error:
            raise Unavailable(str(error)) from error

    async def finish(self) -> None:
        """Lets the live process take all that was sent, then closes; what it tells meanwhile is nobody's any more."""
        with contextlib.suppress(OSError, RuntimeError, TimeoutError):
            self._writer.write_eof()
            async with asyncio.timeout(FINISH_SECONDS):
                while await self._reader.read(wire.MOST_BYTES):
                    pass
        await self.end()

    async def end(self) -> None:
        """Closes, and waits until it is so."""
        self.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    def close(self) -> None:
        """At once."""
        self._writer.close()


@asynccontextmanager
async def line() -> AsyncIterator[Line]:
    """Raises Unavailable where no live process answers."""
    opened = await connect()
    try:
        yield opened
    finally:
        await opened.end()


async def connect() -> Line:
    """A line that the caller closes. Raises Unavailable."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await _open()
            try:
                await wire.call(reader, writer)
            except BaseException:
                writer.close()
                raise
    except (OSError, wire.Broken, TimeoutError) as error:
        raise Unavailable(f"the live process does not answer: {error}") from error
    return Line(reader, writer)


async def ask(question: Json) -> Json:
    """One question and its answer, which may be {"type": "error", "code", "message"}. Raises Unavailable."""
    async with line() as opened:
        await opened.send(question)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await opened.receive()
        except TimeoutError as error:
            raise Unavailable("the live process did not answer in time") from error


def status(timeout: float = 1.0) -> Json | None:
    """What the live process says of itself: {"process", "sessions", "ears"}; None where it doesn't answer."""
    with contextlib.suppress(OSError, wire.Broken, Unavailable), dial(timeout) as connection:
        line = wire.Wire(connection)
        line.call()
        line.send({"op": "status"})
        told = line.receive()
        return told if isinstance(told, dict) else None
    return None


def dial(timeout: float) -> socket.socket:
    """A connected socket. Raises OSError, and Unavailable where no live process is set up."""
    address = settings.TOOLS.live_listener
    if not settings.TOOLS.has_live:
        raise Unavailable("live sessions are switched off")
    if not isinstance(address, str):
        return socket.create_connection(address, timeout)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout)
    try:
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


async def _open() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = settings.TOOLS.live_listener
    if not settings.TOOLS.has_live:
        raise Unavailable("live sessions are switched off")
    if isinstance(address, str):
        return await asyncio.open_unix_connection(address)
    return await asyncio.open_connection(*address)
