"""A short recording is answered in the same request: with its transcript, with why there is none, or with where to poll."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import AsyncClient
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import User
from tests.broker import running_broker
from tests.core.play import Stage
from tests.scaiecho.conftest import TRANSCRIBE, a_file, refusal
from whisper_jobs import awaiting, lifecycle, trash
from whisper_jobs.errors import JobError
from whisper_jobs.models import Job
from whisper_jobs.pooled import pooled

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]
KEYS = {
    *("job_id", "transcript", "backend_used", "language_detected", "audio_duration_ms", "audio_bytes", "segments"),
}


@pytest.fixture
def _broker() -> Iterator[None]:
    with running_broker():
        yield


@pytest.fixture(autouse=True)
def _patient(tools: Any) -> None:
    tools(inline_seconds=20.0)


async def acting(verb: Callable[..., Any], *args: Any) -> Any:
    """In another thread, as another process would."""
    return await pooled(partial(verb, *args))


async def handed_in(user: User) -> asyncio.Task[Any]:
    """The request, under way, once its job is there."""
    token = await acting(AccessToken.for_user, user)
    told = {"Authorization": f"Bearer {token}"}
    request = asyncio.ensure_future(AsyncClient().post(TRANSCRIBE, {"file": a_file()}, headers=told))
    while not await acting(Job.objects.exists):
        assert not request.done(), request.result().content
        await asyncio.sleep(0.02)
    return request


def completes(stage: Stage) -> None:
    stage.prepare(stage.run("speech"))
    stage.decode(stage.run("fetch"), 1)
    stage.hear(stage.run("speech"))
    stage.assemble(stage.run("deliver"), text="window0")


@pytest.mark.usefixtures("_broker")
async def test_the_transcript_is_the_answer(stage: Stage, frank: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awaiting, "LOOK_SECONDS", 3600.0)
    request = await handed_in(frank)
    # Not before the request listens: what is tested is the push.
    await asyncio.sleep(0.5)
    await acting(completes, stage)
    answer = await request
    job = await acting(Job.objects.get)
    assert answer.status_code == 200
    data = answer.json()["data"]
    assert set(data) == KEYS
    assert (data["job_id"], data["transcript"], data["backend_used"]) == (str(job.pk), "window0", "A")
    assert (data["language_detected"], data["audio_duration_ms"], data["audio_bytes"]) == ("en", 10_000, 104)
    assert [one["text"] for one in data["segments"]] == ["window0"]


async def test_without_a_broker_the_row_is_looked_at(
    stage: Stage, frank: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awaiting, "LOOK_SECONDS", 0.05)
    request = await handed_in(frank)
    await acting(completes, stage)
    assert (await request).status_code == 200


async def test_a_recording_that_takes_too_long_is_polled_for(frank: User, tools: Any) -> None:
    tools(inline_seconds=0.2)
    answer = await (await handed_in(frank))
    job = await acting(Job.objects.get)
    assert answer.status_code == 202
    assert (answer.json()["data"]["job_id"], answer.json()["data"]["status"]) == (str(job.pk), "queued")
    assert not job.is_terminal


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        ("media_corrupt", 400, "SCAIECHO_DECODE_FAILED"),
        ("backend_unavailable", 502, "SCAIECHO_BACKEND_UNAVAILABLE"),
        ("quota_exceeded", 402, "SCAIECHO_QUOTA_EXCEEDED"),
        ("worker_lost", 500, "SCAIECHO_INTERNAL_ERROR"),
    ],
)
async def test_a_recording_that_fails_is_told_why(
    stage: Stage, frank: User, monkeypatch: pytest.MonkeyPatch, failure: str, status: int, code: str
) -> None:
    monkeypatch.setattr(awaiting, "LOOK_SECONDS", 0.05)
    request = await handed_in(frank)
    await acting(lambda: lifecycle.fail(stage.run("speech"), JobError(failure)))
    answer = await request
    assert refusal(answer) == (status, code)
    job = await acting(Job.objects.get)
    assert (answer.json()["error"]["job_id"], answer.json()["error"]["failure_code"]) == (str(job.pk), failure)


async def test_a_job_that_somebody_cancels_meanwhile_is_told_so(frank: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awaiting, "LOOK_SECONDS", 0.05)
    request = await handed_in(frank)
    await acting(lambda: lifecycle.request_cancel(Job.objects.get().pk))
    assert refusal(await request) == (409, "SCAIECHO_CANCELLED")


async def test_a_job_that_is_started_again_in_that_very_moment_is_polled_for(
    stage: Stage, frank: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = awaiting.ended

    async def ended_and_restarted(job_id: int, seconds: float) -> bool:
        is_over = await ended(job_id, seconds)
        await acting(lifecycle.restart, job_id)
        return is_over

    monkeypatch.setattr(awaiting, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(awaiting, "ended", ended_and_restarted)
    request = await handed_in(frank)
    await acting(lambda: lifecycle.fail(stage.run("speech"), JobError("media_corrupt")))
    answer = await request
    assert (answer.status_code, answer.json()["data"]["status"]) == (202, "queued")


async def test_a_job_that_is_deleted_meanwhile_is_not_found(frank: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awaiting, "LOOK_SECONDS", 0.05)
    request = await handed_in(frank)

    def delete() -> None:
        job = Job.objects.get()
        lifecycle.request_cancel(job.pk)
        trash.discard(job.pk)
        trash.delete(job.pk)

    await acting(delete)
    assert refusal(await request)[0] in (404, 409)


async def test_a_client_that_leaves_does_not_end_the_job(stage: Stage, frank: User) -> None:
    request = await handed_in(frank)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    await acting(completes, stage)
    assert (await acting(Job.objects.get)).stage == "completed"


def open_connections() -> int:
    """Of all threads, to the database."""
    wrappers = [one for one in gc.get_objects() if issubclass(type(one), BaseDatabaseWrapper)]
    return sum(one.connection is not None for one in wrappers)


async def test_who_waits_holds_no_connection_to_the_database(frank: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awaiting, "LOOK_SECONDS", 3600.0)
    before = open_connections()
    request = await handed_in(frank)
    while open_connections() > before:
        assert not request.done()
        await asyncio.sleep(0.02)
    assert not request.done()
    request.cancel()
