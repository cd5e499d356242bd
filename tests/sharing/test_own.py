"""The owner's side: making, changing and revoking a link over the API."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.test import Client
from django.utils import timezone

from accounts.models import User
from sharing.models import Share
from tests.core.play import Stage, fresh
from tests.sharing.conftest import page, path_of, shared
from whisper_jobs import broadcast
from whisper_jobs.models import Channel, Job, LogLine


def url(job: Job) -> str:
    return f"/api/whisper/jobs/{job.pk}/share"


def send(client: Any, job: Job, method: str = "post", **body: Any) -> Any:
    return getattr(client, method)(url(job), body, format="json")


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What pages are told."""
    told: list[Any] = []
    monkeypatch.setattr(broadcast, "push_on_commit", told.extend)
    return told


def test_a_completed_transcript_is_shared(api: Any, alice: User, talk: Job, visitor: Client) -> None:
    answer = send(api(alice), talk)
    assert answer.status_code == 201
    told = answer.json()["job"]["share"]
    row = Share.objects.get()
    assert told == {
        "url": f"{settings.SITE_URL}/shared/whisper/transcript/{row.token}",
        "created_at": row.created_at.isoformat(),
        "expires_at": None,
        "has_passcode": False,
        "allow_audio": False,
        "show_analysis": True,
        "views": 0,
        "last_viewed_at": None,
    }
    assert len(row.token) >= 43
    assert "window0" in page(visitor, row)


def test_all_that_can_be_set(api: Any, alice: User, talk: Job) -> None:
    wanted: dict[str, Any] = {"passcode": "sesame", "allow_audio": True, "show_analysis": False}
    told = send(api(alice), talk, expires_in_days=7, **wanted).json()["job"]["share"]
    assert (told["has_passcode"], told["allow_audio"], told["show_analysis"]) == (True, True, False)
    left = datetime.fromisoformat(told["expires_at"]) - timezone.now()
    assert timedelta(days=6.9) < left < timedelta(days=7.1)
    assert "sesame" not in str(told)
    assert check_password("sesame", Share.objects.get().passcode)


def test_asking_again_keeps_the_link_and_what_is_not_mentioned(api: Any, alice: User, talk: Job) -> None:
    client = api(alice)
    first = send(client, talk, passcode="sesame").json()["job"]["share"]
    answer = send(client, talk, allow_audio=True)
    assert answer.status_code == 200
    assert answer.json()["job"]["share"] == {**first, "allow_audio": True}


def test_a_new_link_ends_the_old_one_and_keeps_its_options(api: Any, alice: User, talk: Job, visitor: Client) -> None:
    old = shared(talk, passcode="sesame", allow_audio=True, show_analysis=False)
    answer = send(api(alice), talk, new_link=True)
    assert answer.status_code == 201
    new = Share.objects.get(revoked_at=None)
    assert new.token != old.token
    assert (new.passcode, new.allow_audio, new.show_analysis, new.views) == (old.passcode, True, False, 0)
    assert visitor.get(path_of(old)).status_code == 410
    assert visitor.get(path_of(new)).status_code == 302


def test_sharing_again_after_the_link_has_expired_makes_one_that_works(api: Any, alice: User, talk: Job) -> None:
    old = shared(talk)
    Share.objects.update(expires_at=timezone.now())
    told = send(api(alice), talk).json()["job"]["share"]
    assert told["expires_at"] is None
    assert old.token not in told["url"]


def test_changing_sets_what_is_given_and_nothing_else(api: Any, alice: User, talk: Job) -> None:
    client, before = api(alice), shared(talk, passcode="sesame")
    at = (timezone.now() + timedelta(days=3)).isoformat()
    told = send(client, talk, "patch", expires_at=at).json()["job"]["share"]
    assert (datetime.fromisoformat(told["expires_at"]), told["has_passcode"]) == (datetime.fromisoformat(at), True)
    for removed in ({"expires_at": None}, {"expires_in_days": None}):
        send(client, talk, "patch", expires_in_days=2)
        assert send(client, talk, "patch", **removed).json()["job"]["share"]["expires_at"] is None
    for nothing in ("", None):
        send(client, talk, "patch", passcode="sesame")
        assert send(client, talk, "patch", passcode=nothing).json()["job"]["share"]["has_passcode"] is False
    assert Share.objects.get().token == before.token


