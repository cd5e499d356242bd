"""A notice is sent by one at a time, whoever dies; and without a broker."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from tests.core.play import Stage
from tests.notices.conftest import PATIENCE_SECONDS, notifier, send, states
from whisper_jobs import notice_letters, notices, tasks
from whisper_jobs.models import Notice
from whisper_jobs.posting import Outcome


def test_what_one_has_claimed_no_other_gets(stage: Stage, mailed: User) -> None:
    stage.completed(mailed)
    assert len(notices.claim(5)) == 1
    assert notices.claim(5) == []


def test_what_a_dead_sender_had_claimed_is_sent_by_another(stage: Stage, mailed: User, mailoutbox: list[Any]) -> None:
    stage.completed(mailed)
    notices.claim(5)
    Notice.objects.update(claimed_at=timezone.now() - notices.LEASE - timedelta(seconds=1))
    tasks.sweep()
    send()
    assert (len(mailoutbox), states()) == (1, ["sent"])


def test_a_claim_that_may_still_be_at_work_is_not_freed(stage: Stage, mailed: User) -> None:
    stage.completed(mailed)
    notices.claim(5)
    assert notices.free_silent() == 0


def test_a_sender_that_was_taken_for_dead_writes_nothing(stage: Stage, mailed: User) -> None:
    stage.completed(mailed)
    (slow,) = notices.claim(5)
    Notice.objects.update(claimed_at=timezone.now() - notices.LEASE - timedelta(seconds=1))
    notices.free_silent()
    (taken,) = notices.claim(5)
    assert not notices.record(slow, Outcome(failure="timeout"))
    assert notices.record(taken, Outcome())
    assert states() == ["sent"]


def test_a_claim_that_is_freed_and_claimed_again_by_the_same_sender_ends_once(stage: Stage, mailed: User) -> None:
    stage.completed(mailed)
    by, may_end = notifier(), threading.Event()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(notice_letters, "sending", lambda *_: lambda: may_end.wait(PATIENCE_SECONDS) and Outcome())
        by.turn()
        Notice.objects.update(claimed_at=timezone.now() - notices.LEASE - timedelta(seconds=1))
        notices.free_silent()
        by.turn()
        may_end.set()
        send(by)
    assert not by.is_busy
    assert states() == ["sent"]


def test_what_is_on_its_way_when_the_process_ends_is_handed_back(stage: Stage, mailed: User) -> None:
    stage.completed(mailed)
    claimed = notices.claim(5)
    assert notices.hand_back(claimed) == 1
    assert Notice.objects.get().run_id is None


@pytest.mark.django_db(transaction=True)
def test_a_notifier_finds_what_is_due_without_a_bell(stage: Stage, mailed: User, mailoutbox: list[Any]) -> None:
    by = notifier()
    by.start()
    try:
        stage.completed(mailed)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while states() != ["sent"]:
            assert time.monotonic() < deadline, "the notice was not found"
            time.sleep(0.05)
    finally:
        by.stop()
        by.end(5.0)
    assert len(mailoutbox) == 1
