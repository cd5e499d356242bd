"""A task is polled, and its run is read: as segments, as text, as a file, several at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from tests.camb.conftest import BASE, RESULTS, TRANSCRIBE, form, refusal, result_path, wrong
from tests.conftest import person
from tests.core.play import Stage
from whisper_jobs import lifecycle, trash
from whisper_jobs.dialects.camb import requests, responses
from whisper_jobs.errors import JobError
from whisper_jobs.models import Channel, Job
from whisper_jobs.speech.languages import LANGUAGES

PENDING = {"status": "PENDING", "run_id": None, "exception_reason": None, "message": None}


def task_path(job: Job) -> str:
    return f"{TRANSCRIBE}/{responses.task_id(job)}"


def ended(stage: Stage, owner: User, **fields: Any) -> Job:
    return stage.completed(owner, channel=Channel.API, **fields)


def test_a_task_is_pending_until_it_has_a_run(program: Any, robin: User, stage: Stage) -> None:
    client = program(robin)
    path = f"{TRANSCRIBE}/{client.post(TRANSCRIBE, form()).json()['task_id']}"
    assert client.get(path).json() == PENDING
    job = Job.objects.get()
    Job.objects.update(stage="completed")
    assert client.get(path).json() == {**PENDING, "status": "SUCCESS", "run_id": job.pk}


FAILED = {
    "media_corrupt": ("ERROR", "INVALID_SOURCE_DATA"),
    "source_not_found": ("ERROR", "SOURCE_NOT_FOUND"),
    "cancelled": ("ERROR", "CANCELLED"),
    "no_speech": ("ERROR", "NO_SPEECH"),
    "timeout": ("TIMEOUT", "TIMEOUT"),
    "quota_exceeded": ("PAYMENT_REQUIRED", "PAYMENT_REQUIRED"),
}


def test_a_task_that_fails_says_why(program: Any, robin: User, stage: Stage) -> None:
    client = program(robin)
    job = stage.submit(robin, channel=Channel.API)
    lifecycle.fail(stage.run("speech"), JobError("internal_error"))
    for code, (status, reason) in FAILED.items():
        Job.objects.filter(pk=job.pk).update(failure_code=code, failure_error=JobError(code).message)
        told = client.get(task_path(job)).json()
        assert (told["status"], told["run_id"], told["exception_reason"]) == (status, None, reason)
        assert told["message"].endswith(".")


def test_a_run_is_read_as_segments(program: Any, robin: User, stage: Stage) -> None:
    job = ended(stage, robin)
    answer = program(robin).get(result_path(job.pk))
    assert answer.status_code == 200
    assert answer.json() == {
        "transcript": [
            {"start": 0.0, "end": 1.0, "text": "window0", "speaker": ""},
            {"start": 10.0, "end": 11.0, "text": "window1", "speaker": ""},
        ]
    }


def test_the_times_of_words_are_told_when_they_are_asked_for(program: Any, robin: User, stage: Stage) -> None:
    job = ended(stage, robin)
    told = program(robin).get(result_path(job.pk), {"word_level_timestamps": "true"}).json()["transcript"]
    assert told[1]["words"] == [{"start": 10.0, "end": 11.0, "text": "window1"}]


def test_speakers_are_named(program: Any, robin: User, stage: Stage) -> None:
    job = stage.decoded(robin, 1, channel=Channel.API, disable_diarization=False)
    stage.hear(stage.run("speech"))
    stage.diarize(stage.run("speech"))
    stage.assemble(stage.run("deliver"))
    job.segments.update(speaker="Anna")
    told = program(robin).get(result_path(job.pk)).json()["transcript"]
    assert [one["speaker"] for one in told] == ["Anna"]


@pytest.mark.parametrize("data_type", ["", "json", "raw_data"])
def test_a_run_is_read_as_text(program: Any, robin: User, stage: Stage, data_type: str) -> None:
    client, path = program(robin), result_path(ended(stage, robin).pk)
    told = {name: client.get(path, _asked(name, data_type)).json()["transcript"] for name in ("txt", "srt", "vtt")}
    assert told["txt"] == "window0\n\nwindow1\n"
    assert told["srt"].startswith("1\n00:00:00,000 --> 00:00:01,000\nwindow0\n")
    assert told["vtt"].startswith("WEBVTT\n")


def _asked(name: str, data_type: str) -> dict[str, str]:
    return {"format_type": name, **({"data_type": data_type} if data_type else {})}


async def whole(answer: Any) -> bytes:
    return b"".join([piece async for piece in answer.streaming_content])


def test_a_file_is_fetched_without_a_key_for_an_hour(
    program: Any, robin: User, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ended(stage, robin)
    told = program(robin).get(result_path(job.pk), {"format_type": "srt", "data_type": "file"}).json()
    assert set(told) == {"transcript", "file_url", "expiry"}
    assert told["transcript"] == told["file_url"]
    path = urlsplit(told["file_url"]).path
    answer = APIClient().get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/x-subrip; charset=utf-8")
    assert b"window1" in async_to_sync(whole)(answer)
    later = timezone.now() + timedelta(minutes=61)
    monkeypatch.setattr("django.core.signing.time.time", later.timestamp)
    assert refusal(APIClient().get(path))[0] == 404


def test_a_file_s_address_can_t_be_made_up(program: Any, robin: User, stage: Stage) -> None:
    job = ended(stage, robin)
    name = responses.file_name(job, "srt")
    for made_up in (name.replace("srt", "vtt"), name[:-1], f"{job.pk}.srt", "x", "%00"):
        assert refusal(APIClient().get(f"{BASE}/transcription-files/{made_up}"))[0] == 404
    trash.discard(job.pk)
    assert refusal(APIClient().get(f"{BASE}/transcription-files/{name}"))[0] == 404


def test_several_runs_are_read_at_once(program: Any, robin: User, stage: Stage) -> None:
    one, other = (ended(stage, robin, windows=1).pk for _ in range(2))
    answer = program(robin).post(RESULTS, {"run_ids": [other, one, other]}, format="json")
    assert list(answer.json()) == [str(other), str(one)]
    assert [run["transcript"][0]["text"] for run in answer.json().values()] == ["window0", "window0"]


def test_runs_are_named_by_numbers(program: Any, robin: User, stage: Stage) -> None:
    client, job = program(robin), ended(stage, robin)
    wanted: dict[str, Any] = {
        "missing": {},
        "list_type": {"run_ids": 7},
        "string_too_long": {"run_ids": [1, 2, 3, 4, 5, 6]},
        "value_error": {"run_ids": ["a"]},
    }
    for kind, body in wanted.items():
        assert wrong(client.post(RESULTS, body, format="json")) == [(["body", "run_ids"], kind)]
    assert wrong(client.post(RESULTS, {"run_ids": []}, format="json"))
    assert refusal(client.post(RESULTS, {"run_ids": [job.pk, 10**9]}, format="json"))[0] == 404


def test_a_run_that_has_no_result_is_refused(program: Any, robin: User, stage: Stage) -> None:
    client, job = program(robin), stage.submit(robin, channel=Channel.API)
    assert refusal(client.get(result_path(job.pk)))[0] == 400
    assert refusal(client.post(RESULTS, {"run_ids": [job.pk]}, format="json"))[0] == 400
    assert refusal(client.get(result_path(10**17)))[0] == 404
    assert refusal(client.get(result_path("9" * 40)))[0] == 404
    for told in ("seven", "-1", "1.5", "٣"):
        assert wrong(client.get(result_path(told))) == [(["path", "run_id"], "int_parsing")]


@pytest.mark.parametrize(
    ("field", "kind"),
    [("format_type", "literal_error"), ("data_type", "literal_error"), ("word_level_timestamps", "value_error")],
)
def test_a_parameter_that_is_wrong_is_named(program: Any, robin: User, field: str, kind: str) -> None:
    assert wrong(program(robin).get(result_path(1), {field: "odd"})) == [(["query", field], kind)]


def test_what_is_another_s_is_not_there(program: Any, robin: User, admin: User, stage: Stage) -> None:
    job = ended(stage, robin)
    for other in (person("oskar", "whisper.use", "whisper.api"), admin):
        client = program(other)
        assert refusal(client.get(task_path(job))) == (404, "There is no such task.")
        assert refusal(client.get(result_path(job.pk))) == (404, "There is no such run.")
        assert refusal(client.post(RESULTS, {"run_ids": [job.pk]}, format="json"))[0] == 404


def test_a_job_of_the_web_queue_is_no_task(program: Any, robin: User, stage: Stage) -> None:
    assert refusal(program(robin).get(task_path(stage.completed(robin))))[0] == 404


@pytest.mark.parametrize("told", ["1", "x", "00000000-0000-0000-0000-000000000001", "%00", "a" * 300])
def test_what_is_no_task_is_not_there(program: Any, robin: User, told: str) -> None:
    assert refusal(program(robin).get(f"{TRANSCRIBE}/{told}"))[0] == 404


def test_languages_are_listed_with_camb_s_numbers(program: Any, robin: User) -> None:
    client = program(robin)
    listed = client.get(f"{BASE}/source-languages").json()
    assert listed[0] == {"id": 1, "language": "English (United States)", "short_name": "en-us"}
    assert {one["id"] for one in listed} >= {54, 76, 31, 139, 88, 4}
    assert client.get(f"{BASE}/target-languages").json() == listed
    field = requests.LanguageField()
    assert all(field.run_validation(str(one["id"])) in LANGUAGES for one in listed)
