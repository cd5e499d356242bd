"""The thread of what sends things out in the deliver lane: it takes turns, waits for a bell between them, and ends in order."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod

from django.db import Error as DatabaseError
from django.db import connection

log = logging.getLogger(__name__)
#: After an error of the database.
PAUSE_SECONDS = 1.0


class Sender(ABC):
    """A bell wakes it at once; it looks by itself after `poll_seconds`, in case a bell was lost or the broker is away."""

    def __init__(self, name: str, poll_seconds: float) -> None:
        self._poll_seconds = poll_seconds
        self._bell, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)

    @abstractmethod
    def turn(self) -> float:
        """Records what has ended and sends what is due. Seconds until there may be more, unless a bell rings before."""

    @property
    @abstractmethod
    def is_busy(self) -> bool:
        """Whether something is on its way."""

    @abstractmethod
    def _hand_back(self) -> None:
        """Gives up the claims of what is still on its way."""

    def start(self) -> None:
        self._thread.start()

    def ring(self) -> None:
        """There may be something to send."""
        self._bell.set()

    def stop(self) -> None:
        """Takes nothing more; what is on its way goes on."""
        self._stopping.set()
        self._bell.set()

    def end(self, seconds: float) -> None:
        """After `stop`: waits so long for what is on its way, then hands the rest back. The process ends next."""
        self._thread.join(seconds)
        self._hand_back()

    def _loop(self) -> None:
        while not (self._stopping.is_set() and not self.is_busy):
            try:
                pause = self.turn()
            except DatabaseError:
                log.exception("%s waits for the database", self._thread.name)
                connection.close()
                pause = PAUSE_SECONDS
                # An exchange that ends meanwhile would ring, and a database that is away is not asked in a loop.
                time.sleep(pause)
            except Exception:
                log.exception("a turn of the %s failed", self._thread.name)
                pause = self._poll_seconds
            self._bell.wait(pause)
            self._bell.clear()
        connection.close()
