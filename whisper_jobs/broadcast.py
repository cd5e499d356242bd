"""Pushes what was stored to the pages that watch. Best effort: a page that misses a push catches up by revision."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from dataclasses import dataclass, field
from typing import Any

from channels.layers import get_channel_layer
from django.db import transaction

log = logging.getLogger(__name__)
Message = dict[str, Any]
#: A push that takes longer is given up.
PUSH_SECONDS = 2.0


@dataclass(frozen=True)
class _Sender:
    """A loop in a thread of its own, with one kept connection to the broker; `turn` keeps messages in order."""

    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


_senders: dict[int, _Sender] = {}
_guard = threading.Lock()


def job_group(job_id: int) -> str:
    return f"job.{job_id}"


#: The group of those who see every job.
EVERY_QUEUE = "queue.all"


def owner_queue(owner_id: int) -> str:
    return f"queue.owner.{owner_id}"


def tenant_queue(tenant_id: int) -> str:
    """The group of those who manage a tenant's jobs."""
    return f"queue.tenant.{tenant_id}"


def push_on_commit(messages: list[tuple[str, Message]]) -> None:
    """Sends each message to its group once the transaction is in the database."""
    transaction.on_commit(lambda: push(messages), robust=True)


def push(messages: list[tuple[str, Message]]) -> None:
    """Hands the messages to the sending thread and returns at once."""
    sender = _sender()
    asyncio.run_coroutine_threadsafe(_send(sender.turn, messages), sender.loop)


def flush(seconds: float = PUSH_SECONDS) -> None:
    """Waits until what was handed over before is sent; for the end of a process."""
    if os.getpid() in _senders:
        sender = _sender()
        asyncio.run_coroutine_threadsafe(_send(sender.turn, []), sender.loop).result(seconds)


async def _send(turn: asyncio.Lock, messages: list[tuple[str, Message]]) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        # The time in the line counts too, so that the line can't grow while a broker hangs.
        async with asyncio.timeout(PUSH_SECONDS), turn:
            for group, message in messages:
                await layer.group_send(group, {"type": "push", "message": message})
    except Exception as error:  # the broker may be away in a dozen ways, and none of them is the writer's business
        log.warning("could not push to pages: %s", error)


def _sender() -> _Sender:
    """This process's sender; a forked child makes its own, since threads don't survive a fork."""
    with _guard:
        sender = _senders.get(os.getpid())
        if sender is None:
            sender = _senders[os.getpid()] = _Sender()
            threading.Thread(target=sender.loop.run_forever, name="broadcast", daemon=True).start()
        return sender
