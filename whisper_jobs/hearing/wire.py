"""Frames between the live process and all who talk to it: four bytes of length, one of kind, then JSON or bytes.

Whoever calls proves first that it has this server's secret key, and is told that by the other side as well.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import socket
import struct
from typing import Any

from django.conf import settings

Json = dict[str, Any]
Message = Json | bytes
MOST_BYTES = 1 << 20
GREETING_SECONDS = 5.0
_HEAD = struct.Struct(">IB")
_JSON, _BYTES = ord("J"), ord("B")


class Broken(Exception):
    """The line ended, or what came over it is no frame."""


def frame(message: Message) -> bytes:
    """Raises ValueError for one that is too long."""
    if isinstance(message, bytes):
        kind, body = _BYTES, message
    else:
        kind, body = _JSON, json.dumps(message, allow_nan=False, separators=(",", ":")).encode()
    if len(body) > MOST_BYTES:
        raise ValueError(f"a frame of {len(body)} bytes is too long")
    return _HEAD.pack(len(body), kind) + body


def _length(head: bytes) -> tuple[int, int]:
    length, kind = _HEAD.unpack(head)
    if length > MOST_BYTES or kind not in (_JSON, _BYTES):
        raise Broken("no frame of this protocol")
    return length, kind


def _message(kind: int, body: bytes) -> Message:
    if kind == _BYTES:
        return body
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Broken("no JSON") from error
    if not isinstance(told, dict):
        raise Broken("no JSON object")
    return told


# --- in an event loop -----------------------------------------------------------------------------


async def receive(reader: asyncio.StreamReader) -> Message:
    """The next message. Raises Broken at the end of the line."""
    try:
        length, kind = _length(await reader.readexactly(_HEAD.size))
        return _message(kind, await reader.readexactly(length))
    except (asyncio.IncompleteReadError, OSError) as error:
        raise Broken("the line ended") from error


async def send(writer: asyncio.StreamWriter, message: Message) -> None:
    """Returns when the other side has taken most of what was sent. Raises Broken."""
    try:
        writer.write(frame(message))
        await writer.drain()
    except (OSError, RuntimeError) as error:
        raise Broken("the line ended") from error


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The side that listens: lets nobody in who hasn't the key. Raises Broken."""
    mine = secrets.token_hex(16)
    try:
        async with asyncio.timeout(GREETING_SECONDS):
            await send(writer, {"challenge": mine})
            told = await receive(reader)
    except TimeoutError as error:
        raise Broken("no greeting") from error
    if not isinstance(told, dict) or not _proves(told, "caller", mine):
        raise Broken("the caller hasn't this server's key")
    await send(writer, {"proof": _proof("listener", str(told.get("challenge", "")))})


async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The side that calls. Raises Broken."""
    theirs, mine = await _object(reader), secrets.token_hex(16)
    await send(writer, _answer(theirs, mine))
    if not _proves(await _object(reader), "listener", mine):
        raise Broken("who listens there hasn't this server's key")


async def _object(reader: asyncio.StreamReader) -> Json:
    told = await receive(reader)
    return told if isinstance(told, dict) else {}


# --- without one ----------------------------------------------------------------------------------


class Wire:
    """The same for who calls and waits, over a connected socket with a time-out of its owner's choice."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def call(self) -> None:
        """Raises Broken."""
        theirs, mine = self._object(), secrets.token_hex(16)
        self.send(_answer(theirs, mine))
        if not _proves(self._object(), "listener", mine):
            raise Broken("who listens there hasn't this server's key")

    def send(self, message: Message) -> None:
        try:
            self._connection.sendall(frame(message))
        except OSError as error:
            raise Broken("the line ended") from error

    def receive(self) -> Message:
        """Raises Broken, and TimeoutError where nothing has come of the next message."""
        length, kind = _length(self._read(_HEAD.size, may_wait=True))
        return _message(kind, self._read(length))

    def close(self) -> None:
        self._connection.close()

    def _object(self) -> Json:
        told = self.receive()
        return told if isinstance(told, dict) else {}

    def _read(self, size: int, *, may_wait: bool = False) -> bytes:
        got = bytearray()
        while len(got) < size:
            try:
                piece = self._connection.recv(size - len(got))
            except TimeoutError as error:
                if may_wait and not got:
                    raise
                raise Broken("the line stalled") from error
            except OSError as error:
                raise Broken("the line ended") from error
            if not piece:
                raise Broken("the line ended")
            got += piece
        return bytes(got)


# --- proofs ---------------------------------------------------------------------------------------


def _answer(theirs: Json, mine: str) -> Json:
    return {"proof": _proof("caller", str(theirs.get("challenge", ""))), "challenge": mine}


def _proves(told: Json, side: str, challenge: str) -> bool:
    return hmac.compare_digest(str(told.get("proof", "")).encode(), _proof(side, challenge).encode())


def _proof(side: str, challenge: str) -> str:
    """`side` keeps a proof from being sent back as one's own."""
    key = hashlib.sha256(b"live:" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, f"{side}:{challenge}".encode(), hashlib.sha256).hexdigest()
