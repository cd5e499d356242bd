"""Asking for the sandbox: by the token, and by a header that says how the job is to end."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import User
from tests.core.play import Stage
from tests.sandbox.conftest import bearer
from whisper_jobs import sandbox
from whisper_jobs.models import Job
from whisper_jobs.sandbox import Script

SUBMIT = "/api/whisper/transcribe"
BODY = {"source_url": "https://example.com/audio.mp3", "callback_url": "https://api.example.test/hook"}
SCAIECHO = "/v1/modules/scaiecho/transcribe"


def test_a_job_of_its_token_tells_that_nothing_is_worked_on(program: APIClient) -> None:
    answer = program.post(SUBMIT, BODY, format="json", HTTP_X_SANDBOX="finish_in=3; segments=40; callback_failures=2")
    assert answer.status_code == 201, answer.json()
    told = answer.json()["job"]
    assert (told["sandbox"], told["status"], told["queue_position"]) == (True, "transcribing", None)
    assert [step["kind"] for step in told["steps"]] == ["window", "rehearse"]
    assert Job.objects.get().sandbox == Script(finish_in=3, segments=40, callback_failures=2).stored()


def test_without_the_header_it_ends_at_once(program: APIClient) -> None:
    program.post(SUBMIT, BODY, format="json")
    assert Job.objects.get().sandbox == Script().stored()


def test_a_job_of_another_token_is_worked_on(real_token: str) -> None:
    told = bearer(real_token).post(SUBMIT, BODY, format="json").json()["job"]
    assert not told["sandbox"] and told["status"] == "queued"


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("", Script()),
        (" finish_in = 900 ; error=no_speech;", Script(finish_in=900, error="no_speech")),
        ("segments=10000;callback_failures=9", Script(segments=10_000, callback_failures=9)),
        ("finish_in=never", Script(finish_in=None)),
    ],
)
def test_the_header_is_read(text: str, script: Script) -> None:
    assert sandbox.parse(text, Script()) == script


def test_what_it_does_not_tell_is_as_a_dialect_has_it() -> None:
    assert sandbox.parse("segments=2", Script(finish_in=None)) == Script(finish_in=None, segments=2)


@pytest.mark.parametrize(
    "text",
    [
        "finish_in",
        "finish_in=",
        "finish_in=-1",
        "finish_in=901",
        "finish_in=1.5",
        "finish_in=\u0661",
        "finish_in=1; finish_in=2",
        "finish_in=" + "9" * 400,
        "segments=0",
        "segments=10001",
        "callback_failures=10",
        "error=",
        "error=on_fire",
        "colour=red",
        "=",
        "\x00",
    ],
)
def test_a_header_that_can_not_be_read_is_refused_with_what_is_known(text: str) -> None:
    with pytest.raises(sandbox.Invalid):
        sandbox.parse(text, Script())


def test_the_refusal_names_the_header(program: APIClient) -> None:
    answer = program.post(SUBMIT, BODY, format="json", HTTP_X_SANDBOX="finish_in=soon")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["errors"] == {"X-Sandbox": ["finish_in is a whole number from 0 to 900."]}
    assert not Job.objects.exists()


@pytest.mark.parametrize("header", ["finish_in=1", ""])
def test_with_another_token_the_header_is_refused(real_token: str, header: str) -> None:
    answer = bearer(real_token).post(SUBMIT, BODY, format="json", HTTP_X_SANDBOX=header)
    assert answer.status_code == 422 and list(answer.json()["errors"]) == ["X-Sandbox"]
    assert not Job.objects.exists()


def test_of_somebody_who_is_signed_in_the_header_is_refused(robin: User, stage: Stage) -> None:
    client, job = bearer(str(AccessToken.for_user(robin))), stage.completed(robin)
    for path, body in (("", BODY), (f"/{job.pk}/again", {"model": "auto"})):
        answer = client.post(f"/api/whisper/jobs{path}", body, format="json", HTTP_X_SANDBOX="finish_in=1")
        assert answer.status_code == 422 and list(answer.json()["errors"]) == ["X-Sandbox"]
    assert Job.objects.count() == 1


def test_the_speech_api_has_it_as_well(program: APIClient, real_token: str, settings: Any) -> None:
    form = {"file": SimpleUploadedFile("a.wav", b"RIFF", content_type="audio/wav"), "force_async": "true"}
    answer = program.post(SCAIECHO, form, HTTP_X_SANDBOX="error=media_corrupt")
    assert answer.status_code == 202, answer.content
    assert Job.objects.get().sandbox == Script(error="media_corrupt").stored()
    form["file"] = SimpleUploadedFile("a.wav", b"RIFF", content_type="audio/wav")
    refused = bearer(real_token).post(SCAIECHO, form, HTTP_X_SANDBOX="finish_in=1")
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "SCAIECHO_INVALID")


def test_one_key_names_one_request_of_the_sandbox_or_of_work(program: APIClient, real_token: str) -> None:
    key: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": "order-1"}
    first = program.post(SUBMIT, BODY, format="json", **key)
    assert program.post(SUBMIT, BODY, format="json", **key).json()["job"]["id"] == first.json()["job"]["id"]
    for answer in (
        bearer(real_token).post(SUBMIT, BODY, format="json", **key),
        program.post(SUBMIT, BODY, format="json", HTTP_X_SANDBOX="segments=2", **key),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