def test_revoking_ends_the_link(api: Any, alice: User, talk: Job, visitor: Client) -> None:
    share = shared(talk)
    answer = send(api(alice), talk, "delete")
    assert (answer.status_code, answer.json()["job"]["share"]) == (200, None)
    assert visitor.get(path_of(share)).status_code == 410


def test_what_is_not_shared_is_not_found(api: Any, alice: User, talk: Job) -> None:
    for method in ("patch", "delete"):
        answer = send(api(alice), talk, method)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert answer.json()["message"] == "This transcript is not shared."


def test_every_change_is_a_revision_that_pages_hear_of(api: Any, alice: User, talk: Job, pushed: list[Any]) -> None:
    client = api(alice)
    for method, fields in (("post", {}), ("patch", {"allow_audio": True}), ("delete", {})):
        before = fresh(talk).revision
        told = send(client, talk, method, **fields).json()["job"]
        assert told["revision"] == before + 1
        [message] = [one for group, one in pushed if one["type"] == "share" and group == f"job.{talk.pk}"]
        assert message == {"type": "share", "revision": before + 1, "share": told["share"]}
        pushed.clear()
    assert LogLine.objects.filter(job=talk, message__icontains="shared").count() == 2


def test_changing_nothing_is_no_revision(api: Any, alice: User, talk: Job) -> None:
    shared(talk)
    before = fresh(talk).revision
    assert send(api(alice), talk, "patch").json()["job"]["revision"] == before


def test_a_share_made_for_a_program_is_told_to_pages_and_opens_the_same_page(
    stage: Stage, alice: User, visitor: Client, pushed: list[Any]
) -> None:
    job = stage.completed(alice, channel=Channel.API)
    share = Share.objects.get(job=job)
    assert "window0" in page(visitor, share)
    assert [one["share"]["url"] for _group, one in pushed if one["type"] == "share"]


def test_only_a_completed_transcript_can_be_shared(api: Any, alice: User, stage: Stage) -> None:
    answer = send(api(alice), stage.decoded(alice))
    assert (answer.status_code, answer.json()["code"]) == (422, "not_allowed")
    assert not Share.objects.exists()


WRONG: list[dict[str, Any]] = [
    {"expires_at": "yesterday"},
    {"expires_at": "2020-01-01T00:00:00Z"},
    {"expires_at": "9999-12-31T23:59:59+00:00"},
    {"expires_at": 12},
    {"expires_in_days": 0},
    {"expires_in_days": -1},
    {"expires_in_days": 10**12},
    {"expires_in_days": "x"},
    {"passcode": "abc"},
    {"passcode": "x" * 129},
    {"passcode": "a\0bcd"},
    {"passcode": ["sesame"]},
    {"allow_audio": "perhaps"},
    {"allow_audio": None},
    {"show_analysis": "perhaps"},
    {"show_analysis": None},
]


def test_a_field_that_can_not_be_is_named(api: Any, alice: User, talk: Job) -> None:
    client, before = api(alice), shared(talk)
    revision = fresh(talk).revision
    for method in ("post", "patch"):
        for field in WRONG:
            answer = send(client, talk, method, **field)
            assert (answer.status_code, list(answer.json()["errors"])) == (422, list(field)), field
    assert (Share.objects.get().token, fresh(talk).revision) == (before.token, revision)


def test_a_time_and_a_number_of_days_are_too_much(api: Any, alice: User, talk: Job) -> None:
    at = (timezone.now() + timedelta(days=1)).isoformat()
    assert send(api(alice), talk, expires_at=at, expires_in_days=1).status_code == 422
    assert not Share.objects.exists()


def test_a_body_that_is_no_object_is_refused(api: Any, alice: User, talk: Job) -> None:
    for body in ("[]", "{", "1", '"x"', "null"):
        answer = api(alice).generic("POST", url(talk), body, content_type="application/json")
        assert answer.status_code == 422, body


def test_only_who_sees_the_job_may(api: Any, bob: User, charlie: User, nobody: User, talk: Job) -> None:
    before = shared(talk)
    for method in ("post", "patch", "delete"):
        assert send(api(None), talk, method).status_code == 401
        assert send(api(nobody), talk, method).status_code == 403
        assert send(api(bob), talk, method).status_code == 404
        assert Share.objects.get().token == before.token
        assert send(api(charlie), talk, method).status_code == 200
