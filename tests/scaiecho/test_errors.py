"""What an exception is to the caller: its code, its status, and nothing of what happened inside."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from rest_framework import exceptions

from whisper_jobs.dialects import refusals
from whisper_jobs.dialects.scaiecho import errors
from whisper_jobs.errors import FAILURES, JobError
from whisper_jobs.pen import Gone

PUBLISHED = {
    "SCAIECHO_EMPTY_AUDIO": 400,
    "SCAIECHO_BAD_BACKEND_PREFERENCE": 400,
    "SCAIECHO_TENANT_POLICY_INVALID": 400,
    "SCAIECHO_SPEAKER_PREFLIGHT_FAILED": 400,
    "SCAIECHO_CONSENT_INVALID": 400,
    "SCAIECHO_FORBIDDEN": 403,
    "SCAIECHO_SPEAKER_ACCESS_DENIED": 403,
    "SCAIECHO_JOB_NOT_FOUND": 404,
    "SCAIECHO_SPEAKER_NOT_FOUND": 404,
    "SCAIECHO_WEBRTC_SESSION_NOT_FOUND": 404,
    "SCAIECHO_SPEAKER_NO_REFERENCE": 409,
    "SCAIECHO_SPEAKER_NOT_READY_FOR_WARMING": 409,
    "SCAIECHO_WEBRTC_SESSION_STATE_LOST": 410,
    "SCAIECHO_NO_USABLE_BACKEND": 500,
    "SCAIECHO_BACKEND_UNAVAILABLE": 502,
    "SCAIECHO_WEBRTC_UNAVAILABLE": 501,
}


@pytest.mark.parametrize(("code", "status"), PUBLISHED.items())
def test_a_published_code_has_its_status(code: str, status: int) -> None:
    told = errors.ScaiError(code, "Why.", preflight={"ok": False})
    answer = errors.handle(told, {})
    assert answer.status_code == status
    assert answer.data == {"error": {"code": code, "message": "Why.", "preflight": {"ok": False}}}


def test_a_code_that_is_not_published_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        errors.ScaiError("SCAIECHO_OOPS", "Why.")


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        ("media_corrupt", 400, "SCAIECHO_DECODE_FAILED"),
        ("no_audio_stream", 400, "SCAIECHO_DECODE_FAILED"),
        ("source_type_not_supported", 400, "SCAIECHO_DECODE_FAILED"),
        ("source_too_long", 413, "SCAIECHO_TOO_LARGE"),
        ("language_unsupported", 422, "SCAIECHO_INVALID"),
        ("no_speech", 422, "SCAIECHO_INVALID"),
        ("backend_unavailable", 502, "SCAIECHO_BACKEND_UNAVAILABLE"),
        ("model_unavailable", 502, "SCAIECHO_BACKEND_UNAVAILABLE"),
        ("quota_exceeded", 402, "SCAIECHO_QUOTA_EXCEEDED"),
        ("cancelled", 409, "SCAIECHO_CANCELLED"),
        ("worker_lost", 500, "SCAIECHO_INTERNAL_ERROR"),
    ],
)
def test_why_a_job_failed_has_a_code(failure: str, status: int, code: str) -> None:
    told = errors.of_refusal(replace(refusals.of(JobError(failure)), job_id=7))
    assert (told.status_code, told.code) == (status, code)
    assert errors.envelope(told)["error"] == {
        "code": code,
        "message": FAILURES[failure],
        "failure_code": failure,
        "job_id": "7",
    }


@pytest.mark.parametrize("failure", FAILURES)
def test_every_failure_has_an_answer(failure: str) -> None:
    assert errors.handle(JobError(failure), {}).data["error"]["failure_code"] == failure


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Gone(7), 404, "SCAIECHO_JOB_NOT_FOUND"),
        (exceptions.ParseError(), 422, "SCAIECHO_INVALID"),
        (exceptions.Throttled(7), 429, "SCAIECHO_RATE_LIMITED"),
        (RequestDataTooBig(), 413, "SCAIECHO_TOO_LARGE"),
        (SuspiciousOperation(), 422, "SCAIECHO_INVALID"),
    ],
)
def test_what_the_framework_refuses_is_told_in_the_envelope(error: Exception, status: int, code: str) -> None:
    answer = errors.handle(error, {})
    assert (answer.status_code, answer.data["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OperationalError("could not connect"), 503, "SCAIECHO_UNAVAILABLE"),
        (OperationalError("database or disk is full"), 507, "SCAIECHO_DISK_FULL"),
        (RuntimeError("the secret is 42"), 500, "SCAIECHO_INTERNAL_ERROR"),
    ],
)
def test_a_fault_is_logged_and_not_told(
    caplog: pytest.LogCaptureFixture, error: Exception, status: int, code: str
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = errors.handle(error, {})
    assert (answer.status_code, answer.data["error"]["code"]) == (status, code)
    assert str(error) not in str(answer.data)
    assert str(error) in caplog.text


def test_what_may_work_later_says_when() -> None:
    assert errors.handle(OperationalError("could not connect"), {})["Retry-After"] == "5"
