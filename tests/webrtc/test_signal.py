"""Offers, candidates and the end of a session, with the real live process and a real client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from tests.webrtc.clients import accept, an_offer, client, offer_of
from tests.webrtc.conftest import ROOT, RunningLive, in_thread
from whisper_jobs.models import Job, LiveSession

pytestmark = pytest.mark.engine

Api = Callable[[User | None], APIClient]
NOT_FOUND, LOST = "SCAIECHO_WEBRTC_SESSION_NOT_FOUND", "SCAIECHO_WEBRTC_SESSION_STATE_LOST"


def made(page: APIClient) -> str:
    return str(page.post(ROOT).json()["data"]["session_id"])


def offer(page: APIClient, session_id: str, sdp: Any) -> Any:
    return page.post(f"{ROOT}/{session_id}/offer", {"type": "offer", "sdp": sdp}, format="json")


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def wait_for(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 40
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def spoken(page: APIClient, session_id: str, seconds: float) -> None:
    """A client connects, sends silence for a while, and leaves."""

    async def scene() -> None:
        async with client(loudness=0.0) as browser:
            answer = await in_thread(offer, page, session_id, await offer_of(browser))
            assert answer.status_code == 200, answer.content
            assert answer.json()["data"]["type"] == "answer"
            await accept(browser, answer.json()["data"]["sdp"])
            candidate = {"candidate": "candidate:1 1 udp 1 8.8.8.8 5000 typ host", "sdp_mid": "0", "sdp_mline_index": 0}
            path = f"{ROOT}/{session_id}/ice-candidates"
            assert (await in_thread(page.post, path, candidate, format="json")).status_code == 204
            await asyncio.sleep(seconds)

    asyncio.run(scene())


def test_what_was_heard_becomes_a_recording_when_the_session_is_deleted(
    live: RunningLive, api: Api, alice: User
) -> None:
    session_id = made(page := api(alice))
    spoken(page, session_id, 1.5)
    assert page.delete(f"{ROOT}/{session_id}").status_code == 204
    wait_for(lambda: LiveSession.objects.get().closed_at is not None)
    job = Job.objects.get()
    assert (job.owner, job.channel, LiveSession.objects.get().job) == (alice, "web", job)
    assert job.source_duration_seconds is not None and job.source_duration_seconds > 0.5
    assert page.delete(f"{ROOT}/{session_id}").status_code == 204
    assert refusal(offer(page, session_id, an_offer())) == (404, NOT_FOUND)


def test_a_client_comes_back_with_a_new_offer_and_it_is_one_recording(live: RunningLive, api: Api, alice: User) -> None:
    session_id = made(page := api(alice))
    spoken(page, session_id, 1.0)
    before = live.live.sessions.held[0].audio_bytes
    spoken(page, session_id, 1.0)
    assert live.live.sessions.held[0].audio_bytes > before
    page.delete(f"{ROOT}/{session_id}")
    wait_for(lambda: Job.objects.count() == 1)


def test_a_client_that_does_not_come_back_leaves_its_recording(live: RunningLive, api: Api, alice: User) -> None:
    session_id = made(page := api(alice))
    spoken(page, session_id, 1.0)
    wait_for(lambda: Job.objects.count() == 1)
    assert refusal(offer(page, session_id, an_offer())) == (404, NOT_FOUND)


@pytest.mark.parametrize(
    "sdp", ["", "hello", 7, None, "x" * 70_000, "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", "\x00"]
)
def test_a_bad_offer_is_refused_and_a_good_one_may_follow(live: RunningLive, api: Api, alice: User, sdp: Any) -> None:
    session_id = made(page := api(alice))
    assert refusal(offer(page, session_id, sdp)) == (400, "SCAIECHO_WEBRTC_BAD_OFFER")
    assert offer(page, session_id, an_offer()).status_code == 200


def test_a_session_to_which_nobody_came_expires(live: RunningLive, api: Api, alice: User) -> None:
    session_id = made(page := api(alice))
    LiveSession.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refusal(offer(page, session_id, an_offer())) == (404, NOT_FOUND)
    assert LiveSession.objects.get().state == "expired"


def test_after_a_restart_of_the_live_process_the_state_is_lost(
    place: Path, settings: Any, api: Api, alice: User
) -> None:
    page = api(alice)
    with RunningLive(place, settings.TOOLS.live_listener, "first"):
        session_id, unused = made(page), made(page)
        spoken(page, session_id, 1.0)
    assert refusal(offer(page, session_id, an_offer())) == (502, "SCAIECHO_BACKEND_UNAVAILABLE")
    with RunningLive(place, settings.TOOLS.live_listener, "second"):
        wait_for(lambda: Job.objects.count() == 1)
        assert refusal(offer(page, session_id, an_offer())) == (410, LOST)
        assert offer(page, unused, an_offer()).status_code == 200


def test_a_session_that_heard_nothing_leaves_no_recording(live: RunningLive, api: Api, alice: User) -> None:
    session_id = made(page := api(alice))
    offer(page, session_id, an_offer())
    assert page.delete(f"{ROOT}/{session_id}").status_code == 204
    wait_for(lambda: LiveSession.objects.get().closed_at is not None)
    assert not Job.objects.exists()


def test_one_without_an_offer_is_just_closed(api: Api, alice: User) -> None:
    session_id = made(page := api(alice))
    assert page.delete(f"{ROOT}/{session_id}").status_code == 204
    assert LiveSession.objects.get().state == "closed"


def test_candidates_before_the_offer_are_taken_and_bad_ones_named(live: RunningLive, api: Api, alice: User) -> None:
    page = api(alice)
    path = f"{ROOT}/{made(page)}/ice-candidates"
    assert page.post(path, {"candidate": "candidate:1 1 udp 1 8.8.8.8 5 typ host"}, format="json").status_code == 204
    assert page.post(path, {"candidate": ""}, format="json").status_code == 204
    assert refusal(page.post(path, {"candidate": "x" * 2000}, format="json")) == (422, "SCAIECHO_INVALID")
    assert refusal(page.post(path, {}, format="json")) == (422, "SCAIECHO_INVALID")


@pytest.mark.parametrize("session_id", ["none", "../x", "0a6d63c4-1851-48ff-9d20-a1b7e1a4c7b1", "\x00"])
def test_a_session_that_never_was_is_not_found(api: Api, alice: User, session_id: str) -> None:
    assert api(alice).delete(f"{ROOT}/{session_id}").status_code == 404


def test_another_persons_session_is_not_there(api: Api, alice: User, admin: User) -> None:
    session_id = made(api(alice))
    for page in (api(admin),):
        assert refusal(offer(page, session_id, an_offer())) == (404, NOT_FOUND)
        assert refusal(page.delete(f"{ROOT}/{session_id}")) == (404, NOT_FOUND)
        sent = page.post(f"{ROOT}/{session_id}/ice-candidates", {"candidate": ""}, format="json")
        assert refusal(sent) == (404, NOT_FOUND)
    assert LiveSession.objects.get().state == "created"
