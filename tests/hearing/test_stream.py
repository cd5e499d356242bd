"""The WebSocket with a live process and an ear behind it: what clients do, and what they are told."""

from __future__ import annotations

import asyncio
import io
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from accounts.models import User
from tests.clockwork import heard
from tests.hearing.talking import (
    OPEN,
    SECOND,
    calling,
    live,
    refused,
    rows,
    settled,
    silence,
    speech,
    streaming,
    with_ear,
    words_of,
)
from whisper_jobs.hearing import tending
from whisper_jobs.hearing.server import Live
from whisper_jobs.models import Job, LiveSession
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
