"""A call waits for its job without holding anything; its answer is the transcript, or OpenAI's error for why there is none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.test import AsyncClient

from accounts import tokens
from accounts.models import User
from tests.broker import running_broker
from tests.core.play import Stage
from tests.openai.conftest import TRANSCRIPTIONS, form, key_of, refusal
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


async def handed_in(user: User, **fields: Any) -> asyncio.Task[Any]:
    """The request, under way, once its job is there."""
    key = await acting(key_of, user)
    headers = {"Authorization": f"Bearer {key}"}
    request = asyncio.ensure_future(AsyncClient().post(TRANSCRIPTIONS, form(**fields), headers=headers))
    while not await acting(Job.objects.exists):
        assert not request.done(), request.result().content
        await asyncio.sleep(0.02)
    return request


def completes(stage: Stage) -> None:
    stage.prepare(stage.run("speech"))
    stage.decode(stage.run("fetch"), 2)
    stage.hear(stage.run("speech"))
    stage.hear(stage.run("speech"))
    stage.assemble(stage.run("deliver"))


async def test_the_transcript_is_the_answer(stage: Stage, gina: User) -> None:
    request = await handed_in(gina)
    await acting(completes, stage)
    answer = await request
    assert answer.status_code == 200
    assert answer.json() == {"text": "window0 window1", "usage": {"type": "duration", "seconds": 20}}
    assert answer["x-request-id"]
    assert "x-should-retry" not in answer


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        ("media_corrupt", (400, "media_corrupt", "file")),
        ("source_too_long", (413, "source_too_long", "file")),
        ("model_unavailable", (404, "model_not_found", "model")),
        ("language_unsupported", (400, "language_unsupported", "language")),
        ("quota_exceeded", (429, "insufficient_quota", None)),
        ("cancelled", (409, "cancelled", None)),
        ("worker_lost", (500, "worker_lost", None)),
    ],
)
async def test_a_recording_that_fails_is_told_why_and_not_sent_again(
    stage: Stage, gina: User, failure: str, expected: tuple[int, str, str | None]
) -> None:
    request = await handed_in(gina)
    await acting(lambda: lifecycle.fail(stage.run("speech"), JobError(failure)))
    answer = await request
    assert refusal(answer) == expected
    assert answer["x-should-retry"] == "false"


async def test_a_file_that_is_not_stored_is_not_kept_while_somebody_waits(
    gina: User, settings: Any, tmp_path: Path
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR, settings.FILE_UPLOAD_MAX_MEMORY_SIZE = str(tmp_path), 0
    key = await acting(partial(key_of, gina, is_sandbox=True))
    headers = {"Authorization": f"Bearer {key}", "X-Sandbox": "finish_in=never"}
    request = asyncio.ensure_future(AsyncClient().post(TRANSCRIPTIONS, form(), headers=headers))
    for _look in range(500):
        await asyncio.sleep(0.02)
        if is_let_go := await acting(lambda: Job.objects.exists() and not any(tmp_path.iterdir())):
            break
    assert is_let_go
    assert not request.done()
    request.cancel()


async def test_who_waits_too_long_is_told_that_it_goes_on(gina: User, tools: Any) -> None:
    tools(call_wait_minutes=0.2 / 60)
    answer = await (await handed_in(gina))
    assert refusal(answer) == (504, "still_working", None)
    assert answer["x-should-retry"] == "false"
    assert not (await acting(Job.objects.get)).is_terminal


async def test_a_token_that_is_revoked_meanwhile_gets_no_words(stage: Stage, gina: User) -> None:
    request = await handed_in(gina)
    await acting(lambda: tokens.revoke(gina.personal_tokens.get()))
    await acting(completes, stage)
    answer = await request
    assert refusal(answer) == (401, "invalid_api_key", None)
    assert "window" not in answer.content.decode()


async def test_a_token_that_is_revoked_meanwhile_ends_its_stream(stage: Stage, gina: User) -> None:
    answer = await (await handed_in(gina, stream="true"))
    reading = asyncio.ensure_future(said(answer))
    await acting(lambda: tokens.revoke(gina.personal_tokens.get()))
    await acting(completes, stage)
    told = await reading
    assert "invalid_api_key" in told
    assert "window" not in told


async def said(answer: Any) -> str:
    return "".join([piece.decode() async for piece in answer])


async def test_a_stream_ends_with_its_job(stage: Stage, gina: User) -> None:
    answer = await (await handed_in(gina, stream="true"))
    reading = asyncio.ensure_future(said(answer))
    await acting(completes, stage)
    lines = (await reading).split("\n\n")
    assert lines.pop() == ""
    told = [json.loads(line.removeprefix("data: ")) for line in lines if not line.startswith(":")]
    assert lines[0].startswith(":")
    assert [one["type"].rpartition(".")[2] for one in told] == ["delta", "delta", "done"]
    assert told[-1]["text"] == "window0 window1"


async def test_pushes_are_enough_for_a_stream(stage: Stage, gina: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awaiting, "LOOK_SECONDS", 3600.0)
    with running_broker():
        reading = asyncio.ensure_future(said(await (await handed_in(gina, stream="true"))))
        # Not before it listens: what is tested is the push.
        await asyncio.sleep(0.5)
        await acting(completes, stage)
        assert "transcript.text.done" in await reading


async def test_a_stream_that_takes_too_long_says_that_the_job_goes_on(gina: User, tools: Any) -> None:
    tools(call_wait_minutes=0.2 / 60)
    told = await said(await (await handed_in(gina, stream="true")))
    assert json.loads(told.split("data: ")[1])["error"]["code"] == "still_working"


async def test_a_client_that_leaves_does_not_end_the_job(stage: Stage, gina: User) -> None:
    request = await handed_in(gina)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    await acting(completes, stage)
    assert (await acting(Job.objects.get)).stage == "completed"
