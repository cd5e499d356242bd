"""A body that is handed over while it arrives: in which pieces, and what of it when the client leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from config import flow as flows
from config.flow import FLOW, Courier, Flow
from config.spool import Body, Room

LONG = 1 << 20
HEADERS = [(b"upload-offset", b"100"), (b"content-type", b"application/offset+octet-stream")]


@dataclass
class Application:
    """Notes what it is given; refuses from the piece on that `refuses` counts."""

    refuses: int = 1000
    given: list[tuple[int, bytes, Any]] = field(default_factory=list)

    async def __call__(self, scope: dict[str, Any], body: Body, send: Any) -> None:
        pieces = b""
        more = body.size > 0
        while more:
            piece, more = body.take()
            pieces += piece
        self.given.append((int(dict(scope["headers"])[b"upload-offset"]), pieces, scope["extensions"][FLOW]["coming"]))
        status = 409 if len(self.given) >= self.refuses else 204
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@dataclass
class Sending:
    """A client's side of one request."""

    flow: Flow
    courier: Courier
    application: Application
    answers: list[Any]

    def leave(self) -> None:
        self.courier.put_nowait({"type": "http.disconnect"})


def carried(
    folder: Path, script: Callable[[Sending], Awaitable[None]], *, length: int | None = LONG, **options: Any
) -> Sending:
    """Plays a script of a client until the courier has nothing more to do."""

    async def play() -> Sending:
        application = Application(refuses=options.get("refuses", 1000))
        flow = Flow(Room(folder, 0), 1 << 30, length)
        courier = Courier(flow, {"headers": HEADERS + options.get("headers", [])}, application)
        sending = Sending(flow, courier, application, [])

        async def answer(message: Any) -> None:
            sending.answers.append(message)

        running = asyncio.ensure_future(courier.run(answer))
        await asyncio.sleep(0)
        await script(sending)
        await asyncio.wait_for(running, 10)
        return sending

    return asyncio.run(play())


async def whole(sending: Sending) -> None:
    sending.flow.write(b"x" * LONG)
    sending.flow.finish()


def test_a_long_body_is_asked_about_before_it_comes(tmp_path: Path) -> None:
    done = carried(tmp_path, whole)
    assert [(offset, len(piece), coming) for offset, piece, coming in done.application.given] == [
        (100, 0, LONG),
        (100, LONG, LONG),
    ]
    assert done.answers[0]["status"] == 204


def test_a_short_body_is_one_request(tmp_path: Path) -> None:
    async def short(sending: Sending) -> None:
        sending.flow.write(b"hello")
        sending.flow.finish()

    assert carried(tmp_path, short, length=5).application.given == [(100, b"hello", 5)]


def test_a_place_of_too_many_digits_is_left_to_the_application_to_refuse(tmp_path: Path) -> None:
    flow, endless = Flow(Room(tmp_path, 0), 1 << 30, 5), b"9" * 5000
    given: list[bytes] = []

    async def application(scope: dict[str, Any], body: Body, send: Any) -> None:
        given.append(dict(scope["headers"])[b"upload-offset"])
        await send({"type": "http.response.start", "status": 400, "headers": []})

    async def nowhere(message: Any) -> None:
        pass

    flow.write(b"hello")
    flow.finish()
    asyncio.run(Courier(flow, {"headers": [(b"upload-offset", endless)]}, application).run(nowhere))
    assert given == [endless]


def test_a_slow_body_is_handed_over_every_few_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows, "PIECE_SECONDS", 0.05)

    async def slowly(sending: Sending) -> None:
        for piece in (b"one", b"two", b"three"):
            sending.flow.write(piece)
            await asyncio.sleep(0.15)
        sending.flow.finish()

    given = carried(tmp_path, slowly, length=None).application.given
    assert [(offset, piece) for offset, piece, _coming in given] == [
        (100, b""),
        (100, b"one"),
        (103, b"two"),
        (106, b"three"),
        (111, b""),
    ]


def test_what_came_before_the_client_left_is_handed_over(tmp_path: Path) -> None:
    async def leaving(sending: Sending) -> None:
        sending.flow.write(b"half")
        sending.leave()

    assert carried(tmp_path, leaving).application.given[-1][:2] == (100, b"half")


def test_half_a_body_with_a_checksum_is_not(tmp_path: Path) -> None:
    async def leaving(sending: Sending) -> None:
        sending.flow.write(b"half")
        await asyncio.sleep(0.05)
        await sending.courier.catch_up()
        sending.leave()

    done = carried(tmp_path, leaving, headers=[(b"upload-checksum", b"sha1 x")])
    assert [piece for _offset, piece, _coming in done.application.given] == [b""]
    assert done.answers == []


def test_after_a_refusal_nothing_more_is_taken(tmp_path: Path) -> None:
    async def going_on(sending: Sending) -> None:
        await asyncio.sleep(0.05)
        sending.flow.write(b"x" * 1000)
        assert sending.flow.arrived_bytes == 0

    done = carried(tmp_path, going_on, refuses=1)
    assert len(done.application.given) == 1
    assert done.answers[0]["status"] == 409


def test_who_asks_waits_until_what_came_is_handed_over(tmp_path: Path) -> None:
    async def asking(sending: Sending) -> None:
        sending.flow.write(b"so far")
        await sending.courier.catch_up()
        assert sending.application.given[-1][:2] == (100, b"so far")
        sending.leave()

    carried(tmp_path, asking)


def test_nobody_waits_for_one_that_has_ended(tmp_path: Path) -> None:
    done = carried(tmp_path, whole)
    asyncio.run(asyncio.wait_for(done.courier.catch_up(), 1))
