"""Sends callbacks: one thread that claims and records, and one for each exchange that is in progress.

Lives in the workers of the deliver lane, beside their steps. A bell wakes it at once; it looks by itself when the next
delivery is due, and every few seconds in case a bell was lost.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque

from django.db import Error as DatabaseError
from django.utils import timezone

from whisper_jobs import callbacks, posting
from whisper_jobs.models import Delivery
from whisper_jobs.outbound import Guard
from whisper_jobs.posting import Letter, Outcome
from whisper_jobs.sending import Sender

log = logging.getLogger(__name__)
#: Exchanges at a time: in all, with one host, and with one that did not answer last time.
SLOTS, HOST_SLOTS, SLOW_HOST_SLOTS = 32, 8, 1
#: Between looks at work that another deliverer is taking.
SHORTEST_SECONDS = 0.05


class Deliverer(Sender):
    """`worker` names its claims: that of its process in `presence`, so that they are freed when that is found dead."""

    def __init__(
        self,
        worker: str,
        guard: Guard,
        *,
        poll_seconds: float,
    ) -> None:
        super().__init__("deliverer", poll_seconds)
        self._worker, self._guard = worker, guard
        self._in_hand: dict[int, Delivery] = {}
        self._ended: deque[tuple[Delivery, Outcome]] = deque()
        self._hosts: Counter[str] = Counter()
        self._slow: set[str] = set()

    @property
    def is_busy(self) -> bool:
        return bool(self._in_hand)

    def _hand_back(self) -> None:
        if left := list(self._in_hand.values()):
            callbacks.hand_back(left)

    def turn(self) -> float:
        self._record()
        if not self._stopping.is_set():
            self._take()
        if self._stopping.is_set() or len(self._in_hand) >= SLOTS:
            return self._poll_seconds
        due_at = callbacks.next_due(self._full())
        left = (due_at - timezone.now()).total_seconds() if due_at else self._poll_seconds
        return min(max(left, SHORTEST_SECONDS), self._poll_seconds)

    def _take(self) -> None:
        free = SLOTS - len(self._in_hand)
        if free <= 0:
            return
        for delivery in callbacks.claim(self._worker, slots=free, room=self._room, full=self._full()):
            self._in_hand[delivery.pk] = delivery
            self._hosts[delivery.host] += 1
            self._send(delivery)

    def _room(self, host: str) -> int:
        return (SLOW_HOST_SLOTS if host in self._slow else HOST_SLOTS) - self._hosts[host]

    def _full(self) -> list[str]:
        return [host for host in self._hosts if self._room(host) <= 0]

    def _send(self, delivery: Delivery) -> None:
        try:
            letter = callbacks.letter_of(delivery)
            if letter is None:
                callbacks.drop(delivery)
                self._let_go(delivery)
            else:
                threading.Thread(target=self._post, args=(delivery, letter), name="callback", daemon=True).start()
        except DatabaseError:
            # It stays claimed until the lease is over.
            self._let_go(delivery)
            raise
        except Exception:
            log.exception("%s could not be written or sent", delivery)
            self._ended.append((delivery, Outcome(failure="internal")))
            self._bell.set()

    def _post(self, delivery: Delivery, letter: Letter) -> None:
        self._ended.append((delivery, posting.post(letter, self._guard)))
        self._bell.set()

    def _record(self) -> None:
        while self._ended:
            delivery, outcome = self._ended[0]
            try:
                if not callbacks.record(delivery, outcome):
                    log.info("%s was taken over or deleted; how it ended is not stored", delivery)
            except DatabaseError:
                # It stays the first, so that it is stored when the database is back.
                raise
            except Exception:
                log.exception("the end of %s could not be stored", delivery)
            self._ended.popleft()
            (self._slow.add if outcome.failure == "timeout" else self._slow.discard)(delivery.host)
            self._let_go(delivery)

    def _let_go(self, delivery: Delivery) -> None:
        self._in_hand.pop(delivery.pk, None)
        self._hosts[delivery.host] -= 1
        if self._hosts[delivery.host] <= 0:
            del self._hosts[delivery.host]
