"""Django reads a body from the very file that the web server wrote: no copy, and a life of its own."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import IO

import pytest
from django.core.exceptions import RequestAborted

from config.handler import Handler
from config.spool import SMALL_BYTES, Body, Inbox, Room


def body_of(folder: Path, size: int) -> Body:
    body = Body(Room(folder, 0), 10 * SMALL_BYTES, size)
    body.write(b"a" * (size - 1))
    body.write(b"z")
    body.finish()
    return body


def handed(inbox: Inbox) -> IO[bytes]:
    return asyncio.run(Handler().read_body(inbox.get))


def test_a_large_body_is_the_file_itself(tmp_path: Path) -> None:
    body = body_of(tmp_path, 3 * SMALL_BYTES)
    with handed(Inbox(body)) as file:
        assert os.fstat(file.fileno()).st_ino == os.fstat(body._file.fileno()).st_ino
        body.close()
        assert file.read() == b"a" * (3 * SMALL_BYTES - 1) + b"z"


def test_a_small_body_stays_in_memory(tmp_path: Path) -> None:
    with handed(Inbox(body_of(tmp_path, 10))) as file:
        assert file.read() == b"aaaaaaaaaz"
    assert list(tmp_path.iterdir()) == []


def test_a_body_that_was_not_kept_is_an_empty_file(tmp_path: Path) -> None:
    with handed(Inbox(body_of(tmp_path, 11 * SMALL_BYTES))) as file:
        assert file.read() == b""


def test_a_client_that_left_is_no_request(tmp_path: Path) -> None:
    body = body_of(tmp_path, 10)
    inbox = Inbox(body)
    inbox.put_nowait({"type": "http.disconnect"})
    with pytest.raises(RequestAborted):
        handed(inbox)


def test_messages_still_work_for_an_application_that_asks_for_them(tmp_path: Path) -> None:
    size = 5 * SMALL_BYTES
    body = body_of(tmp_path, size)
    inbox = Inbox(body)

    async def read() -> bytes:
        whole, more = b"", True
        while more:
            message = await inbox.get()
            whole, more = whole + message["body"], message["more_body"]
        return whole

    assert len(asyncio.run(read())) == size
    body.close()
