"""The WebSocket with a live process and an ear behind it: what clients do, and what they are told."""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from accounts import tokens
from accounts.models import PersonalToken, User
from accounts.permissions import grant
from tests.clockwork import heard
from tests.hearing.talking import (
    OPEN,
    SECOND,
    Client,
    Json,
    calling,
    live,
    rows,
    settled,
    silence,
    speech,
    streaming,
    with_ear,
    words_of,
)
from whisper_jobs.dialects.scaiecho import sockets
from whisper_jobs.hearing import session, tending
from whisper_jobs.hearing.server import Live
from whisper_jobs.models import Job, LiveSession, TenantPolicy, Usage
from whisper_jobs.models.live_session import SessionState
from whisper_jobs.speech.windows import Pcm, as_floats

pytestmark = [
    pytest.mark.engine,
    pytest.mark.asyncio,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_connection_left"),
]


# --- what is heard --------------------------------------------------------------------------------


async def test_words_come_while_somebody_speaks_and_are_the_recordings_words(house: Live, dora: User) -> None:
    async with streaming(dora) as client:
        await client.speak(speech())
        await client.until("delta")
        await client.send({"type": "close"})
        closed = await client.until("closed")
        await client.until("end")
    assert client.code == 1000
    assert closed["audio_bytes"] == speech().nbytes
    job = await rows(lambda: Job.objects.get(pk=closed["job_id"]))
    assert (job.owner_id, job.channel, job.engine, job.stage) == (dora.pk, "api", "clockwork", "assembling")
    assert client.text == await rows(lambda: words_of(job.pk))
    assert len(client.text.split()) > 10


async def test_ready_says_what_will_hear_it_and_how_to_come_back(house: Live, dora: User) -> None:
    async with calling(dora) as client:
        await client.send(OPEN)
        ready = await client.until("ready")
        row = await rows(LiveSession.objects.get)
        assert (ready["backend_used"], ready["session_id"], ready["resume_seconds"]) == ("A", str(row.pk), 0.5)
        assert (row.state, row.owner_id, row.chunk_seconds) == (SessionState.LIVE, dora.pk, 1.0)


async def test_every_delta_has_the_published_keys(house: Live, dora: User) -> None:
    async with streaming(dora) as client:
        await client.speak(speech()[: 10 * SECOND])
        await client.send({"type": "close"})
        await client.until("closed")
    deltas = [one for one in client.told if one["type"] == "delta"]
    keys = {"type", "text", "is_final", "start", "end", "confidence", "lag_seconds"}
    assert deltas and all(set(one) == keys for one in deltas)
    assert not [one for one in deltas if one["start"] > one["end"]]


async def test_a_close_in_the_middle_of_a_word_loses_nothing_of_it(house: Live, dora: User) -> None:
    sound = speech()[: round(7.3 * SECOND)]
    async with streaming(dora) as client:
        await client.speak(sound)
        await client.send({"type": "close"})
        closed = await client.until("closed")
    step = await rows(lambda: Job.objects.get(pk=closed["job_id"]).steps.filter(kind="window").last())
    begin, end = (round(at * SECOND) for at in (step.start_seconds, step.end_seconds))
    assert len(sound) - end < SECOND
    assert client.text.endswith(heard(as_floats(sound[begin:end])).words[-1].text)


