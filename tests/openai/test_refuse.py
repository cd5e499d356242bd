"""What can't be taken is refused in OpenAI's words, by which its clients choose their exception; never with a fault."""

from __future__ import annotations

import base64
import errno
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User
from tests.conftest import person
from tests.openai.conftest import MODELS, TRANSCRIPTIONS, TRANSLATIONS, a_file, form, refusal, tone
from whisper_jobs import limits, policy
from whisper_jobs.models import Job

LONG = "data:audio/wav;base64," + base64.b64encode(tone(11.0)).decode()
SHORT = "data:audio/wav;base64," + base64.b64encode(tone(0.5)).decode()
NO_SOUND = "data:text/plain;base64," + base64.b64encode(b"no sound" * 100).decode()
DIARIZED = {"response_format": "diarized_json"}


@pytest.mark.parametrize("key", [None, "Bearer wrong", "Bearer ", "Bearer s\u00e5", "Basic x", "Bearer tw_0"])
@pytest.mark.parametrize("path", [TRANSCRIPTIONS, MODELS])
def test_without_a_good_key_nothing_is_answered(db: None, key: str | None, path: str) -> None:
    headers: dict[str, Any] = {} if key is None else {"HTTP_AUTHORIZATION": key}
    client = APIClient(**headers)
    answer = client.get(path) if path == MODELS else client.post(path, form())
    assert refusal(answer) == (401, "invalid_api_key", None)
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_key_is_a_wrong_one(calls: Any, gina: User) -> None:
    client = calls(gina)
    tokens.revoke(tokens.live(gina, tokens.API).get())
    assert refusal(client.get(MODELS)) == (401, "invalid_api_key", None)


def test_who_may_not_use_the_api_is_told_so(calls: Any, db: None) -> None:
    answer = calls(person("ivy", "whisper.use")).post(TRANSCRIPTIONS, form())
    assert refusal(answer) == (403, "insufficient_permissions", None)


@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS])
@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"file": None}, "missing_required_parameter", "file"),
        ({"model": None}, "missing_required_parameter", "model"),
        ({"model": ""}, "missing_required_parameter", "model"),
        ({"file": "text"}, "invalid_value", "file"),
        ({"file": a_file(b"")}, "invalid_value", "file"),
        ({"file": [a_file(), a_file()]}, "invalid_value", "file"),
        ({"model": ["tiny", "base"]}, "invalid_value", "model"),
        ({"language": "klingon"}, "invalid_value", "language"),
        ({"language": "e\x00"}, "invalid_value", "language"),
        ({"prompt": "a\x00b"}, "invalid_value", "prompt"),
        ({"response_format": "nonsense"}, "invalid_value", "response_format"),
        ({"temperature": "1.1"}, "invalid_value", "temperature"),
        ({"temperature": "-0.1"}, "invalid_value", "temperature"),
        ({"temperature": "nan"}, "invalid_value", "temperature"),
        ({"temperature": "warm"}, "invalid_value", "temperature"),
        ({"vad_filter": "true"}, "unknown_parameter", "vad_filter"),
        ({"file[]": a_file()}, "unknown_parameter", "file[]"),
        ({"model[type]": "tiny"}, "unknown_parameter", "model[type]"),
    ],
)
def test_a_field_that_can_not_be_taken_is_named(
    calls: Any, gina: User, path: str, fields: dict[str, Any], code: str, param: str
) -> None:
    answer = calls(gina).post(path, form(**fields))
    assert refusal(answer) == (400, code, param)
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"stream": "perhaps"}, "stream"),
        ({"stream": "true", "response_format": "srt"}, "stream"),
        ({"timestamp_granularities__": ["word"]}, "timestamp_granularities"),
        ({"timestamp_granularities__": ["page"], "response_format": "verbose_json"}, "timestamp_granularities"),
        ({"include__": ["everything"]}, "include"),
        ({"include__": ["logprobs"], "response_format": "srt"}, "include"),
        ({"chunking_strategy": "never"}, "chunking_strategy"),
        ({"chunking_strategy": "[1]"}, "chunking_strategy"),
        ({"chunking_strategy": "{" * 100_000}, "chunking_strategy"),
        ({"chunking_strategy[type]": "client_vad"}, "chunking_strategy"),
        ({"chunking_strategy[type]": "server_vad", "chunking_strategy[threshold]": "2"}, "chunking_strategy"),
        ({"chunking_strategy[type]": "server_vad", "chunking_strategy[eagerness]": "low"}, "chunking_strategy"),
        ({"keywords__": ["x" * 101]}, "keywords"),
        ({"languages__": ["en", "klingon"]}, "languages"),
        ({"known_speaker_names__": ["a"], "known_speaker_references__": [SHORT]}, "known_speaker_names"),
        ({**DIARIZED, "known_speaker_names__": ["a"]}, "known_speaker_references"),
        ({**DIARIZED, "known_speaker_references__": [SHORT]}, "known_speaker_references"),
        ({**DIARIZED, "known_speaker_names__": ["a"] * 2}, "known_speaker_names"),
        ({**DIARIZED, "known_speaker_names__": list("abcde")}, "known_speaker_names"),
        (
            {**DIARIZED, "known_speaker_names__": ["a"], "known_speaker_references__": ["http://x"]},
            "known_speaker_references",
        ),
        (
            {**DIARIZED, "known_speaker_names__": ["a"], "known_speaker_references__": ["data:audio/wav;base64,=!"]},
            "known_speaker_references",
        ),
    ],
)
def test_a_field_of_transcriptions_that_can_not_be_taken_is_named(
    calls: Any, gina: User, fields: dict[str, Any], param: str
) -> None:
    answer = calls(gina).post(TRANSCRIPTIONS, form(**fields))
    assert refusal(answer) == (400, "invalid_value", param)
    assert not Job.objects.exists()


