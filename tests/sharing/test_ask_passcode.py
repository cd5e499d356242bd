"""A passcode: asked on a page of its own, kept for a while by the browser, guessed by nobody."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client

from sharing import visits
from sharing.models import Share
from tests.core.play import Stage
from tests.sharing.conftest import body, page, path_of, shared
from whisper_jobs.models import Job


@pytest.fixture
def locked(talk: Job, recording: bytes) -> Share:
    return shared(talk, passcode="open sesame", allow_audio=True)


def enter(client: Client, share: Share, passcode: str, query: str = "", **extra: Any) -> Any:
    """Types a passcode into the form, as a browser does that has been shown it."""
    form = client.get(path_of(share, "/passcode"))
    token = form.cookies["csrftoken"].value
    sent = {"passcode": passcode, "csrfmiddlewaretoken": token}
    return client.post(path_of(share, "/passcode") + query, sent, **extra)


def test_the_page_asks_for_the_passcode_and_then_opens(visitor: Client, locked: Share) -> None:
    asked = visitor.get(path_of(locked, "?t=83&language=sv&next=x"))
    assert (asked.status_code, asked["Location"]) == (302, path_of(locked, "/passcode?language=sv&t=83"))
    form = body(visitor.get(asked["Location"])).decode()
    assert 'type="password"' in form
    assert "Board meeting" not in form and "window" not in form
    opened = enter(visitor, locked, " open sesame ", "?language=sv&t=83&next=https://evil.test/")
    assert (opened.status_code, opened["Location"]) == (302, path_of(locked, "?language=sv&t=83"))
    assert "window0" in page(visitor, locked)
    assert visitor.get(path_of(locked, "/passcode"))["Location"] == path_of(locked)


def test_files_are_behind_it_too(visitor: Client, locked: Share) -> None:
    for below in ("/audio", "/transcript.txt", "/transcript.json"):
        answer = visitor.get(path_of(locked, below))
        assert answer.status_code == 403
        assert path_of(locked, "/passcode").encode() in body(answer)
    enter(visitor, locked, "open sesame")
    for below in ("/audio", "/transcript.txt", "/transcript.json"):
        assert visitor.get(path_of(locked, below)).status_code == 200


def test_the_passcode_is_kept_as_a_hash(locked: Share) -> None:
    assert "sesame" not in locked.passcode
    assert locked.passcode.startswith("md5$")  # the hasher that tests use


def test_the_cookie_is_good_for_this_share_and_its_browser_only(visitor: Client, locked: Share) -> None:
    cookie = enter(visitor, locked, "open sesame").cookies[visits.OPENED]
    assert cookie["httponly"]
    assert (cookie["path"], cookie["samesite"], cookie["max-age"]) == (path_of(locked), "Lax", visits.OPEN_SECONDS)


def test_another_share_with_the_same_passcode_stays_closed(visitor: Client, locked: Share, stage: Stage) -> None:
    other = shared(stage.completed(locked.job.owner), passcode="open sesame")
    value = enter(visitor, locked, "open sesame").cookies[visits.OPENED].value
    visitor.cookies[visits.OPENED] = value
    assert visitor.get(path_of(other)).status_code == 302


def test_changing_the_passcode_locks_out_who_knew_the_old_one(visitor: Client, locked: Share) -> None:
    enter(visitor, locked, "open sesame")
    shared(locked.job, passcode="another one")
    assert visitor.get(path_of(locked)).status_code == 302
    assert enter(visitor, locked, "open sesame").status_code == 403


def test_removing_the_passcode_opens_the_page(visitor: Client, locked: Share) -> None:
    shared(locked.job, passcode="")
    assert "window0" in page(visitor, locked)


def test_it_is_asked_for_again_after_some_hours(
    visitor: Client, locked: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(visitor, locked, "open sesame")
    later = time.time() + visits.OPEN_SECONDS + 1
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    assert visitor.get(path_of(locked)).status_code == 302


def test_a_made_up_cookie_opens_nothing(visitor: Client, locked: Share) -> None:
    for value in ("", "open", "open:1:x", "open:zzzzzz:AAAA", "é"):
        visitor.cookies[visits.OPENED] = value
        assert visitor.get(path_of(locked)).status_code == 302


def test_a_wrong_passcode_is_told_and_opens_nothing(visitor: Client, locked: Share) -> None:
    for passcode in ("", "OPEN SESAME", "x" * 5000, "\0", "é"):
        answer = enter(visitor, locked, passcode)
        assert answer.status_code == 403
        assert b"That is not the passcode." in body(answer)
        assert visits.OPENED not in answer.cookies
        assert visitor.get(path_of(locked)).status_code == 302


def test_a_passcode_from_another_site_is_not_taken(visitor: Client, locked: Share) -> None:
    assert visitor.post(path_of(locked, "/passcode"), {"passcode": "open sesame"}).status_code == 403
    assert visitor.get(path_of(locked)).status_code == 302


def test_guessing_is_slowed_down_per_address(visitor: Client, locked: Share, stage: Stage) -> None:
    for _ in range(visits.TRIES):
        assert enter(visitor, locked, "guess").status_code == 403
    answer = enter(visitor, locked, "open sesame")
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 120
    assert b"Too many attempts" in body(answer)
    assert visitor.get(path_of(locked)).status_code == 302
    other = shared(stage.completed(locked.job.owner), passcode="open sesame")
    assert enter(visitor, other, "open sesame").status_code == 302
    assert enter(Client(), locked, "open sesame", REMOTE_ADDR="203.0.113.9").status_code == 302


def test_a_whole_network_of_ipv6_is_one_guesser(locked: Share) -> None:
    for place in range(visits.TRIES):
        enter(Client(), locked, "guess", REMOTE_ADDR=f"2001:db8:1:2:{place}::1")
    assert enter(Client(), locked, "guess", REMOTE_ADDR="2001:db8:1:2:ffff::1").status_code == 429
    assert enter(Client(), locked, "guess", REMOTE_ADDR="2001:db8:1:3::1").status_code == 403


def test_guessers_from_everywhere_are_slowed_down_together(locked: Share) -> None:
    for place in range(visits.TRIES_OF_ALL):
        assert enter(Client(), locked, "guess", REMOTE_ADDR=f"203.0.113.{place}").status_code == 403
    assert enter(Client(), locked, "guess", REMOTE_ADDR="198.51.100.1").status_code == 429


def test_behind_the_passcode_the_place_is_still_wanted(visitor: Client, locked: Share) -> None:
    enter(visitor, locked, "open sesame")
    assert visitor.get(path_of(locked, "?t=12"))["Location"] == path_of(locked, "#t=10")
