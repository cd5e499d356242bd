"""Views: counted once per visitor and half hour, and never lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from accounts.models import User
from sharing import visits
from sharing.models import Share
from tests.core.play import Stage
from tests.sharing.conftest import body, page, path_of, shared


def views() -> int:
    return Share.objects.get().views


def test_a_view_is_counted_with_its_time(visitor: Client, share: Share) -> None:
    assert (share.views, share.last_viewed_at) == (0, None)
    page(visitor, share)
    assert views() == 1
    assert Share.objects.get().last_viewed_at is not None


def test_the_same_visitor_counts_once_in_half_an_hour(visitor: Client, share: Share) -> None:
    answer = visitor.get(path_of(share))
    assert body(answer)
    cookie = answer.cookies[visits.SEEN]
    assert (cookie["max-age"], cookie["path"], bool(cookie["httponly"])) == (1800, path_of(share), True)
    page(visitor, share, "?language=sv")
    assert views() == 1
    visitor.cookies.clear()
    page(visitor, share)
    assert views() == 2


def test_only_reading_is_a_view(visitor: Client, share: Share) -> None:
    visitor.head(path_of(share))
    visitor.get(path_of(share, "?t=3"))
    visitor.get(path_of(share, "/transcript.txt"))
    visitor.get(path_of(share, "/audio"))
    assert views() == 0


def test_being_asked_for_the_passcode_is_no_view(visitor: Client, share: Share) -> None:
    shared(share.job, passcode="sesame")
    visitor.get(path_of(share), follow=True)
    assert views() == 0


@pytest.mark.django_db(transaction=True)
def test_visitors_at_the_same_time_are_all_counted(stage: Stage, alice: User) -> None:
    share = shared(stage.completed(alice))

    def visit(_number: int) -> int:
        try:
            answer = Client().get(path_of(share))
            body(answer)
            return answer.status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as visitors:
        assert set(visitors.map(visit, range(20))) == {200}
    assert views() == 20


def test_a_count_that_can_not_be_written_keeps_nobody_from_reading(
    visitor: Client, share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(name: str) -> None:
        raise DatabaseError("database is locked")

    monkeypatch.setattr(visits, "F", locked)
    assert page(visitor, share)