@pytest.mark.parametrize("sample", [LONG, SHORT, NO_SOUND])
def test_a_sample_of_a_voice_that_can_not_be_used_is_refused(calls: Any, gina: User, sample: str) -> None:
    told = {**DIARIZED, "known_speaker_names__": ["agent"], "known_speaker_references__": [sample]}
    answer = calls(gina).post(TRANSCRIPTIONS, form(**told))
    assert refusal(answer) == (400, "invalid_value", "known_speaker_references")
    assert "agent" in answer.json()["error"]["message"]


@pytest.mark.parametrize("field", ["stream", "timestamp_granularities[]", "include[]", "chunking_strategy"])
def test_translations_have_no_such_field(calls: Any, gina: User, field: str) -> None:
    answer = calls(gina).post(TRANSLATIONS, form(**{field: "x"}))
    assert refusal(answer) == (400, "unknown_parameter", field)


def test_translations_tell_no_speakers(calls: Any, gina: User) -> None:
    answer = calls(gina).post(TRANSLATIONS, form(**DIARIZED))
    assert refusal(answer) == (400, "invalid_value", "response_format")


@pytest.mark.parametrize("name", ["gpt-9", "../../etc/passwd", "a" * 200, "whisper-1 "[::-1]])
def test_a_model_that_is_not_there_is_not_found(calls: Any, gina: User, name: str) -> None:
    assert refusal(calls(gina).post(TRANSCRIPTIONS, form(model=name))) == (404, "model_not_found", "model")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("application/json", b"{}"), ("audio/wav", b"RIFF"), ("application/x-www-form-urlencoded", b"model=tiny")],
)
def test_a_body_that_is_no_multipart_form_is_refused(calls: Any, gina: User, content_type: str, body: bytes) -> None:
    answer = calls(gina).generic("POST", TRANSCRIPTIONS, body, content_type=content_type)
    assert refusal(answer) == (400, "unsupported_content_type", None)


