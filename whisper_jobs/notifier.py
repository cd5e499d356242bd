"""Sends notices: one thread that claims and records, a few that send. Lives beside the deliverer of callbacks."""

from __future__ import annotations

import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from django.db import Error as DatabaseError
from django.utils import timezone

from whisper_jobs import notice_letters, notices
from whisper_jobs.models import Notice
from whisper_jobs.notice_letters import Send
from whisper_jobs.outbound import Guard
from whisper_jobs.posting import Outcome
from whisper_jobs.sending import Sender

log = logging.getLogger(__name__)
#: Exchanges at a time.
SLOTS = 16
SHORTEST_SECONDS = 0.05


class Notifier(Sender):
    def __init__(self, guard: Guard, *, poll_seconds: float) -> None:
        super().__init__("notifier", poll_seconds)
        self._guard = guard
        # By claim too: one that was freed may be claimed here again while its first sending goes on.
        self._in_hand: dict[tuple[object, object], Notice] = {}
        self._ended: deque[tuple[Notice, Outcome]] = deque()
        self._senders = ThreadPoolExecutor(SLOTS, thread_name_prefix="notice")

    @property
    def is_busy(self) -> bool:
        return bool(self._in_hand)

    def _hand_back(self) -> None:
        self._senders.shutdown(wait=False, cancel_futures=True)
        if left := list(self._in_hand.values()):
            notices.hand_back(left)

    def turn(self) -> float:
        self._record()
        if self._stopping.is_set():
            return self._poll_seconds
        for notice in notices.claim(SLOTS - len(self._in_hand)):
            self._send(notice)
        due_at = notices.next_due() if len(self._in_hand) < SLOTS else None
        left = (due_at - timezone.now()).total_seconds() if due_at else self._poll_seconds
        return min(max(left, SHORTEST_SECONDS), self._poll_seconds)

    def _send(self, notice: Notice) -> None:
        """Whatever fails here but the database counts as an attempt, so that it is not tried without end."""
        try:
            send = notice_letters.sending(notice, self._guard)
        except DatabaseError:
            # It stays claimed until the lease is over.
            raise
        except Exception:
            log.exception("%s could not be written", notice)
            notices.record(notice, Outcome(failure="internal"))
            return
        if send is None:
            notices.drop(notice)
            return
        self._in_hand[notice.pk, notice.run_id] = notice
        self._senders.submit(self._post, notice, send)

    def _post(self, notice: Notice, send: Send) -> None:
        try:
            outcome = send()
        except Exception:
            log.exception("%s could not be sent", notice)
            outcome = Outcome(failure="internal")
        self._ended.append((notice, outcome))
        self._bell.set()

    def _record(self) -> None:
        while self._ended:
            notice, outcome = self._ended[0]
            # Where the database is away it stays the first, and is stored when that is back.
            if not notices.record(notice, outcome):
                log.info("%s was taken over or deleted; how it ended is not stored", notice)
            self._ended.popleft()
            del self._in_hand[notice.pk, notice.run_id]
