"""Links that open nothing say so and no more; nothing of the owner is in any byte; a link is good for its page alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.models import User
from config.asgi import application
from sharing import owning
from sharing.models import Share
from tests.broker import running_broker
from tests.core.play import Stage
from tests.sharing.conftest import MEDIA, SECRETS, body, page, path_of, shared
from whisper_jobs import lifecycle
from whisper_jobs.models import Analysis, EnrichmentState, Job, Translation

BELOW = ["", "?t=3", "/audio", "/passcode", "/transcript.txt", "/transcript.json?language=sv"]


def end(share: Share, **fields: Any) -> None:
    Share.objects.filter(pk=share.pk).update(**fields)


def refused(client: Client, share: Share, status: int) -> str:
    """What the page says, when nothing of the share is to be had."""
    for below in BELOW:
        answer = client.get(path_of(share, below))
        assert answer.status_code == status, below
        assert answer["X-Robots-Tag"].startswith("noindex")
        assert answer["Cache-Control"] == "private, no-store"
        told = body(answer).decode()
        assert "Board meeting" not in told and "window" not in told
    return told


@pytest.mark.parametrize("token", ["A" * 43, "short", "a%00b" + "A" * 40, "é" * 43, "A" * 300, "'or'1'='1" * 5])
def test_a_link_that_nobody_made_opens_nothing(visitor: Client, db: None, token: str) -> None:
    for below in BELOW:
        answer = visitor.get(f"/shared/whisper/transcript/{token}{below}")
        assert answer.status_code == 404
        assert answer["X-Robots-Tag"].startswith("noindex")


def test_a_revoked_link_is_gone_at_once(visitor: Client, share: Share) -> None:
    assert "window0" in page(visitor, share)
    owning.revoke(share.job_id)
    assert "no longer works" in refused(visitor, share, 410)


def test_an_expired_link_is_gone(visitor: Client, share: Share) -> None:
    end(share, expires_at=timezone.now() + timedelta(minutes=1))
    assert "window0" in page(visitor, share)
    end(share, expires_at=timezone.now() - timedelta(seconds=1))
    assert "no longer works" in refused(visitor, share, 410)


def test_what_has_ended_says_the_same_whatever_it_was(visitor: Client, talk: Job) -> None:
    revoked = shared(talk, passcode="sesame", allow_audio=True)
    owning.revoke(talk.pk)
    expired = shared(talk)
    end(expired, expires_at=timezone.now())
    assert refused(visitor, revoked, 410) == refused(visitor, expired, 410)


def test_a_deleted_job_takes_its_link_along(visitor: Client, share: Share) -> None:
    lifecycle.delete(share.job_id)
    assert not Share.objects.exists()
    refused(visitor, share, 404)


def test_a_job_without_a_finished_transcript_shows_nothing(visitor: Client, share: Share) -> None:
    Job.objects.filter(pk=share.job_id).update(stage="transcribing")
    refused(visitor, share, 404)


def test_nothing_can_be_sent_to_the_page(share: Share) -> None:
    client = Client()
    for send in (client.post, client.put, client.patch, client.delete):
        for below in ("", "/audio", "/transcript.txt"):
            assert send(path_of(share, below)).status_code == 405
    assert Share.objects.get().views == 0


@pytest.mark.parametrize("passcode", ["", "sesame"])
def test_nothing_of_the_owner_or_of_this_server_leaks(
    visitor: Client, talk: Job, alice: User, recording: bytes, passcode: str
) -> None:
    # Ids that are seen if they are told anywhere.
    Job.objects.filter(pk=talk.pk).update(engine_reason="ENGINE-reason", model="MODEL-name")
    told = {"language": "en", "state": EnrichmentState.DONE, "text": "So.", "model": "MODEL-name", "error": "ERROR"}
    Analysis.objects.create(job=talk, instruction="INSTRUCTION", **told)
    Translation.objects.create(job=talk, index=0, **{**told, "language": "sv"})
    share = shared(talk, allow_audio=True, passcode=passcode)
    Share.objects.filter(pk=share.pk).update(id=775_533)
    share.pk = 775_533
    if passcode:
        before = [visitor.get(path_of(share, below)) for below in BELOW]
        token = before[3].cookies["csrftoken"].value
        sent = {"passcode": passcode, "csrfmiddlewaretoken": token}
        before.append(visitor.post(path_of(share, "/passcode"), sent))
    else:
        before = []
    paths = ["", "?language=sv", "?t=3", "/audio", *(f"/transcript.{name}" for name in ("txt", "srt", "vtt", "json"))]
    answers = [*before, *(visitor.get(path_of(share, below)) for below in paths)]
    assert [one.status_code for one in answers[-len(paths) :]] == [200, 200, 302, 200, 200, 200, 200, 200]
    secrets = [*SECRETS.values(), alice.email, "alice", "intranet", "salaries", "hush", MEDIA.split("/")[1], "775533"]
    secrets += ["ENGINE", "MODEL", "INSTRUCTION", "ERROR", "/api/", f"/jobs/{talk.pk}", "owner", str(settings.DATA_DIR)]
    for answer in answers:
        everything = f"{answer.headers}{answer.cookies}".encode() + body(answer).replace(recording, b"")
        for secret in secrets:
            assert secret.encode() not in everything, (secret, answer.request["PATH_INFO"])


def test_a_signed_in_visitor_is_shown_no_more_than_a_stranger(visitor: Client, share: Share, bob: User) -> None:
    stranger = page(visitor, share)
    visitor.force_login(bob)
    assert page(visitor, share) == stranger


def test_a_link_is_no_key_to_the_api(api: Any, share: Share) -> None:
    keys = [{"Authorization": f"Bearer {share.token}"}, {"X-Api-Key": share.token}]
    job = f"/api/whisper/jobs/{share.job_id}"
    for path in (job, f"{job}/exports/txt", "/api/whisper/status", "/api/whisper/transcribe/jobs"):
        for query in ("", f"?token={share.token}&apikey={share.token}&api_token={share.token}"):
            assert [api(None).get(path + query, headers=key).status_code for key in keys] == [401, 401]


@pytest.mark.django_db(transaction=True)
def test_a_link_is_no_key_to_a_socket(stage: Stage, alice: User) -> None:
    with running_broker():
        share = shared(stage.completed(alice))
        for path in (f"/ws/whisper/jobs/{share.job_id}", "/ws/whisper/queue"):
            bearer = [(b"authorization", f"Bearer {share.token}".encode())]
            assert async_to_sync(_closed)(path, bearer) == 4401
            assert async_to_sync(_closed)(path, [], {"type": "auth", "token": share.token}) == 4401


async def _closed(path: str, headers: list[tuple[bytes, bytes]], *said: dict[str, str]) -> int:
    """The code with which a socket is closed."""
    socket = WebsocketCommunicator(application, path, headers=[(b"host", b"localhost"), *headers])
    await socket.connect(5)
    for one in said:
        await socket.send_json_to(one)
    ended = await socket.receive_output(5)
    await sync_to_async(connections.close_all)()
    assert ended["type"] == "websocket.close"
    return int(ended["code"])