async def test_an_hour_of_silence_is_never_read(house: Live, dora: User, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    monkeypatch.setattr("tests.clockwork.heard", lambda samples: read.append(len(samples)))
    async with streaming(dora) as client:
        minute = silence(60.0).tobytes()
        for _ in range(60):
            await client.send(minute)
        await client.send({"type": "close"})
        closed = await client.until("closed", seconds=90)
    assert not read
    job = await rows(lambda: Job.objects.get(pk=closed["job_id"]))
    assert (job.source_duration_seconds, job.failure_code) == (3600.0, "no_speech")


async def test_a_wav_stream_of_another_rate_is_heard_too(house: Live, dora: User, tmp_path: Path) -> None:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(speech()[: 10 * SECOND : 2].tobytes())
    async with streaming(dora, media_type="audio/wav") as client:
        await client.send(out.getvalue())
        await client.send({"type": "close"})
        closed = await client.until("closed")
    assert client.text
    job = await rows(lambda: Job.objects.get(pk=closed["job_id"]))
    assert job.source_duration_seconds == pytest.approx(10.0, abs=0.1)


async def test_what_a_browser_records_is_heard_too(house: Live, dora: User) -> None:
    async with streaming(dora, media_type="audio/webm; codecs=opus") as client:
        recorded = _webm(speech()[: 12 * SECOND])
        for start in range(0, len(recorded), 4000):
            await client.send(recorded[start : start + 4000])
        await client.send({"type": "close"})
        closed = await client.until("closed")
    assert client.text
    job = await rows(lambda: Job.objects.get(pk=closed["job_id"]))
    assert job.source_duration_seconds == pytest.approx(12.0, abs=0.1)
    assert client.text == await rows(lambda: words_of(job.pk))


def _webm(sound: Pcm) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="webm") as file:
        stream = file.add_stream("libopus", rate=48_000)
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(sound[None], format="s16", layout="mono")
        frame.sample_rate = SECOND
        for packed in [*stream.encode(frame), *stream.encode(None)]:
            file.mux(packed)
    return out.getvalue()


async def test_bytes_that_are_no_sound_are_told_and_what_came_before_is_kept(house: Live, dora: User) -> None:
    async with streaming(dora, media_type="audio/webm;codecs=opus") as client:
        await client.send(b"no sound at all" * 1000)
        await client.send({"type": "close"})
        await client.until("closed")
        await client.until("end")
    assert (await rows(LiveSession.objects.get)).state == SessionState.CLOSED
    assert not house.sessions.held


# --- what is refused ------------------------------------------------------------------------------


async def refused(client: Client, message: Json | str | bytes) -> tuple[str, int | None]:
    await client.send(message)
    error = await client.until("error")
    await client.until("end")
    return error["code"], client.code


@pytest.mark.parametrize(
    "fields",
    [
        {"chunk_seconds": 0.4},
        {"chunk_seconds": 60.1},
        {"chunk_seconds": "NaN"},
        {"sample_rate": 7_999},
        {"sample_rate": 48_001},
        {"media_type": "video/mp4"},
        {"media_type": ["audio/wav"]},
        {"language_hint": "eng"},
        {"language_hint": "\x00e"},
        {"language_hint": "zz"},
        {"diarize": "perhaps"},
        {"resume": "nobody"},
    ],
)
async def test_values_that_can_not_be_are_told_and_close_the_socket(house: Live, dora: User, fields: Json) -> None:
    async with calling(dora) as client:
        assert await refused(client, {**OPEN, **fields}) == ("SCAIECHO_INVALID", 4400)
    assert not await rows(LiveSession.objects.exists)


async def test_an_unknown_preference_has_its_own_code(house: Live, dora: User) -> None:
    async with calling(dora) as client:
        told = await refused(client, {**OPEN, "backend_preference": "C"})
    assert told == ("SCAIECHO_BAD_BACKEND_PREFERENCE", 4400)


@pytest.mark.parametrize(
    "frame", ["no JSON", "[]", '{"type": 1}', '{"type": "sing"}', '{"type":"open","chunk_seconds":NaN}']
)
async def test_frames_that_are_none_close_the_socket(house: Live, dora: User, frame: str) -> None:
    async with calling(dora) as client:
        assert await refused(client, frame) == ("SCAIECHO_INVALID", 4400)


async def test_sound_before_open_is_refused(house: Live, dora: User) -> None:
    async with calling(dora) as client:
        assert await refused(client, b"sound") == ("SCAIECHO_INVALID", 4400)


