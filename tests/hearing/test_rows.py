"""What the rows of live sessions keep when a session is over, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from tests.hearing.test_end import row_of
from whisper_jobs.hearing import rows
from whisper_jobs.models import LiveSession
from whisper_jobs.models.live_session import SessionState

pytestmark = pytest.mark.django_db
TURN = [{"urls": "turn:turn.example.org", "username": "u", "credential": "secret"}]


@pytest.mark.parametrize(
    "over",
    [
        lambda row: rows.end(row.pk, "", 0),
        lambda row: rows.cannot_begin(row.pk, "no place"),
        lambda row: rows.lose_all_but("another", []),
    ],
    ids=["ended", "never begun", "lost"],
)
def test_passwords_that_a_client_named_go_with_the_session(alice: User, over: Callable[[LiveSession], None]) -> None:
    row = row_of(alice, ice_servers=TURN)
    LiveSession.objects.update(seen_at=timezone.now() - 2 * rows.SILENT)
    over(row)
    row.refresh_from_db()
    assert row.state not in (SessionState.LIVE, SessionState.CREATED)
    assert row.ice_servers == []


def test_they_go_too_when_nobody_comes(alice: User) -> None:
    row = row_of(alice, ice_servers=TURN)
    LiveSession.objects.update(state=SessionState.CREATED, expires_at=timezone.now() - timedelta(seconds=1))
    rows.expire()
    row.refresh_from_db()
    assert (row.state, row.ice_servers) == (SessionState.EXPIRED, [])


def test_a_session_is_forgotten_when_it_has_been_over_for_long(alice: User) -> None:
    long_ago, lately, now = row_of(alice), row_of(alice), row_of(alice)
    for row, days in ((long_ago, 31), (lately, 29)):
        closed = {"state": SessionState.CLOSED, "closed_at": timezone.now() - timedelta(days=days)}
        LiveSession.objects.filter(pk=row.pk).update(**closed)
    rows.forget_old()
    assert set(LiveSession.objects.values_list("pk", flat=True)) == {lately.pk, now.pk}
