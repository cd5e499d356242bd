"""A live session ends when its client may go on no more, and keeps what was heard until then."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from accounts import tokens
from accounts.models import PersonalToken, User
from tests.hearing.talking import (
    OPEN,
    SECOND,
    calling,
    live,
    rows,
    settled,
    speech,
    streaming,
    with_ear,
    words_of,
)
from whisper_jobs.dialects import live_socket
from whisper_jobs.hearing import session, tending
from whisper_jobs.hearing.server import Live
from whisper_jobs.models import Job, LiveSession, TenantPolicy, Usage
from whisper_jobs.models.live_session import SessionState

pytestmark = [
    pytest.mark.engine,
    pytest.mark.asyncio,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_connection_left"),
]


async def test_minutes_that_run_out_end_it_with_what_was_heard(
    house: Live, dora: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    dora.monthly_minutes = 1
    await rows(dora.save)
    async with streaming(dora) as client:
        await client.speak(speech())
        await client.until("delta")
        (live_one,) = house.sessions.held
        await settled(lambda: live_one.seconds_read > 1.0)
        await rows(lambda: Usage.objects.create(owner=dora, month=_month(), seconds=59.5))
        await tending._look_at_owners(house.sessions)
        error = await client.until("error")
        closed = await client.until("closed")
        await client.until("end")
    assert (error["code"], client.code) == ("SCAIECHO_QUOTA_EXCEEDED", 4403)
    assert await rows(lambda: words_of(closed["job_id"]))


def _month() -> Any:
    from django.utils import timezone

    return timezone.now().date().replace(day=1)


async def test_a_backend_that_is_forbidden_meanwhile_hears_no_more(house: Live, dora: User) -> None:
    async with streaming(dora) as client:
        await client.speak(speech()[: 6 * SECOND])
        await client.until("delta")
        (live_one,) = house.sessions.held
        live_one.head = replace(live_one.head, backend="B")
        await rows(lambda: TenantPolicy.objects.update(allowed_backends="A"))
        await tending._look_at_owners(house.sessions)
        error = await client.until("error")
        assert (error["code"], error["message"]) == ("SCAIECHO_NO_USABLE_BACKEND", tending.FORBIDDEN)
        assert (await client.until("closed"))["job_id"]


async def test_who_is_deactivated_is_sent_away_and_the_recording_stays(house: Live, dora: User) -> None:
    async with streaming(dora) as client:
        await client.speak(speech()[: 5 * SECOND])
        await rows(lambda: User.objects.filter(pk=dora.pk).update(is_active=False))
        await tending._look_at_owners(house.sessions)
        error = await client.until("error")
        await client.until("end")
    assert (error["code"], client.code) == ("SCAIECHO_UNAUTHORIZED", 4401)
    assert await settled(Job.objects.exists)


async def test_who_may_no_longer_speak_is_sent_away_without_a_socket_that_looks(house: Live, dora: User) -> None:
    async with streaming(dora) as client:
        await tending._look_at_owners(house.sessions)
        assert house.sessions.held[0].ending is None
        await rows(dora.user_permissions.clear)
        await tending._look_at_owners(house.sessions)
        assert (await client.until("error"))["code"] == "SCAIECHO_UNAUTHORIZED"


async def test_a_revoked_token_ends_the_session(house: Live, dora: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_socket, "LOOK_SECONDS", 0.2)
    token = await rows(lambda: tokens.create(dora, tokens.API).token)
    async with calling(None, query=f"?token={token}") as client:
        await client.send(OPEN)
        await client.until("ready")
        await client.speak(speech()[: 3 * SECOND])
        await rows(lambda: tokens.revoke(PersonalToken.objects.get()))
        error = await client.until("error")
        await client.until("end")
    assert (error["code"], client.code) == ("SCAIECHO_UNAUTHORIZED", 4401)
    assert await settled(Job.objects.exists)


async def test_a_session_that_sends_nothing_is_closed_with_a_reason(house: Live, dora: User, settings: Any) -> None:
    settings.TOOLS = replace(settings.TOOLS, live_idle_minutes=0.005)
    async with streaming(dora) as client:
        closed = await client.until("closed")
        await client.until("end")
    assert (closed["reason"], closed["job_id"], client.code) == (tending.IDLE, None, 1000)


async def test_a_session_is_as_long_as_the_server_allows(house: Live, dora: User, settings: Any) -> None:
    settings.TOOLS = replace(settings.TOOLS, live_max_hours=5 / 3600)
    async with streaming(dora) as client:
        await client.speak(speech()[: 6 * SECOND])
        closed = await client.until("closed")
    assert closed["reason"] == tending.LONG
    assert closed["job_id"]


async def test_a_session_that_nobody_reads_ends_before_it_fills_the_memory(
    tmp_path: Path, dora: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tending, "MOST_LAG_SECONDS", 5.0)
    monkeypatch.setattr(session, "LAST_WORDS_SECONDS", 0.5)
    async with live(tmp_path / "live"), streaming(dora) as client:
        await client.speak(speech())
        error = await client.until("error")
        assert (error["code"], error["message"]) == ("SCAIECHO_BACKEND_UNAVAILABLE", tending.BEHIND)
    job = await settled(Job.objects.first)
    assert job.source_duration_seconds >= 5.0


async def test_a_full_disk_ends_it_clearly_and_keeps_what_is_there(
    house: Live, dora: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with streaming(dora) as client:
        await client.speak(speech()[: 5 * SECOND])
        await client.until("delta")
        (session,) = house.sessions.held
        await settled(lambda: session.seconds == 5.0)
        session.has_room = lambda: False
        await client.speak(speech()[5 * SECOND : 6 * SECOND])
        error = await client.until("error")
        await client.until("closed")
        await client.until("end")
    assert (error["code"], client.code) == ("SCAIECHO_STREAM_FAILED", 4500)
    assert "disk is full" in error["message"]
    job = await rows(Job.objects.get)
    assert job.source_duration_seconds == 5.0


async def test_what_a_dead_live_process_left_becomes_a_recording(tmp_path: Path, dora: User) -> None:
    async with live(tmp_path / "live", name="first:1:1") as here:
        ear = await with_ear()
        async with streaming(dora) as client:
            await client.speak(speech())
            while not client.finals:
                await client.until("delta")
            (session,) = here.sessions.held
            await settled(lambda: session.audio_bytes == speech().nbytes)
            # As when it is killed: nothing of it is told, no session is ended.
        await asyncio.to_thread(ear.__exit__, None, None, None)
    row = await rows(LiveSession.objects.get)
    assert row.job_id is None
    async with live(tmp_path / "live", name="second:2:2"):
        row = await settled(lambda: LiveSession.objects.filter(job__isnull=False).first())
    assert row.state == SessionState.LOST
    job = await rows(lambda: Job.objects.get(pk=row.job_id))
    assert job.source_duration_seconds == pytest.approx(len(speech()) / SECOND)
    steps = await rows(
        lambda: list(
            job.steps.filter(kind="window")
            .order_by("start_seconds")
            .values_list("state", "start_seconds", "end_seconds")
        )
    )
    assert steps[0][0] == "done"
    assert all(before[2] <= after[1] for before, after in itertools.pairwise(steps)), "no sound twice"
