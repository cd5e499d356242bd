"""The tools, called by the official client: what they answer, to whom, and what they refuse in words."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest
from django.core.files.storage import default_storage

from accounts.models import User
from accounts.permissions import grant
from tests.conftest import person
from tests.core.play import Stage, fresh
from tests.mcp.conftest import Assistant, acting, call, jwt_of, refusal
from whisper_jobs import awaiting, lifecycle, policy
from whisper_jobs.dialects.mcp import answers
from whisper_jobs.dialects.mcp import tools as published
from whisper_jobs.errors import JobError
from whisper_jobs.models import Job, Segment

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]
NAMES = ["transcribe", "search", "get", "quote", "status", "cancel"]
SOUND = b"RIFF" + b"x" * 100
AUDIO = base64.b64encode(SOUND).decode()
UNKNOWN = "There is no such recording among those that you may see."


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awaiting, "LOOK_SECONDS", 0.05)


def completes(stage: Stage) -> Job:
    stage.prepare(stage.run("speech"))
    stage.decode(stage.run("fetch"), 2)
    for _ in range(2):
        stage.hear(stage.run("speech"))
    stage.assemble(stage.run("deliver"), text="window0 window1")
    return Job.objects.latest("pk")


async def completed(stage: Stage, user: User, **fields: Any) -> Job:
    job: Job = await acting(stage.completed, user, **{"channel": "api", **fields})
    return job


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_tools_are_published_with_their_arguments(assistant: Assistant, frank: User, mode: str) -> None:
    async with assistant(frank, mode=mode) as client:
        listed = (await client.list_tools()).tools
    assert [one.name for one in listed] == [f"scaiecho.{name}" for name in NAMES]
    assert all(one.description and one.output_schema for one in listed)
    assert "audio_base64" in listed[0].input_schema["properties"]
    assert "context" not in listed[0].input_schema["properties"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_recording_is_transcribed(assistant: Assistant, stage: Stage, erin: User, mode: str) -> None:
    async with assistant(erin, mode=mode) as client:
        told = {"audio_base64": AUDIO, "filename": "talk.wav", "language_hint": "en"}
        request = asyncio.ensure_future(call(client, "transcribe", **told))
        while not await acting(Job.objects.exists):
            await asyncio.sleep(0.02)
        await acting(completes, stage)
        answer = await request
    job = await acting(Job.objects.get)
    assert (answer["job_id"], answer["status"], answer["transcript"]) == (job.pk, "completed", "window0 window1")
    assert (answer["audio_duration_ms"], answer["audio_bytes"], answer["is_cut"]) == (20_000, len(SOUND), False)
    assert (job.channel, job.language, job.source_filename, job.disable_diarization) == ("api", "en", "talk.wav", True)
    with default_storage.open(job.media) as kept:
        assert kept.read() == SOUND


async def test_a_recording_that_takes_longer_is_told_by_its_number(
    assistant: Assistant, erin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "WAIT_SECONDS", 0.1)
    async with assistant(erin) as client:
        answer = await call(client, "transcribe", audio_base64=f"data:audio/wav;base64,{AUDIO[:20]}\n{AUDIO[20:]}")
        assert (answer["status"], answer["transcript"]) == ("queued", None)
        assert (await call(client, "status", job_id=answer["job_id"]))["recording"]["status"] == "queued"


async def test_a_long_transcript_is_cut_and_read_on_by_pages(
    assistant: Assistant, stage: Stage, erin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "LONGEST_TEXT", 7)
    job = await completed(stage, erin)
    told = await acting(answers.transcribed, job)
    assert (told["transcript"], told["is_cut"]) == ("done", False)
    monkeypatch.setattr(answers, "LONGEST_TEXT", 3)
    told = await acting(answers.transcribed, job)
    assert (told["transcript"], told["is_cut"]) == ("don", True)


async def test_a_recording_that_fails_says_why(assistant: Assistant, stage: Stage, erin: User) -> None:
    async with assistant(erin) as client:
        request = asyncio.ensure_future(refusal(client, "transcribe", audio_base64=AUDIO))
        while not await acting(Job.objects.exists):
            await asyncio.sleep(0.02)
        await acting(lambda: lifecycle.fail(stage.run("speech"), JobError("media_corrupt")))
        assert (await request).startswith("The file is damaged or incomplete.")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"audio_base64": "not base64!"}, "audio_base64 is not base64."),
        ({"audio_base64": "é"}, "audio_base64 is not base64."),
        ({"audio_base64": ""}, "The file is empty. Choose one that has sound in it."),
        ({"audio_base64": AUDIO, "language_hint": "qq"}, "The language “qq” is not known."),
    ],
)
async def test_what_is_no_recording_is_refused_in_words(
    assistant: Assistant, erin: User, arguments: dict[str, str], told: str
) -> None:
    async with assistant(erin) as client:
        assert (await refusal(client, "transcribe", **arguments)).startswith(told)
    assert not await acting(Job.objects.exists)


@pytest.mark.parametrize(
    ("named", "kept"), [("..", "recording"), ("/", "recording"), ("../a\0/talk.wav", "talk.wav"), ("", "recording")]
)
async def test_a_recording_may_be_called_anything(
    assistant: Assistant, erin: User, monkeypatch: pytest.MonkeyPatch, named: str, kept: str
) -> None:
    monkeypatch.setattr(published, "WAIT_SECONDS", 0.1)
    async with assistant(erin) as client:
        await call(client, "transcribe", audio_base64=AUDIO, filename=named)
    assert (await acting(Job.objects.get)).source_filename == kept


async def test_the_tenants_policy_decides(assistant: Assistant, erin: User) -> None:
    told = {"allowed_backends": "B", "default_backend": "B"}
    await acting(policy.change, erin.tenant_id, told, actor=erin)
    async with assistant(erin) as client:
        assert "Your organisation allows no" in await refusal(client, "transcribe", audio_base64=AUDIO)


async def test_each_tool_needs_its_permission(assistant: Assistant, frank: User) -> None:
    nobody = await acting(person, "nobody", "whisper.api")
    async with assistant(frank) as client:
        assert "scaiecho:transcribe" in await refusal(client, "transcribe", audio_base64=AUDIO)
    await acting(grant, frank, "scaiecho:transcribe")
    async with assistant(frank) as client:
        assert "scaiecho:diarize" in await refusal(client, "transcribe", audio_base64=AUDIO, diarize=True)
    async with assistant(nobody) as client:
        for tool in ("get", "status", "cancel"):
            assert "whisper.use" in await refusal(client, tool, job_id=1)
        assert "whisper.use" in await refusal(client, "search", query="x")
        assert "whisper.use" in await refusal(client, "quote", job_id=1, start=0)


async def test_words_are_searched_for(assistant: Assistant, stage: Stage, erin: User) -> None:
    job = await completed(stage, erin)
    async with assistant(erin) as client:
        answer = await call(client, "search", query="window1")
        assert [one["recording"]["job_id"] for one in answer["results"]] == [job.pk]
        assert answer["results"][0]["places"] == [{"start": 10.0, "text": "window1"}]
        assert answer["next_page"] is None
        assert (await call(client, "search", query="elephants"))["results"] == []


async def test_a_transcript_is_read_by_pages(assistant: Assistant, stage: Stage, erin: User) -> None:
    job = await completed(stage, erin, windows=3)
    async with assistant(erin) as client:
        first = await call(client, "get", job_id=job.pk, limit=2)
        second = await call(client, "get", job_id=job.pk, limit=2, offset=first["next_offset"])
    assert [one["text"] for one in first["segments"]] == ["window0", "window1"]
    assert first["segments"][1] == {"start": 10.0, "end": 11.0, "speaker": None, "text": "window1"}
    assert [one["text"] for one in second["segments"]] == ["window2"]
    assert second["next_offset"] is None


async def test_what_is_said_at_a_time_is_quoted_with_speaker_and_times(
    assistant: Assistant, stage: Stage, erin: User
) -> None:
    job = await completed(stage, erin, windows=3)
    await acting(lambda: Segment.objects.filter(job=job).update(speaker="SPEAKER_01"))
    async with assistant(erin) as client:
        (one,) = (await call(client, "quote", job_id=job.pk, start=10.5))["quotes"]
        assert (one["text"], one["speaker"], one["start"], one["end"]) == ("window1", "SPEAKER_01", 10.0, 11.0)
        assert (one["at"], one["url"].endswith(f"/{job.pk}#t=10")) == ("0:00:10", True)
        assert one["words"] == [{"start": 10.0, "end": 11.0, "word": "window1"}]
        several = (await call(client, "quote", job_id=job.pk, start=0, end=20.0))["quotes"]
        assert [quote["text"] for quote in several] == ["window0", "window1", "window2"]
        assert (await call(client, "quote", job_id=job.pk, start=5.0))["quotes"] == []
        assert await refusal(client, "quote", job_id=job.pk, start=5.0, end=1.0) == "The end comes before the start."


async def test_a_job_is_followed_and_cancelled(assistant: Assistant, stage: Stage, erin: User) -> None:
    job = await acting(stage.submit, erin, channel="api")
    async with assistant(erin) as client:
        told = await call(client, "status", job_id=job.pk)
        assert (told["recording"]["status"], told["queue_position"], told["failure"]) == ("queued", 1, None)
        told = await call(client, "cancel", job_id=job.pk)
        assert (told["recording"]["status"], told["failure_code"]) == ("failed", "cancelled")
        assert "nothing to cancel" in await refusal(client, "cancel", job_id=job.pk)
    assert (await acting(fresh, job)).failure_code == "cancelled"


@pytest.mark.parametrize("tool", ["get", "status", "cancel"])
async def test_anothers_recording_is_not_there(
    assistant: Assistant, stage: Stage, erin: User, frank: User, tool: str
) -> None:
    job = await acting(stage.submit, erin, channel="api")
    async with assistant(frank) as client:
        assert await refusal(client, tool, job_id=job.pk) == UNKNOWN
        assert await refusal(client, tool, job_id=job.pk + 1) == UNKNOWN
    assert not (await acting(fresh, job)).is_terminal


async def test_a_token_sees_the_api_queue_and_a_jwt_sees_all(assistant: Assistant, stage: Stage, erin: User) -> None:
    job = await completed(stage, erin, channel="web")
    async with assistant(erin) as client:
        assert await refusal(client, "get", job_id=job.pk) == UNKNOWN
        assert (await call(client, "search", query="window0"))["results"] == []
    async with assistant(erin, jwt_of) as client:
        assert (await call(client, "get", job_id=job.pk))["recording"]["job_id"] == job.pk
        assert len((await call(client, "search", query="window0"))["results"]) == 1


@pytest.mark.parametrize(
    "arguments",
    [{"job_id": 0}, {"job_id": 2**63}, {"job_id": "x"}, {}, {"job_id": 1, "limit": 0}, {"job_id": 1, "offset": -1}],
)
async def test_arguments_that_cannot_be_are_refused(
    assistant: Assistant, erin: User, arguments: dict[str, Any]
) -> None:
    async with assistant(erin) as client:
        assert "validation error" in await refusal(client, "get", **arguments)


async def test_sentences_are_in_the_callers_language(assistant: Assistant, erin: User) -> None:
    erin.language = "sv"
    await acting(erin.save)
    async with assistant(erin) as client:
        assert (
            await refusal(client, "transcribe", audio_base64="")
            != "The file is empty. Choose one that has sound in it."
        )
