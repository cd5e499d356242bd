"""Lets the threads of this process write one after the other, where the database would have them race for it.

SQLite lets whoever asks at the right moment write next, and the others sleep and ask again: in a crowd of fifty some wait for
seconds. Databases that keep a line of their own need none of this.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from django.db import connection, transaction

_gate = Lock()


class _Turn:
    """A place at the gate, given back once: at the commit, or where that never comes."""

    def __init__(self) -> None:
        _gate.acquire()
        self._held = True

    def end(self) -> None:
        if self._held:
            self._held = False
            _gate.release()


@contextmanager
def write() -> Iterator[None]:
    """A transaction. What is to happen on its commit, such as ringing, happens when the next one has its turn."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        # Who is in a transaction already has the database, and must not wait for somebody who waits for that.
        with transaction.atomic():
            yield
        return
    turn = _Turn()
    try:
        with transaction.atomic():
            transaction.on_commit(turn.end)
            yield
    finally:
        turn.end()
