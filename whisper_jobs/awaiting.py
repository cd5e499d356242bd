"""Waits for a job to end, for who answers in the same request. Async: nobody holds a connection to the database meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
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


async def ended(job_id: int, seconds: float) -> bool:
    """Whether the job is at its end, or gone, within so many seconds. Whoever stops waiting changes nothing for the job."""
    look = partial(pooled, partial(_has_ended, job_id))
    if await look():
        return True
    try:
        async with asyncio.timeout(seconds), _pushes_of(job_id) as pushes:
            while not await look():
                await _a_push_or_a_while(pushes)
    except TimeoutError:
        return False
    return True


def _has_ended(job_id: int) -> bool:
    stage = Job.objects.filter(pk=job_id).values_list("stage", flat=True).first()
    return stage is None or stage in TERMINAL


@asynccontextmanager
async def _pushes_of(job_id: int) -> AsyncIterator[asyncio.Event]:
    """An event that is set by every push of the job that may be its last."""
    news = asyncio.Event()
    listener = asyncio.ensure_future(_listen(job_id, news))
    try:
        yield news
    finally:
        listener.cancel()
        with suppress(asyncio.CancelledError):
            await listener


async def _listen(job_id: int, news: asyncio.Event) -> None:
    layer, group, channel = get_channel_layer(), broadcast.job_group(job_id), ""
    if layer is None:
        return
    try:
        channel = await layer.new_channel()
        await layer.group_add(group, channel)
        # What happened before this was no push for us.
        news.set()
        while True:
            if _is_the_end((await layer.receive(channel))["message"]):
                news.set()
    except Exception as error:  # the broker may be away in a dozen ways; the row is looked at all the same
        log.warning("pushes of a job that is waited for are not heard: %s", error)
    finally:
        with suppress(Exception):
            await layer.group_discard(group, channel)


def _is_the_end(message: dict[str, Any]) -> bool:
    return message["type"] == "deleted" or message.get("job", {}).get("stage") in TERMINAL


async def _a_push_or_a_while(pushes: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_SECONDS):
            await pushes.wait()
    pushes.clear()