@pytest.mark.parametrize("body", [b"", b"--x\r\n", b"--x\r\nContent-Disposition: form-data; name=model\r\n\r\ntiny"])
def test_a_form_that_is_cut_is_bad_input_and_no_fault(calls: Any, gina: User, body: bytes) -> None:
    answer = calls(gina).generic("POST", TRANSCRIPTIONS, body, content_type="multipart/form-data; boundary=x")
    assert refusal(answer)[0] == 400


def test_a_file_that_is_too_large_is_refused(calls: Any, gina: User, tools: Any) -> None:
    tools(upload_max_mb=1)
    answer = calls(gina).post(TRANSCRIPTIONS, form(file=a_file(b"x" * (1 << 20) + b"x")))
    assert refusal(answer) == (413, "request_too_large", "file")


def test_fields_that_are_too_large_are_refused(calls: Any, gina: User, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert refusal(calls(gina).post(TRANSCRIPTIONS, form(prompt="x" * 2000)))[:2] == (413, "request_too_large")


def test_a_full_disk_is_told(calls: Any, gina: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **options: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FileSystemStorage, "save", full)
    assert refusal(calls(gina).post(TRANSCRIPTIONS, form())) == (507, "disk_full", None)


def test_who_calls_too_often_is_asked_to_wait(calls: Any, gina: User, tools: Any) -> None:
    tools(api_per_minute=1)
    client = calls(gina)
    client.get(MODELS)
    answer = client.post(TRANSCRIPTIONS, form())
    assert refusal(answer) == (429, "rate_limit_exceeded", None)
    assert int(answer["Retry-After"]) > 0


def test_who_has_too_many_jobs_is_asked_to_wait(calls: Any, hands_in: Any, gina: User, tools: Any) -> None:
    tools(max_queued_jobs=1)
    hands_in(gina)
    answer = calls(gina).post(TRANSCRIPTIONS, form())
    assert refusal(answer) == (429, "rate_limit_exceeded", None)
    assert int(answer["Retry-After"]) > 0


def test_who_has_no_minutes_left_is_told_so(calls: Any, gina: User) -> None:
    policy.change(gina.tenant_id, {"monthly_minutes": 1}, actor=gina)
    limits.charge(Job(owner=gina), 60.0)
    answer = calls(gina).post(TRANSCRIPTIONS, form())
    assert refusal(answer) == (429, "insufficient_quota", None)
    assert answer.json()["error"]["type"] == "insufficient_quota"


def test_a_tenant_whose_policy_leaves_no_backend_is_told_so(calls: Any, gina: User) -> None:
    policy.change(gina.tenant_id, {"allowed_backends": "B", "default_backend": "B"}, actor=gina)
    assert refusal(calls(gina).post(TRANSCRIPTIONS, form())) == (503, "backend_unavailable", None)


def test_a_key_that_was_used_for_another_recording_is_refused(calls: Any, hands_in: Any, gina: User) -> None:
    key: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": "7"}
    hands_in(gina, **key)
    answer = calls(gina).post(TRANSCRIPTIONS, form(language="sv"), **key)
    assert refusal(answer) == (400, "invalid_value", "Idempotency-Key")


@pytest.mark.parametrize(("sandbox", "script"), [(False, "finish_in=1"), (True, "finish_in=soon")])
def test_a_script_that_can_not_be_played_is_refused(calls: Any, gina: User, sandbox: bool, script: str) -> None:
    answer = calls(gina, is_sandbox=sandbox).post(TRANSCRIPTIONS, form(), HTTP_X_SANDBOX=script)
    assert refusal(answer) == (400, "invalid_value", "X-Sandbox")
    assert not Job.objects.exists()


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_recordings_are_posted(calls: Any, gina: User, method: str) -> None:
    assert refusal(getattr(calls(gina), method)(TRANSCRIPTIONS)) == (405, "method_not_supported", None)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/audio/speech", "/v1/audio/transcriptions/", "/v1/x"])
def test_what_is_not_here_is_not_found(client: Any, path: str) -> None:
    assert refusal(client.post(path)) == (404, "unknown_url", None)
