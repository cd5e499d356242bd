"""The Python client against a whole server: what it hands in, waits for and reads; what it tells when it is refused."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

import pytest
from tools_whisper import (
    AsyncClient,
    Change,
    Client,
    Heard,
    Job,
    JobFailed,
    NotFound,
    Unauthorized,
    Unprocessable,
    Unreachable,
)

from tests.clients.conftest import QUICK, SAMPLE, Hook
from tests.serve.ports import free_port

pytestmark = pytest.mark.serve
SOURCE = "https://example.com/talk.mp3"


def test_a_file_becomes_a_transcript(client: Client, hook: Hook, tmp_path: Path) -> None:
    sent: list[tuple[int, int]] = []
    job = client.submit(
        SAMPLE, callback_url=hook.url, source_label="Räksmörgås", on_sent=lambda *told: sent.append(told)
    )
    assert (job.title, sent[-1]) == ("Räksmörgås", (SAMPLE.stat().st_size, SAMPLE.stat().st_size))
    told: list[Job] = []
    done = client.wait(job.id, on_progress=told.append)
    assert done.is_completed and done.text and told[-1] == done
    assert [one.revision for one in told] == sorted({one.revision for one in told})
    segments = client.segments(job.id)
    assert " ".join(one.text for one in segments).split() == done.text.split()
    assert segments[0].words and segments[0].end > segments[0].start
    target = tmp_path / "talk.srt"
    client.export(job.id, "srt", target)
    assert "-->" in target.read_text() and list(tmp_path.iterdir()) == [target]
    whole = io.BytesIO()
    client.export(job.id, "json", whole)
    assert len(json.loads(whole.getvalue())["segments"]) == len(segments)
    assert client.share(job.id, expires_in_days=3).url.startswith("http")
    client.unshare(job.id)
    assert client.job(job.id).share is None
    client.delete(job.id)
    with pytest.raises(NotFound):
        client.job(job.id)


def test_the_same_key_makes_one_job(client: Client, hook: Hook) -> None:
    jobs = [client.submit(SOURCE, callback_url=hook.url, idempotency_key="talk-17") for _ in range(2)]
    assert jobs[0].id == jobs[1].id
    with pytest.raises(Unprocessable) as refused:
        client.submit(SOURCE + "?2", callback_url=hook.url, idempotency_key="talk-17")
    assert refused.value.code == "idempotency_key_reused"


def test_a_job_that_fails_says_why(client: Client, hook: Hook) -> None:
    job = client.submit(SOURCE, callback_url=hook.url, sandbox="error=no_speech")
    with pytest.raises(JobFailed) as failed:
        client.wait(job.id)
    assert failed.value.code == "no_speech" and str(failed.value)
    assert client.restart(job.id).failure_code is None


def test_a_job_can_be_cancelled_and_found_in_the_list(client: Client, hook: Hook) -> None:
    job = client.submit(SOURCE, callback_url=hook.url, sandbox="finish_in=900", source_label="Never")
    with pytest.raises(TimeoutError):
        client.wait(job.id, timeout=0)
    assert client.cancel(job.id).failure_code == "cancelled"
    assert client.jobs(q="Never").jobs[0].id == job.id
    first = client.jobs(limit=1)
    assert first.next is not None
    assert client.jobs(limit=1, cursor=first.next).jobs[0].id < first.jobs[0].id


def test_a_job_is_watched_to_its_end(client: Client, hook: Hook) -> None:
    job = client.submit(SOURCE, callback_url=hook.url, sandbox="finish_in=1; segments=450")
    events = list(client.watch(job.id))
    heard = [segment.id for one in events if isinstance(one, Heard) for segment in one.segments]
    assert len(heard) == len(set(heard)) == 450
    changes = [one.job for one in events if isinstance(one, Change)]
    assert len(changes) > 1 and changes[-1].is_completed and changes[-1].text


def test_what_the_server_refuses_is_told_by_field(client: Client, url: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        client.submit(SOURCE, callback_url="http://10.0.0.1/hook", language="Klingonese")
    assert {"callback_url", "language"} <= refused.value.fields.keys()
    with Client(url, "tw_wrong") as stranger, pytest.raises(Unauthorized):
        stranger.status()


def test_a_server_that_is_not_there_is_told_as_such(token: str) -> None:
    with Client(f"http://127.0.0.1:{free_port()}", token, retries=QUICK) as client, pytest.raises(Unreachable):
        client.status()


def test_the_client_for_asyncio_does_the_same(url: str, token: str, hook: Hook, tmp_path: Path) -> None:
    async def act() -> None:
        async with AsyncClient(url, token, retries=QUICK) as client:
            jobs = await asyncio.gather(*(client.submit(SAMPLE, callback_url=hook.url) for _ in range(2)))
            done = await asyncio.gather(*(client.wait(job.id) for job in jobs))
            assert {one.id for one in done} == {one.id for one in jobs} and done[0].text
            await client.export(done[0].id, "vtt", tmp_path / "talk.vtt")
            assert (tmp_path / "talk.vtt").read_text().startswith("WEBVTT")
            with pytest.raises(Unprocessable):
                await client.cancel(done[0].id)

    asyncio.run(act())
