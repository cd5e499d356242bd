"""Database work for async code: in any thread of the loop's pool, and no connection is left behind in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from asgiref.sync import SyncToAsync, sync_to_async
from django.db import close_old_connections, connections

T = TypeVar("T")


async def pooled(work: Callable[[], T]) -> T:
    """What `work` returns. Not in the one thread that all sockets share, nor in that of a request."""
    return await sync_to_async(_done, thread_sensitive=False)(work)


def _done(work: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return work()
    finally:
        let_go()


def let_go() -> None:
    """Closes this thread's connections to the database; for whoever is about to wait, or may never come back."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


async def leave_thread() -> None:
    """Ends the thread in which this request's synchronous code runs, for whoever is about to wait. What follows gets a new one."""
    await sync_to_async(let_go)()
    context = SyncToAsync.thread_sensitive_context.get(None)
    executor = SyncToAsync.context_to_thread_executor.pop(context, None) if context else None
    if executor is not None:
        executor.shutdown(wait=False)
