"""Frames, and that nobody is let in without the key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from whisper_jobs.hearing import wire

pytestmark = pytest.mark.asyncio
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Streams, Streams]]:
    """The two ends of a line."""
    arrived: asyncio.Future[Streams] = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(lambda *streams: arrived.set_result(streams), "127.0.0.1", 0)
    calling = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    listening = await arrived
    try:
        yield calling, listening
    finally:
        for _reader, writer in (calling, listening):
            writer.close()
        server.close()


@pytest.mark.parametrize("message", [{"op": "open", "text": "räksmörgås 🎤"}, {}, b"", b"\x00" * 1000])
async def test_messages_arrive_as_they_were_sent(message: Any) -> None:
    async with connected() as (calling, listening):
        await wire.send(calling[1], message)
        assert await wire.receive(listening[0]) == message


async def test_both_sides_know_the_key() -> None:
    async with connected() as (calling, listening):
        await asyncio.gather(wire.greet(*listening), wire.call(*calling))


async def test_a_caller_with_another_key_is_refused(settings: Any) -> None:
    async with connected() as (calling, listening):
        greeting = asyncio.create_task(wire.greet(*listening))
        theirs = await wire.receive(calling[0])
        assert isinstance(theirs, dict)
        settings.SECRET_KEY = "another"
        stolen = wire._answer(theirs, "mine")
        settings.SECRET_KEY = "this"
        await wire.send(calling[1], stolen)
        with pytest.raises(wire.Broken, match="key"):
            await greeting


async def test_a_listeners_own_challenge_is_no_proof() -> None:
    """Somebody in the middle who sends back what he is asked learns nothing."""
    async with connected() as (calling, listening):
        call = asyncio.create_task(wire.call(*calling))
        await wire.send(listening[1], {"challenge": "a"})
        told = await wire.receive(listening[0])
        assert isinstance(told, dict)
        await wire.send(listening[1], {"proof": told["proof"]})
        with pytest.raises(wire.Broken, match="key"):
            await call


@pytest.mark.parametrize("hostile", [b"\xff" * 5, b"\x7f\xff\xff\xffB", b"\x00\x00\x00\x01X", b"\x00\x00\x00\x02J[]"])
async def test_what_is_no_frame_ends_the_line_at_once(hostile: bytes) -> None:
    async with connected() as (calling, listening):
        calling[1].write(hostile + b"x" * 10)
        with pytest.raises(wire.Broken):
            await asyncio.wait_for(wire.receive(listening[0]), 5)


async def test_a_line_that_ends_in_the_middle_of_a_frame_is_broken() -> None:
    async with connected() as (calling, listening):
        calling[1].write(wire.frame(b"sound")[:-1])
        calling[1].close()
        with pytest.raises(wire.Broken):
            await wire.receive(listening[0])


async def test_a_frame_that_is_too_long_is_not_made() -> None:
    with pytest.raises(ValueError, match="too long"):
        wire.frame(bytes(wire.MOST_BYTES + 1))
