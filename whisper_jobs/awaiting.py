"""Waits for a job to end, or for news of it, for who answers in the same request. Async: nobody holds a connection to the
database meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from channels.layers import get_channel_layer

from whisper_jobs import broadcast
from whisper_jobs.models import Job
from whisper_jobs.pooled import pooled
from whisper_jobs.states import TERMINAL

log = logging.getLogger(__name__)
#: A push may be missed, so the row is looked at now and then.
LOOK_SECONDS = 5.0
#: Whether a message of the job's group is worth a look.
Wanted = Callable[[dict[str, Any]], bool]


async def ended(job_id: int, seconds: float) -> bool:
    """Whether the job is at its end, or gone, within so many seconds. Whoever stops waiting changes nothing for the job."""
    look, over = partial(pooled, partial(_has_ended, job_id)), asyncio.Event()

    def is_the_end(message: dict[str, Any]) -> bool:
        if _is_the_end(message):
            over.set()
        return over.is_set()

    if await look():
        return True
    try:
        async with asyncio.timeout(seconds), _pushes_of(job_id, is_the_end) as pushes:
            while True:
                await _a_push_or_a_while(pushes, LOOK_SECONDS)
                # What is pushed is in the row already.
                if over.is_set() or await look():
                    return True
    except TimeoutError:
        return False


async def news(job_id: int, seconds: float) -> AsyncGenerator[None, None]:
    """A sign at once, then whenever words of the job are there or it has ended, and now and then besides; for so many seconds.

    To be closed by whoever reads it, as with contextlib.aclosing.
    """
    clock = asyncio.get_running_loop().time
    until = clock() + seconds
    async with _pushes_of(job_id, _is_words_or_end) as pushes:
        yield
        while (left := until - clock()) > 0:
            await _a_push_or_a_while(pushes, min(left, LOOK_SECONDS))
            yield


def _has_ended(job_id: int) -> bool:
    stage = Job.objects.filter(pk=job_id).values_list("stage", flat=True).first()
    return stage is None or stage in TERMINAL


@asynccontextmanager
async def _pushes_of(job_id: int, wanted: Wanted) -> AsyncIterator[asyncio.Event]:
    """An event that is set by every push of the job that is wanted."""
    pushes = asyncio.Event()
    listener = asyncio.ensure_future(_listen(job_id, pushes, wanted))
    try:
        yield pushes
    finally:
        listener.cancel()
        with suppress(asyncio.CancelledError):
            await listener


async def _listen(job_id: int, pushes: asyncio.Event, wanted: Wanted) -> None:
    layer, group, channel = get_channel_layer(), broadcast.job_group(job_id), ""
    if layer is None:
        return
    try:
        channel = await layer.new_channel()
        await layer.group_add(group, channel)
        # What happened before this was no push for us.
        pushes.set()
        while True:
            if wanted((await layer.receive(channel))["message"]):
                pushes.set()
    except Exception as error:  # the broker may be away in a dozen ways; the row is looked at all the same
        log.warning("pushes of a job that is waited for are not heard: %s", error)
    finally:
        with suppress(Exception):
            await layer.group_discard(group, channel)


def _is_the_end(message: dict[str, Any]) -> bool:
    return message["type"] == "deleted" or message.get("job", {}).get("stage") in TERMINAL


def _is_words_or_end(message: dict[str, Any]) -> bool:
    return message["type"] == "segments" or _is_the_end(message)


async def _a_push_or_a_while(pushes: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await pushes.wait()
    pushes.clear()
