"""The official client against a whole server: nothing is changed but its base URL and its key."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import psutil
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.openai.conftest import tone
from tests.serve.ports import wait_until
from tests.serve.servers import ADMIN, ROOT, RunningServer

pytestmark = pytest.mark.serve

SAMPLE = ROOT / "static" / "sample" / "two-voices.mp3"
DELTA, SEGMENT, DONE = (f"transcript.text.{name}" for name in ("delta", "segment", "done"))
WAITING = 40
SILENCE = ("silence.wav", b"RIFF\x24\x7d\x00\x00WAVE" + tone(1.0)[12:44] + bytes(32_000))


@pytest.fixture(scope="module")
def server(renewed_server: RunningServer) -> RunningServer:
    return renewed_server


def setting(server: RunningServer, *options: str) -> dict[str, Any]:
    told = json.loads(server.manage("create_token", ADMIN[0], "--provider", "provider_whisper_api", *options))
    return {"base_url": f"http://127.0.0.1:{server.port}/v1", "api_key": told["token"], "timeout": 120.0}


@pytest.fixture(scope="module")
def client(server: RunningServer) -> Iterator[OpenAI]:
    with OpenAI(**setting(server)) as one:
        yield one


@pytest.fixture(scope="module")
def rehearsing(server: RunningServer) -> dict[str, Any]:
    """How a client of the sandbox is made: its jobs end at once with two made-up segments."""
    return {**setting(server, "--sandbox"), "default_headers": {"X-Sandbox": "segments=2"}}


@pytest.fixture(scope="module")
def sandbox(rehearsing: dict[str, Any]) -> Iterator[OpenAI]:
    with OpenAI(**rehearsing) as one:
        yield one


@pytest.fixture
def sound() -> tuple[str, bytes]:
    return "speech.mp3", SAMPLE.read_bytes()


# --- as the client's own pages have it ------------------------------------------------------------


def test_the_examples_of_the_client_work_as_they_are(sandbox: OpenAI, tmp_path: Path) -> None:
    speech_file_path = tmp_path / "speech.mp3"
    speech_file_path.write_bytes(SAMPLE.read_bytes())
    transcription = sandbox.audio.transcriptions.create(model="whisper-1", file=speech_file_path)
    assert transcription.text
    with pytest.deprecated_call():
        translation = sandbox.audio.translations.create(model="whisper-1", file=speech_file_path)
    assert translation.text
    with speech_file_path.open("rb") as audio_file:
        assert sandbox.audio.transcriptions.create(model="gpt-4o-transcribe", file=audio_file).text


def test_real_speech_is_streamed_as_it_is_heard_with_its_speakers(client: OpenAI, sound: tuple[str, bytes]) -> None:
    with SAMPLE.open("rb") as file:
        stream = client.audio.transcriptions.create(
            model="gpt-4o-transcribe-diarize",
            file=file,
            language="en",
            response_format="diarized_json",
            chunking_strategy={"type": "server_vad", "threshold": 0.5},
            stream=True,
        )
        events: list[Any] = list(stream)
    kinds = [one.type for one in events]
    assert kinds[-1] == DONE and kinds[0] == DELTA and SEGMENT in kinds
    text = events[-1].text
    assert "".join(one.delta for one in events if one.type == DELTA) == text
    assert len(text.split()) > 30
    speakers = [one.speaker for one in events if one.type == SEGMENT]
    assert set(speakers) == {"A", "B"}
    # What the server heard a moment ago, in another shape: the same words.
    verbose = client.audio.transcriptions.create(
        model="whisper-1",
        file=sound,
        language="en",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert verbose.text == text
    assert verbose.language == "english" and verbose.words and verbose.segments
    assert all(one.start <= two.start for one, two in zip(verbose.words, verbose.words[1:], strict=False))
    assert verbose.usage and verbose.usage.seconds >= verbose.duration


# --- every way to call ----------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "text", "srt", "vtt", "verbose_json", "diarized_json"])
def test_every_format_is_what_the_client_takes_it_for(sandbox: OpenAI, sound: tuple[str, bytes], form: Any) -> None:
    said: Any = sandbox.audio.transcriptions.create(model="whisper-1", file=sound, response_format=form)
    assert said if isinstance(said, str) else said.text
    assert isinstance(said, str) == (form in ("text", "srt", "vtt"))
    if form in ("verbose_json", "diarized_json"):
        assert len(said.segments) == 2 and said.duration > 0


def test_a_stream_of_the_sandbox_is_whole(sandbox: OpenAI, sound: tuple[str, bytes]) -> None:
    with sandbox.audio.transcriptions.create(model="gpt-4o-transcribe", file=sound, stream=True) as stream:
        events: list[Any] = list(stream)
    assert [one.type for one in events] == [DELTA, DELTA, DONE]
    assert events[0].delta + events[1].delta == events[2].text


def test_the_answer_can_be_had_raw(sandbox: OpenAI, sound: tuple[str, bytes]) -> None:
    raw = sandbox.audio.transcriptions.with_raw_response.create(model="whisper-1", file=sound)
    assert raw.request_id and raw.request_id.startswith("req_")
    assert int(raw.headers["openai-processing-ms"]) >= 0
    assert raw.parse().text
    assert sandbox.audio.transcriptions.create(model="whisper-1", file=sound)._request_id


def test_the_answer_can_be_read_in_pieces(sandbox: OpenAI, sound: tuple[str, bytes]) -> None:
    transcriptions = sandbox.audio.transcriptions.with_streaming_response
    with transcriptions.create(model="whisper-1", file=sound, response_format="srt") as response:
        assert "-->" in "".join(response.iter_text())


def test_many_call_at_once_and_none_waits_for_another(rehearsing: dict[str, Any], sound: tuple[str, bytes]) -> None:
    async def text(client: AsyncOpenAI) -> str:
        return (await client.audio.transcriptions.create(model="whisper-1", file=sound)).text

    async def go() -> list[str]:
        async with AsyncOpenAI(**rehearsing) as client:
            stream = await client.audio.transcriptions.create(model="whisper-1", file=sound, stream=True)
            kinds = [event.type async for event in stream]
            assert kinds[-1] == DONE
            return await asyncio.gather(*(text(client) for _ in range(12)))

    texts = asyncio.run(go())
    assert len(set(texts)) == 1 and texts[0]


def test_who_waits_holds_no_thread(server: RunningServer, rehearsing: dict[str, Any], sound: tuple[str, bytes]) -> None:
    web, before = psutil.Process(server.pid_of("web")), server.seed(f"{__name__}:_at_work")

    async def go() -> None:
        script = {"X-Sandbox": "finish_in=never"}
        async with AsyncOpenAI(**rehearsing) as client:
            create = client.audio.transcriptions.create
            calls = [
                asyncio.ensure_future(create(model="whisper-1", file=sound, extra_headers=script))
                for _ in range(WAITING)
            ]
            while (await asyncio.to_thread(server.seed, f"{__name__}:_at_work")) < before + WAITING:
                await asyncio.sleep(0.1)
            await asyncio.to_thread(
                wait_until, lambda: web.num_threads() < WAITING / 2, "without the threads of who waits", seconds=20
            )
            assert not any(call.done() for call in calls)
            for call in calls:
                call.cancel()

    asyncio.run(go())


def _at_work() -> int:
    # In the process that seeds, where Django is set up.
    from whisper_jobs.models import Job

    return Job.objects.filter(completed_at=None).count()


def test_models_are_listed_and_described(client: OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert {"whisper-1", "auto", "moonshine-tiny"} <= set(names)
    assert client.models.retrieve("faster-whisper/tiny").object == "model"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-9")


# --- what goes wrong ------------------------------------------------------------------------------


def test_errors_are_the_exceptions_of_the_client(sandbox: OpenAI, sound: tuple[str, bytes]) -> None:
    create = sandbox.audio.transcriptions.create
    with pytest.raises(openai.AuthenticationError) as wrong_key:
        sandbox.with_options(api_key="sk-wrong").audio.transcriptions.create(model="whisper-1", file=sound)
    assert (wrong_key.value.code, wrong_key.value.type) == ("invalid_api_key", "invalid_request_error")
    with pytest.raises(openai.BadRequestError) as wrong_format:
        create(model="whisper-1", file=sound, response_format="nonsense")  # type: ignore[call-overload]
    assert wrong_format.value.param == "response_format"
    with pytest.raises(openai.NotFoundError) as wrong_model:
        create(model="gpt-9", file=sound)
    assert (wrong_model.value.code, wrong_model.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError) as empty:
        create(model="whisper-1", file=("empty.wav", b""))
    assert empty.value.param == "file"
    with pytest.raises(openai.BadRequestError) as unknown:
        create(model="whisper-1", file=sound, extra_body={"vad_filter": True})
    assert unknown.value.code == "unknown_parameter"
    with pytest.raises(openai.APIStatusError) as large:
        create(model="whisper-1", file=("large.wav", bytes(10 << 20)))
    assert (large.value.status_code, large.value.code) == (413, "request_too_large")


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        ("media_corrupt", openai.BadRequestError),
        ("quota_exceeded", openai.RateLimitError),
        ("internal_error", openai.InternalServerError),
    ],
)
def test_a_failed_job_is_told_once_and_not_handed_in_again(
    sandbox: OpenAI, sound: tuple[str, bytes], failure: str, kind: type[openai.APIStatusError]
) -> None:
    script = {"X-Sandbox": f"error={failure}"}
    with pytest.raises(kind) as failed:
        sandbox.audio.transcriptions.create(model="whisper-1", file=sound, extra_headers=script)
    assert failed.value.response.headers["x-should-retry"] == "false"
    assert failed.value.request_id


def test_a_stream_that_fails_raises(sandbox: OpenAI, sound: tuple[str, bytes]) -> None:
    script = {"X-Sandbox": "error=media_corrupt"}
    with pytest.raises(openai.APIError) as failed:
        list(sandbox.audio.transcriptions.create(model="whisper-1", file=sound, stream=True, extra_headers=script))
    assert (failed.value.code, failed.value.param) == ("media_corrupt", "file")


def test_bad_recordings_are_told_and_silence_is_no_error(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as no_sound:
        client.audio.transcriptions.create(model="whisper-1", file=("notes.mp3", b"this is not audio " * 500))
    assert (no_sound.value.code, no_sound.value.param) == ("source_type_not_supported", "file")
    silent = client.audio.transcriptions.create(model="whisper-1", file=SILENCE)
    assert (silent.text, silent.usage.seconds if silent.usage else 0) == ("", 1)  # type: ignore[union-attr]