async def test_a_second_open_is_refused_and_what_was_heard_is_kept(house: Live, dora: User) -> None:
    async with streaming(dora) as client:
        await client.speak(speech()[: 5 * SECOND])
        assert await refused(client, OPEN) == ("SCAIECHO_INVALID", 4400)
    assert await settled(lambda: Job.objects.filter(source_duration_seconds=5.0).exists())


async def test_a_stranger_is_sent_away_without_a_word(house: Live, db: None) -> None:
    async with calling(None) as client:
        await client.until("end")
    assert (client.code, client.told) == (4401, [])


@pytest.mark.parametrize("token", ["tw_wrong", "a.b.c", "%00", "%C3%A9"])
async def test_a_wrong_token_in_the_address_is_refused(house: Live, db: None, token: str) -> None:
    async with calling(None, query=f"?token={token}") as client:
        await client.until("end")
    assert (client.code, client.told) == (4401, [])


async def test_a_token_in_the_address_is_as_good_as_in_the_header(house: Live, dora: User) -> None:
    token = await rows(lambda: tokens.create(dora, tokens.API).token)
    async with calling(None, query=f"?token={token}") as client:
        await client.send(OPEN)
        await client.until("ready")


async def test_without_the_permission_it_is_forbidden(house: Live, bob: User) -> None:
    async with calling(bob) as client:
        assert (await client.until("error"))["code"] == "SCAIECHO_FORBIDDEN"
        await client.until("end")
    assert client.code == 4403


async def test_telling_speakers_apart_needs_its_own_permission(house: Live, dora: User) -> None:
    async with calling(dora) as client:
        assert await refused(client, {**OPEN, "diarize": True}) == ("SCAIECHO_FORBIDDEN", 4403)
    await rows(lambda: grant(dora, "scaiecho:diarize"))
    dora = await rows(lambda: User.objects.get(pk=dora.pk))
    async with streaming(dora, diarize=True):
        assert (await rows(LiveSession.objects.get)).diarize


async def test_without_a_live_process_it_is_unavailable(dora: User) -> None:
    async with calling(dora) as client:
        assert await refused(client, OPEN) == ("SCAIECHO_BACKEND_UNAVAILABLE", 4502)


async def test_live_sessions_can_be_switched_off(dora: User, settings: Any) -> None:
    settings.TOOLS = replace(settings.TOOLS, live_workers=0)
    async with calling(dora) as client:
        assert await refused(client, OPEN) == ("SCAIECHO_BACKEND_UNAVAILABLE", 4502)
    assert not await rows(LiveSession.objects.exists)


async def test_there_is_an_end_to_how_many_sessions_there_are(house: Live, dora: User, settings: Any) -> None:
    house.sessions._tools = replace(settings.TOOLS, live_sessions=1)
    async with streaming(dora), calling(dora) as second:
        assert await refused(second, OPEN) == ("SCAIECHO_BACKEND_UNAVAILABLE", 4502)


async def test_nobody_takes_all_places(house: Live, dora: User, admin: User, settings: Any) -> None:
    house.sessions._tools = replace(settings.TOOLS, live_sessions=5)
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(calling(dora)) for _number in range(5)]
        for client in clients:
            await client.send(OPEN)
        told = [(await client.until("ready", "error"))["type"] for client in clients]
        assert (told.count("ready"), told.count("error")) == (4, 1)
        async with streaming(admin):
            assert len(house.sessions.held) == 5


async def test_a_model_that_is_not_here_is_told_before_anything_is_heard(
    house: Live, dora: User, settings: Any
) -> None:
    settings.TOOLS = replace(settings.TOOLS, default_model="large-v3")
    async with calling(dora) as client:
        assert await refused(client, OPEN) == ("SCAIECHO_BACKEND_UNAVAILABLE", 4502)
    row = await rows(LiveSession.objects.get)
    assert row.state == SessionState.CLOSED
    assert row.reason


