"""The transcript and the language are the answer to the request that brings the recording."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.test import AsyncClient

from accounts.models import User
from tests.asr.conftest import ASR, DETECT, form, key_of, refusal
from tests.core.play import Stage
from whisper_jobs import awaiting, lifecycle
from whisper_jobs.errors import JobError
from whisper_jobs.models import Job
from whisper_jobs.pooled import pooled

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awaiting, "LOOK_SECONDS", 0.05)


async def acting(verb: Callable[..., Any], *args: Any) -> Any:
    """In another thread, as another process would."""
    return await pooled(partial(verb, *args))


async def handed_in(user: User, path: str) -> asyncio.Task[Any]:
    """The request, under way, once its job is there."""
    headers = {"Authorization": f"Bearer {await acting(key_of, user)}"}
    request = asyncio.ensure_future(AsyncClient().post(path, form(), headers=headers))
    while not await acting(Job.objects.exists):
        assert not request.done(), request.result().content
        await asyncio.sleep(0.02)
    return request


def completes(stage: Stage) -> None:
    stage.prepare(stage.run("speech"))
    stage.decode(stage.run("fetch"), 1)
    stage.hear(stage.run("speech"))
    stage.assemble(stage.run("deliver"))


async def test_the_transcript_is_the_answer(stage: Stage, robin: User) -> None:
    request = await handed_in(robin, f"{ASR}?output=srt")
    await acting(completes, stage)
    answer = await request
    assert (answer.status_code, answer["Asr-Engine"]) == (200, "fake")
    assert answer.content.decode() == "1\n00:00:00,000 --> 00:00:01,000\nwindow0\n\n"


async def test_a_recording_that_fails_is_told_why(stage: Stage, robin: User) -> None:
    request = await handed_in(robin, ASR)
    await acting(lambda: lifecycle.fail(stage.run("speech"), JobError("media_corrupt")))
    assert refusal(await request) == (422, JobError("media_corrupt").message)


async def test_silence_has_an_empty_transcript(stage: Stage, robin: User) -> None:
    request = await handed_in(robin, f"{ASR}?output=vtt")
    await acting(lambda: lifecycle.fail(stage.run("speech"), JobError("no_speech")))
    answer = await request
    assert (answer.status_code, answer.content.strip()) == (200, b"WEBVTT")


async def test_the_language_is_the_answer_and_no_job_is_left(stage: Stage, robin: User) -> None:
    request = await handed_in(robin, DETECT)
    await acting(completes, stage)
    answer = await request
    assert answer.json() == {"detected_language": "english", "language_code": "en", "confidence": 0.0}
    assert not await acting(Job.objects.exists)


async def test_no_job_is_left_of_a_language_that_was_not_found(stage: Stage, robin: User) -> None:
    request = await handed_in(robin, DETECT)
    await acting(lambda: lifecycle.fail(stage.run("speech"), JobError("no_speech")))
    assert refusal(await request)[0] == 422
    assert not await acting(Job.objects.exists)


async def test_who_waits_too_long_is_told_that_the_work_goes_on(stage: Stage, robin: User, tools: Any) -> None:
    tools(call_wait_minutes=0.002)
    answer = await (await handed_in(robin, ASR))
    job = await acting(Job.objects.get)
    assert answer.status_code == 504
    assert answer.json()["detail"].startswith(f"Job {job.pk} is still being transcribed")
    assert not job.is_terminal


async def test_a_language_that_takes_too_long_is_given_up(stage: Stage, robin: User, tools: Any) -> None:
    tools(call_wait_minutes=0.002)
    assert (await (await handed_in(robin, DETECT))).status_code == 504
    assert not await acting(Job.objects.exists)
