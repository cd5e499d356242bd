"""Answers of any length, sent while they are made. For views; knows nothing of what it sends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from itertools import islice
from typing import TypeVar

from asgiref.sync import sync_to_async

T = TypeVar("T", str, bytes)
#: Lines of a rendered transcript that are sent together.
PIECE_LINES = 500


async def in_pieces(rendered: Iterator[T], most: int = PIECE_LINES) -> AsyncIterator[T]:
    """What a thread reads from the database, a piece at a time; a plain iterator would be collected first."""
    take = sync_to_async(lambda: list(islice(rendered, most)))
    try:
        while lines := await take():
            yield type(lines[0])().join(lines)
    finally:
        # A reader who goes away leaves it in the middle, and what it holds belongs to the thread that reads.
        if isinstance(rendered, Generator):
            await sync_to_async(rendered.close)()
