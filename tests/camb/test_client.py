"""Camb.ai's own client against a whole server: nothing but its address and its key is ours."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from camb.client import CambAI
from camb.core.api_error import ApiError
from camb.errors import UnprocessableEntityError
from camb.types.language_enums import Languages
from camb.types.subtitle_formatting_options import SubtitleFormattingOptions

from tests.serve.servers import ADMIN, ROOT, RunningServer

pytestmark = pytest.mark.serve
SAMPLE = ROOT / "static" / "sample" / "two-voices.mp3"


@pytest.fixture(scope="module")
def client(renewed_server: RunningServer) -> Iterator[CambAI]:
    told = renewed_server.manage("create_token", ADMIN[0], "--provider", "provider_whisper_api", "--sandbox")
    key, address = json.loads(told)["token"], f"http://127.0.0.1:{renewed_server.port}/apis"
    # It has nothing by which it is closed.
    with httpx.Client() as connections:
        yield CambAI(api_key=key, base_url=address, httpx_client=connections)


def finished(client: CambAI, task_id: str) -> Any:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        status = client.transcription.get_transcription_task_status(task_id=task_id)
        if status.status != "PENDING":
            return status
        time.sleep(0.2)
    raise AssertionError("the task is pending")


def test_the_published_example_runs_as_it_is(client: CambAI) -> None:
    response = client.transcription.create_transcription(language=1, media_url="https://example.com/meeting.mp3")
    status = finished(client, str(response.task_id))
    assert status.status == "SUCCESS"
    result = client.transcription.get_transcription_result(run_id=status.run_id)
    for segment in result.transcript[:3]:
        print(f"[{segment.start:.2f}-{segment.end:.2f}] {segment.speaker}: {segment.text}")
    assert result.transcript[0].text
    several = client.transcription.get_transcription_results(run_ids=[status.run_id])
    assert several[str(status.run_id)].transcript == result.transcript


def test_a_file_is_handed_in_and_read_in_every_form(client: CambAI) -> None:
    with SAMPLE.open("rb") as file:
        task = client.transcription.create_transcription(
            language=Languages.EN_US,
            media_file=file,
            project_name="Board",
            run_audio_cleaning=False,
            formatting_options=SubtitleFormattingOptions(max_characters_in_segment=42),
        )
    run_id = finished(client, str(task.task_id)).run_id
    told = {
        (name, kind): client.transcription.get_transcription_result(run_id, format_type=name, data_type=kind).transcript
        for name, kind in (("srt", "raw_data"), ("vtt", "file"))
    }
    assert "-->" in told["srt", "raw_data"]
    assert told["vtt", "file"].startswith("http://127.0.0.1:")


def test_languages_are_known_to_it(client: CambAI) -> None:
    known = {one.id: one.short_name for one in client.languages.get_source_languages()}
    assert known[Languages.FR_FR] == "fr-fr"


def test_errors_are_its_own(client: CambAI) -> None:
    with pytest.raises(UnprocessableEntityError) as wrong:
        client.transcription.create_transcription(language=999, media_url="https://example.com/a.mp3")
    assert wrong.value.body.detail[0].loc == ["body", "language"]
    with pytest.raises(ApiError) as unknown:
        client.transcription.get_transcription_task_status(task_id="00000000-0000-0000-0000-000000000001")
    assert (unknown.value.status_code, unknown.value.body) == (404, {"detail": "There is no such task."})
