"""Who is read next, what happens to work that an ear can't do, and what is made of the voices that it hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accounts.models import User
from accounts.permissions import grant
from tests.clockwork import heard
from tests.hearing.talking import SECOND, Json, live, rows, settled, speech, streaming
from whisper_jobs.hearing import client, ears, packed, session, wire
from whisper_jobs.models import Job, Step
from whisper_jobs.speech.engines.base import Result
from whisper_jobs.states import Kind, StepState

pytestmark = [
    pytest.mark.engine,
    pytest.mark.asyncio,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_connection_left"),
]


class HandEar:
    """An ear that does what the test says."""

    def __init__(self, line: client.Line) -> None:
        self._line = line

    async def asked(self) -> tuple[Json, bytes]:
        async with asyncio.timeout(20):
            question = await wire.receive(self._line._reader)
            sound = await wire.receive(self._line._reader)
        assert isinstance(question, dict) and isinstance(sound, bytes)
        return question, sound

    async def answer(self, sound: bytes, **more: Any) -> None:
        result = packed.result(Result((heard(packed.sound_of(sound)),), "en"))
        await self._line.send({"type": "result", "result": result, **more})

    async def fail(self, code: str) -> None:
        await self._line.send({"type": "failure", "code": code, "message": f"It is {code}."})


@asynccontextmanager
async def an_ear_by_hand() -> AsyncIterator[HandEar]:
    async with client.line() as line:
        await line.send({"op": "ear"})
        yield HandEar(line)


async def test_sessions_take_turns_however_much_each_of_them_sends(tmp_path: Path, dora: User) -> None:
    async with (
        live(tmp_path / "live") as here,
        streaming(dora, language_hint="en") as much,
        streaming(dora, language_hint="sv") as little,
    ):
        await much.speak(speech())
        await little.speak(speech()[: 20 * SECOND])
        both = {one.language: one for one in here.sessions.held}
        await settled(lambda: both["sv"].seconds == 20.0 and both["en"].seconds > 40.0)
        async with an_ear_by_hand() as ear:
            turns = []
            for _ in range(4):
                question, sound = await ear.asked()
                turns.append(question["language"])
                await ear.answer(sound)
        assert turns in (["en", "sv"] * 2, ["sv", "en"] * 2)


async def test_one_that_is_far_behind_is_read_by_whole_utterances(tmp_path: Path, dora: User) -> None:
    async with live(tmp_path / "live") as here, streaming(dora) as client_:
        await client_.speak(speech())
        (held,) = here.sessions.held
        await settled(lambda: held.audio_bytes == speech().nbytes)
        async with an_ear_by_hand() as ear:
            question, sound = await ear.asked()
            assert question["is_final"]
            assert question["speech"]
            await ear.answer(sound)
            assert (await client_.until("delta"))["lag_seconds"] > session.HURRIED_SECONDS


async def test_who_sends_faster_than_time_passes_waits_for_the_words(
    tmp_path: Path, dora: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "MOST_AHEAD_SECONDS", 5.0)
    async with live(tmp_path / "live") as here, streaming(dora) as client_:
        await client_.speak(speech())
        await client_.send({"type": "close"})
        (held,) = here.sessions.held
        await settled(lambda: held.lag > 5.0)
        await asyncio.sleep(1.0)
        assert held.seconds < 20.0
        async with an_ear_by_hand() as ear:
            reading = asyncio.create_task(_read_on(ear))
            closed = await client_.until("closed", seconds=60)
            reading.cancel()
    assert closed["audio_bytes"] == speech().nbytes


async def _read_on(ear: HandEar) -> None:
    while True:
        _question, sound = await ear.asked()
        await ear.answer(sound)


async def test_an_ear_that_takes_too_long_loses_its_work_to_another(
    tmp_path: Path, dora: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ears, "READING_SECONDS", 0.3)
    async with live(tmp_path / "live"), streaming(dora) as speaker, an_ear_by_hand() as slow:
        await speaker.speak(speech()[: 5 * SECOND])
        first, sound = await slow.asked()
        async with an_ear_by_hand() as other:
            again, same = await other.asked()
            assert (again["start"], same[:1000]) == (first["start"], sound[:1000])


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        ("out_of_memory", ("SCAIECHO_STREAM_FAILED", 4500)),
        ("no such code", ("SCAIECHO_STREAM_FAILED", 4500)),
        ("backend_unavailable", ("SCAIECHO_BACKEND_UNAVAILABLE", 4502)),
    ],
)
async def test_an_engine_that_fails_again_and_again_ends_the_session_and_workers_hear_it(
    tmp_path: Path, dora: User, monkeypatch: pytest.MonkeyPatch, failure: str, told: tuple[str, int]
) -> None:
    monkeypatch.setattr(session, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(session, "LAST_WORDS_SECONDS", 0.5)
    async with live(tmp_path / "live"), streaming(dora) as speaker, an_ear_by_hand() as ear:
        await speaker.speak(speech()[: 5 * SECOND])
        for _ in range(2):
            await ear.asked()
            await ear.fail(failure)
        error = await speaker.until("error")
        await speaker.until("closed")
        await speaker.until("end")
    assert (error["code"], speaker.code) == told
    job = await rows(Job.objects.get)
    windows = await rows(lambda: list(Step.objects.filter(job=job, kind=Kind.WINDOW).values_list("state", flat=True)))
    assert windows
    assert StepState.DONE not in windows


async def test_a_failure_that_passes_costs_nothing(tmp_path: Path, dora: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "PAUSES", (0.0, 0.0))
    async with live(tmp_path / "live"), streaming(dora) as speaker, an_ear_by_hand() as ear:
        await speaker.speak(speech()[: 5 * SECOND])
        first, _sound = await ear.asked()
        await ear.fail("internal_error")
        again, sound = await ear.asked()
        assert again["start"] == first["start"]
        await ear.answer(sound)
        assert (await speaker.until("delta"))["text"]


async def test_voices_are_told_apart_in_final_words(tmp_path: Path, dora: User) -> None:
    await rows(lambda: grant(dora, "scaiecho:diarize"))
    dora = await rows(lambda: User.objects.get(pk=dora.pk))
    voices = [np.eye(192)[place].tolist() for place in (0, 1, 0)]
    async with live(tmp_path / "live"), streaming(dora, diarize=True) as speaker, an_ear_by_hand() as ear:
        await speaker.speak(speech())
        labels: list[str] = []
        for voice in voices:
            while True:
                question, sound = await ear.asked()
                assert question["diarize"]
                await ear.answer(sound, voice=voice if question["is_final"] else None)
                if question["is_final"]:
                    break
        while len(set(labels)) < 2 or labels[-1] == labels[-2]:
            delta = await speaker.until("delta")
            labels += [delta["speaker_label"]] if "speaker_label" in delta else []
    assert labels[0] == "Speaker 1"
    assert "Speaker 2" in labels
