"""A listener that reads slowly misses interim words and no others."""

from __future__ import annotations

import asyncio

import pytest

from whisper_jobs.hearing.mailbox import Mailbox
from whisper_jobs.hearing.wire import Json

pytestmark = pytest.mark.asyncio


def delta(text: str, *, is_final: bool = False) -> Json:
    return {"type": "delta", "text": text, "is_final": is_final}


async def taken(mailbox: Mailbox) -> list[str]:
    mailbox.close()
    return [str(message.get("text", message["type"])) async for message in mailbox]


async def test_what_is_put_in_comes_out_in_order() -> None:
    mailbox = Mailbox()
    mailbox.put({"type": "ready"})
    mailbox.put(delta("one", is_final=True))
    mailbox.put(delta("two", is_final=True))
    assert await taken(mailbox) == ["ready", "one", "two"]


async def test_interim_words_that_were_not_read_are_replaced() -> None:
    mailbox = Mailbox()
    for text in ("a", "a b", "a b c"):
        mailbox.put(delta(text))
    assert await taken(mailbox) == ["a b c"]


async def test_final_words_take_the_place_of_interim_ones_and_stay() -> None:
    mailbox = Mailbox()
    mailbox.put(delta("on"))
    mailbox.put(delta("one", is_final=True))
    mailbox.put(delta("tw"))
    mailbox.put({"type": "closed"})
    assert await taken(mailbox) == ["one", "tw", "closed"]


async def test_a_listener_that_is_hopelessly_behind_is_sent_away_without_a_gap() -> None:
    mailbox = Mailbox(most=3)
    for number in range(5):
        mailbox.put(delta(str(number), is_final=True))
    assert mailbox.is_closed
    assert await taken(mailbox) == []


async def test_who_waits_gets_what_comes() -> None:
    mailbox = Mailbox()
    waiting = asyncio.ensure_future(anext(aiter(mailbox)))
    await asyncio.sleep(0)
    mailbox.put(delta("late"))
    assert (await waiting)["text"] == "late"