# --- connections that are lost --------------------------------------------------------------------


async def test_a_client_that_comes_back_goes_on_with_nothing_lost_or_doubled(
    house: Live, dora: User, settings: Any
) -> None:
    settings.TOOLS = replace(settings.TOOLS, live_resume_seconds=20.0)
    whole = speech()
    half = len(whole) // 2
    async with streaming(dora) as first:
        await first.speak(whole[:half])
        await first.until("delta")
        while not first.finals:
            await first.until("delta")
    after = first.finals[-1]["end"]
    session_id = first.told[0]["session_id"]
    await settled(lambda: LiveSession.objects.filter(state=SessionState.DROPPED).exists())
    async with calling(dora) as second:
        await second.send({"type": "open", "resume": session_id, "after": after})
        ready = await second.until("ready")
        assert ready["session_id"] == session_id
        assert ready["audio_bytes"] == whole[:half].nbytes
        await second.speak(whole[half:])
        await second.send({"type": "close"})
        closed = await second.until("closed")
    assert closed["audio_bytes"] == whole.nbytes
    assert f"{first.text} {second.text}" == await rows(lambda: words_of(closed["job_id"]))


async def test_nobody_else_takes_a_session_up(house: Live, dora: User, admin: User) -> None:
    async with streaming(dora) as first, calling(admin) as thief:
        told = await refused(thief, {"type": "open", "resume": first.told[0]["session_id"]})
    assert told == ("SCAIECHO_NOT_FOUND", 4400)


async def test_who_takes_up_a_session_that_is_still_connected_has_it(house: Live, dora: User) -> None:
    async with streaming(dora) as first, calling(dora) as second:
        await second.send({"type": "open", "resume": first.told[0]["session_id"]})
        await second.until("ready")
        await first.until("error")
        await first.until("end")
        await second.speak(speech()[: 3 * SECOND])
        await second.send({"type": "close"})
        assert (await second.until("closed"))["audio_bytes"] == 3 * SECOND * 2


async def test_one_that_does_not_come_back_has_a_recording_and_is_told_so(house: Live, dora: User) -> None:
    async with streaming(dora) as client:
        await client.speak(speech()[: 5 * SECOND])
    row = await settled(lambda: LiveSession.objects.filter(job__isnull=False).first())
    assert (row.state, row.reason) == (SessionState.CLOSED, tending.DROPPED)
    async with calling(dora) as late:
        await late.send({"type": "open", "resume": str(row.pk)})
        error = await late.until("error")
    assert (error["code"], error["job_id"]) == ("SCAIECHO_NOT_FOUND", str(row.job_id))


async def test_an_ear_that_dies_loses_no_word(tmp_path: Path, dora: User) -> None:
    async with live(tmp_path / "live") as here:
        dying = await with_ear()
        async with streaming(dora) as client:
            await client.speak(speech()[: 8 * SECOND])
            await client.until("delta")
            await asyncio.to_thread(dying.__exit__, None, None, None)
            await client.speak(speech()[8 * SECOND :])
            async with asyncio.timeout(10):
                while here.sessions.ears.count:
                    await asyncio.sleep(0.05)
            another = await with_ear()
            await client.send({"type": "close"})
            closed = await client.until("closed")
            assert client.text == await rows(lambda: words_of(closed["job_id"]))
        await asyncio.to_thread(another.__exit__, None, None, None)


# --- what a client may do no more -----------------------------------------------------------------


async def test_minutes_that_run_out_end_it_with_what_was_heard(
    house: Live, dora: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    dora.monthly_minutes = 1
    await rows(dora.save)
    async with streaming(dora) as client:
        await client.speak(speech())
        await client.until("delta")
        while not client.finals:
            await client.until("delta")
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
    monkeypatch.setattr(sockets, "LOOK_SECONDS", 0.2)
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
