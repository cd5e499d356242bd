"""POST …/sessions: a row that waits for an offer; every field is checked, no name is looked up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User
from accounts.permissions import grant
from tests.webrtc.conftest import ROOT
from whisper_jobs.dialects.scaiecho import webrtc_sessions
from whisper_jobs.models import LiveSession

Api = Callable[[User | None], APIClient]


def program(user: User, *permissions: str) -> APIClient:
    """With a personal token."""
    for permission in ("whisper.api", *permissions):
        grant(user, permission)
    clear = tokens.create(user, tokens.API, name="A program").token
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {clear}")
    return client


def test_a_session_is_made_that_waits_a_minute_for_its_offer(api: Api, alice: User) -> None:
    answer = api(alice).post(ROOT, {"language_hint": "sv", "chunk_seconds": 2.5}, format="json")
    assert answer.status_code == 201
    told = answer.json()["data"]
    row = LiveSession.objects.get()
    assert told == {
        "session_id": str(row.pk),
        "status": "created",
        "expires_at": row.expires_at.isoformat(),
        "ice_servers": [],
        "offer_url": f"{ROOT}/{row.pk}/offer",
        "control_url": f"{ROOT}/{row.pk}/control",
    }
    assert (row.owner, row.transport, row.channel, row.language, row.chunk_seconds) == (
        alice,
        "webrtc",
        "web",
        "sv",
        2.5,
    )
    assert timedelta(seconds=50) < row.expires_at - timezone.now() <= timedelta(seconds=60)


def test_an_empty_body_has_the_published_defaults(api: Api, alice: User) -> None:
    assert api(alice).post(ROOT).status_code == 201
    row = LiveSession.objects.get()
    assert (row.media_type, row.sample_rate, row.backend_preference, row.diarize) == ("audio/wav", 16_000, "any", False)


def test_a_program_needs_the_permission_and_its_recording_is_the_apis(alice: User, bob: User) -> None:
    assert program(alice).post(ROOT).status_code == 403
    assert program(bob, "scaiecho:transcribe").post(ROOT).status_code == 201
    assert LiveSession.objects.get().channel == "api"


def test_a_program_tells_speakers_apart_with_the_permission_alone(alice: User, bob: User) -> None:
    refused = program(alice, "scaiecho:transcribe").post(ROOT, {"diarize": True}, format="json")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "SCAIECHO_FORBIDDEN")
    allowed = program(bob, "scaiecho:transcribe", "scaiecho:diarize").post(ROOT, {"diarize": True}, format="json")
    assert allowed.status_code == 201


def test_this_sites_page_needs_whisper_use_alone(api: Api, alice: User, nobody: User) -> None:
    assert api(alice).post(ROOT, {"diarize": True}, format="json").status_code == 201
    assert api(nobody).post(ROOT).status_code == 403
    refused = api(None).post(ROOT)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "SCAIECHO_UNAUTHORIZED")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("language_hint", "eng"),
        ("language_hint", "\x00e"),
        ("media_type", "video/mp4"),
        ("chunk_seconds", 0.4),
        ("chunk_seconds", 61),
        ("chunk_seconds", "NaN"),
        ("sample_rate", 7999),
        ("sample_rate", 48_001),
        ("diarize", "perhaps"),
        ("ice_servers", "stun:stun.example.org"),
        ("ice_servers", [{"urls": "stun:stun.example.org"}] * 6),
        ("ice_servers", [{}]),
        ("ice_servers", [{"urls": []}]),
        ("ice_servers", [{"urls": ["stun:a.example.org"] * 6}]),
        ("ice_servers", [{"urls": 7}]),
        ("ice_servers", [{"urls": "https://stun.example.org"}]),
        ("ice_servers", [{"urls": "stun:127.0.0.1:3478"}]),
        ("ice_servers", [{"urls": "turn:localhost"}]),
        ("ice_servers", [{"urls": "turn:[::1]:3478"}]),
        ("ice_servers", [{"urls": "stun:10.0.0.1"}]),
        ("ice_servers", [{"urls": "stun:0x7f000001"}]),
        ("ice_servers", [{"urls": "stun:stun.example.org:99999"}]),
        ("ice_servers", [{"urls": "stun:user@stun.example.org"}]),
        ("ice_servers", [{"urls": "stun:stun.example.org", "credential": "x" * 501}]),
    ],
)
def test_a_value_that_can_not_be_is_named(api: Api, alice: User, field: str, value: Any) -> None:
    answer = api(alice).post(ROOT, {field: value}, format="json")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], list(error["errors"])) == (422, "SCAIECHO_INVALID", [field])
    assert not LiveSession.objects.exists()


def test_a_wrong_preference_has_its_own_code(api: Api, alice: User) -> None:
    answer = api(alice).post(ROOT, {"backend_preference": "C"}, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "SCAIECHO_BAD_BACKEND_PREFERENCE")


def test_ice_servers_are_kept_and_told(api: Api, alice: User) -> None:
    servers: list[dict[str, Any]] = [
        {"urls": "stun:stun.example.org:3478"},
        {
            "urls": ["turn:turn.example.org?transport=tcp", "turns:turn.example.org"],
            "username": "a",
            "credential": " b ",
        },
        {"urls": "stun:[2a00:1450::1]:19302"},
    ]
    told = api(alice).post(ROOT, {"ice_servers": servers}, format="json").json()["data"]["ice_servers"]
    assert told == [
        {**server, "urls": [server["urls"]] if isinstance(server["urls"], str) else server["urls"]}
        for server in servers
    ]
    assert LiveSession.objects.get().ice_servers == told


def test_without_live_sessions_there_is_none(api: Api, alice: User, settings: Any) -> None:
    settings.TOOLS = replace(settings.TOOLS, live_workers=0, live_address="")
    answer = api(alice).post(ROOT)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "SCAIECHO_BACKEND_UNAVAILABLE")


def test_without_the_library_it_is_said_that_webrtc_is_not_there(
    api: Api, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webrtc_sessions, "_has_webrtc", lambda: False)
    answer = api(alice).post(ROOT)
    assert (answer.status_code, answer.json()["error"]["code"]) == (501, "SCAIECHO_WEBRTC_UNAVAILABLE")
