"""Sharing from a job's page: as plain forms, and as the part alone that the script asks for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.test import Client
from django.utils import timezone

from accounts.models import User
from sharing import links
from sharing.models import Share
from tests.core.play import Stage
from tests.sharing.conftest import body, shared
from whisper_jobs.models import Job


@pytest.fixture
def owner(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def act(client: Client, job: Job, name: str, *, alone: bool = False, **fields: Any) -> Any:
    headers = {"X-Part": "share"} if alone else {}
    return client.post(f"/whisper/jobs/{job.pk}/share", {"act": name, **fields}, headers=headers)


def part(client: Client, job: Job) -> str:
    return body(client.get(f"/whisper/jobs/{job.pk}/share")).decode()


def test_a_link_is_made_and_shown(owner: Client, talk: Job) -> None:
    assert 'value="share"' in part(owner, talk)
    answer = act(owner, talk, "share", expires="7", passcode="sesame", allow_audio="on")
    assert answer["Location"] == f"/whisper/jobs/{talk.pk}#share"
    share = Share.objects.get()
    assert (check_password("sesame", share.passcode), share.allow_audio) == (True, True)
    assert share.expires_at is not None
    assert timedelta(days=6.9) < share.expires_at - timezone.now() < timedelta(days=7.1)
    for shown in (part(owner, talk), body(owner.get(f"/whisper/jobs/{talk.pk}")).decode()):
        assert f'value="{links.url_of(share)}"' in shown
        assert "sesame" not in shown and share.passcode not in shown


def test_options_are_changed_and_what_is_left_alone_stays(owner: Client, talk: Job) -> None:
    before = shared(talk, passcode="sesame", allow_audio=True, expires_at=timezone.now() + timedelta(days=2))
    act(owner, talk, "change", expires="keep")
    share = Share.objects.get()
    assert (share.token, share.passcode, share.expires_at) == (before.token, before.passcode, before.expires_at)
    assert share.allow_audio is False
    act(owner, talk, "change", expires="never", remove_passcode="on")
    share = Share.objects.get()
    assert (share.passcode, share.expires_at) == ("", None)


def test_visitors_may_read_the_analysis_unless_the_box_is_cleared(owner: Client, talk: Job) -> None:
    box = '<input type="checkbox" name="show_analysis" id="share_show_analysis" checked>'
    assert box in part(owner, talk)
    act(owner, talk, "share", expires="never")
    assert Share.objects.get().show_analysis is False
    assert box not in part(owner, talk)
    act(owner, talk, "change", expires="keep", show_analysis="on")
    assert Share.objects.get().show_analysis is True
    assert box in part(owner, talk)


def test_a_date_is_the_last_day_that_the_link_works(owner: Client, talk: Job) -> None:
    day = timezone.now().date() + timedelta(days=3)
    act(owner, talk, "share", expires="date", expires_on=day.isoformat())
    share = Share.objects.get()
    assert share.expires_at is not None
    assert (share.expires_at.date(), share.expires_at.hour) == (day, 23)


def test_revoking_and_a_new_link(owner: Client, talk: Job) -> None:
    old = shared(talk)
    act(owner, talk, "renew")
    assert Share.objects.get(revoked_at=None).token != old.token
    act(owner, talk, "revoke")
    assert not Share.objects.filter(revoked_at=None).exists()
    assert 'value="share"' in part(owner, talk)


def test_an_expired_link_says_so_and_offers_another(owner: Client, talk: Job) -> None:
    shared(talk)
    Share.objects.update(expires_at=timezone.now())
    shown = part(owner, talk)
    assert "has expired" in shown and 'value="share"' in shown


def test_a_script_gets_the_part_alone(owner: Client, talk: Job) -> None:
    answer = act(owner, talk, "share", alone=True, expires="never")
    shown = body(answer).decode()
    assert answer.status_code == 200
    assert shown.lstrip().startswith("<section") and links.url_of(Share.objects.get()) in shown


REFUSED: list[dict[str, Any]] = [
    {"expires": "date"},
    {"expires": "date", "expires_on": "2020-01-01"},
    {"expires": "date", "expires_on": "9999-12-31"},
    {"expires": "date", "expires_on": "soon"},
    {"expires": "soon"},
    {"expires": "never", "passcode": "abc"},
    {"expires": "never", "passcode": "x" * 129},
    {"expires": "never", "passcode": "a\0bcd"},
]


def test_what_can_not_be_is_told(owner: Client, talk: Job) -> None:
    for fields in REFUSED:
        answer = act(owner, talk, "share", alone=True, **fields)
        assert (answer.status_code, "error" in body(answer).decode()) == (422, True), fields
        assert act(owner, talk, "share", **fields).status_code == 302
    assert not Share.objects.exists()
    for name in ("change", "revoke"):
        answer = act(owner, talk, name, alone=True, expires="never")
        assert answer.status_code == 422
        assert "This transcript is not shared." in body(answer).decode()


def test_before_there_is_a_transcript_there_is_nothing_to_share(owner: Client, stage: Stage, alice: User) -> None:
    job = stage.decoded(alice)
    assert f'data-url="/whisper/jobs/{job.pk}/share" hidden' in part(owner, job)
    assert act(owner, job, "share", alone=True, expires="never").status_code == 422
    assert not Share.objects.exists()


def test_only_who_sees_the_job_may(talk: Job, bob: User, nobody: User) -> None:
    for user, status in ((None, 302), (bob, 404), (nobody, 403)):
        client = Client()
        if user:
            client.force_login(user)
        assert act(client, talk, "share", expires="never").status_code == status
        assert client.get(f"/whisper/jobs/{talk.pk}/share").status_code == status
    assert not Share.objects.exists()


def test_a_form_from_another_site_is_not_taken(talk: Job, alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert act(client, talk, "share", expires="never").status_code == 403
