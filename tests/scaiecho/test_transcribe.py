"""POST /transcribe: what is taken and how it is answered, what is refused and by which published code."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, default_storage

from accounts.models import User
from tests.scaiecho.conftest import TRANSCRIBE, a_file, form, refusal
from whisper_jobs import limits, policy
from whisper_jobs.models import Job, Step
from whisper_jobs.states import Kind

KEY: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": "order 66/a"}
NOTE = (
    "Long-form transcribe runs asynchronously. "
    "Poll GET /v1/modules/scaiecho/transcribe/jobs/{id} for status + transcript."
)


def test_a_recording_that_is_not_waited_for_is_accepted_as_published(jwt: Any, frank: User) -> None:
    answer = jwt(frank).post(TRANSCRIBE, form())
    job = Job.objects.get()
    assert answer.status_code == 202
    assert answer.json() == {
        "data": {"job_id": str(job.pk), "status": "queued", "audio_bytes": 104, "note": NOTE},
    }


def test_the_job_is_an_ordinary_one_of_the_api_queue(jwt: Any, frank: User) -> None:
    told = {"language_hint": "SV", "backend_preference": "prefer_relay", "temperature": "0.2"}
    jwt(frank).post(TRANSCRIBE, form(**told))
    job = Job.objects.get()
    assert (job.owner, job.channel, job.language, job.backend_preference, job.temperature) == (
        frank,
        "api",
        "sv",
        "B",
        0.2,
    )
    assert (job.source_filename, job.source_mime) == ("talk.wav", "audio/wav")
    with default_storage.open(job.media) as kept:
        assert kept.read().startswith(b"RIFF")


@pytest.mark.parametrize(("wire", "kept"), [("", "any"), ("any", "any"), ("prefer_self_hosted", "A")])
def test_a_preference_is_kept_with_the_job(jwt: Any, frank: User, wire: str, kept: str) -> None:
    assert jwt(frank).post(TRANSCRIBE, form(backend_preference=wire)).status_code == 202
    assert Job.objects.get().backend_preference == kept


def test_a_file_above_the_threshold_is_not_waited_for(jwt: Any, frank: User, tools: Any) -> None:
    tools(scaiecho_async_audio_threshold_bytes=103)
    assert jwt(frank).post(TRANSCRIBE, {"file": a_file()}).status_code == 202


def test_speakers_are_told_apart_only_when_that_is_asked_for(jwt: Any, erin: User) -> None:
    client = jwt(erin)
    client.post(TRANSCRIBE, form())
    assert not Step.objects.filter(kind=Kind.DIARIZE).exists()
    client.post(TRANSCRIBE, form(diarize="true"))
    assert Step.objects.filter(kind=Kind.DIARIZE).count() == 1


def test_speakers_are_told_apart_for_those_only_who_may_have_it(jwt: Any, frank: User) -> None:
    answer = jwt(frank).post(TRANSCRIBE, form(diarize="true"))
    assert refusal(answer) == (403, "SCAIECHO_FORBIDDEN")
    assert not Job.objects.exists()


def test_the_same_request_sent_again_makes_no_second_job(jwt: Any, frank: User) -> None:
    client = jwt(frank)
    first, second = (client.post(TRANSCRIBE, form(), **KEY) for _ in range(2))
    assert first.json() == second.json()
    assert ("Idempotent-Replayed" in first, second["Idempotent-Replayed"]) == (False, "true")
    assert Job.objects.count() == 1


def test_a_key_that_was_used_for_another_recording_is_refused(jwt: Any, frank: User) -> None:
    client = jwt(frank)
    client.post(TRANSCRIBE, form(), **KEY)
    other = client.post(TRANSCRIBE, form(file=a_file(b"RIFF other")), **KEY)
    assert refusal(other) == (422, "SCAIECHO_INVALID")
    assert "Idempotency-Key" in other.json()["error"]["errors"]


def test_an_empty_file_is_refused(jwt: Any, frank: User) -> None:
    assert refusal(jwt(frank).post(TRANSCRIBE, form(file=a_file(b"")))) == (400, "SCAIECHO_EMPTY_AUDIO")


@pytest.mark.parametrize("wish", ["moon", "A", "ANY", "x" * 1000])
def test_a_preference_that_is_not_published_is_refused(jwt: Any, frank: User, wish: str) -> None:
    answer = jwt(frank).post(TRANSCRIBE, form(backend_preference=wish))
    assert refusal(answer) == (400, "SCAIECHO_BAD_BACKEND_PREFERENCE")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", "1.1"),
        ("temperature", "-0.1"),
        ("temperature", "nan"),
        ("temperature", "warm"),
        ("language_hint", "eng"),
        ("language_hint", "e"),
        ("language_hint", "zz"),
        ("language_hint", "1\x00"),
        ("force_async", "perhaps"),
        ("diarize", "perhaps"),
    ],
)
def test_a_field_that_holds_what_it_cannot_is_named(jwt: Any, frank: User, field: str, value: str) -> None:
    answer = jwt(frank).post(TRANSCRIBE, form(**{field: value}))
    assert refusal(answer) == (422, "SCAIECHO_INVALID")
    assert list(answer.json()["error"]["errors"]) == [field]
    assert not Job.objects.exists()


def test_a_request_without_a_file_is_told_so(jwt: Any, frank: User) -> None:
    for answer in (
        jwt(frank).post(TRANSCRIBE, {"language_hint": "en"}),
        jwt(frank).post(TRANSCRIBE, {"file": "text"}),
        jwt(frank).post(TRANSCRIBE, {"file": "text"}, format="json"),
    ):
        assert refusal(answer) == (422, "SCAIECHO_INVALID")
        assert list(answer.json()["error"]["errors"]) == ["file"]


def test_two_files_are_one_too_many(jwt: Any, frank: User) -> None:
    answer = jwt(frank).post(TRANSCRIBE, form(file=[a_file(), a_file()]))
    assert refusal(answer) == (422, "SCAIECHO_INVALID")


@pytest.mark.parametrize("body", ["[1]", "7", "null", "{", '"' * 3, "[" * 100_000])
def test_a_body_that_is_no_form_is_bad_input_and_no_fault(jwt: Any, frank: User, body: str) -> None:
    answer = jwt(frank).generic("POST", TRANSCRIBE, body, content_type="application/json")
    assert refusal(answer) == (422, "SCAIECHO_INVALID")


def test_a_body_of_an_unknown_kind_is_refused(jwt: Any, frank: User) -> None:
    answer = jwt(frank).generic("POST", TRANSCRIBE, b"RIFF", content_type="audio/wav")
    assert refusal(answer) == (415, "SCAIECHO_UNSUPPORTED_MEDIA_TYPE")


def test_a_name_with_a_path_and_unprintable_characters_harms_nobody(jwt: Any, frank: User) -> None:
    assert jwt(frank).post(TRANSCRIBE, form(file=a_file(name="../\u202e<b>.wav"))).status_code == 202
    assert Job.objects.get().media.startswith("media/")


def test_a_file_that_is_too_large_is_refused(jwt: Any, frank: User, tools: Any) -> None:
    tools(upload_max_mb=1)
    answer = jwt(frank).post(TRANSCRIBE, form(file=a_file(b"x" * (1 << 20) + b"x")))
    assert refusal(answer) == (413, "SCAIECHO_TOO_LARGE")


def test_a_full_disk_is_told(jwt: Any, frank: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **options: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FileSystemStorage, "save", full)
    assert refusal(jwt(frank).post(TRANSCRIBE, form())) == (507, "SCAIECHO_DISK_FULL")


def test_who_has_too_many_jobs_is_asked_to_wait(jwt: Any, frank: User, tools: Any) -> None:
    tools(max_queued_jobs=1)
    client = jwt(frank)
    client.post(TRANSCRIBE, form())
    answer = client.post(TRANSCRIBE, form())
    assert refusal(answer) == (429, "SCAIECHO_TOO_MANY_JOBS")
    assert int(answer["Retry-After"]) > 0


def test_who_has_no_minutes_left_is_told_until_when(jwt: Any, frank: User) -> None:
    policy.change(frank.tenant_id, {"monthly_minutes": 1}, actor=frank)
    limits.charge(Job(owner=frank), 60.0)
    answer = jwt(frank).post(TRANSCRIBE, form())
    assert refusal(answer) == (402, "SCAIECHO_QUOTA_EXCEEDED")
    assert answer.json()["error"]["limits"]["renews_at"]


def test_a_tenant_whose_policy_leaves_no_backend_is_told_so(jwt: Any, frank: User) -> None:
    policy.change(frank.tenant_id, {"allowed_backends": "B", "default_backend": "B"}, actor=frank)
    assert refusal(jwt(frank).post(TRANSCRIBE, form())) == (500, "SCAIECHO_NO_USABLE_BACKEND")
    assert not Job.objects.exists()


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_it_is_posted_to(jwt: Any, frank: User, method: str) -> None:
    assert refusal(getattr(jwt(frank), method)(TRANSCRIBE)) == (405, "SCAIECHO_METHOD_NOT_ALLOWED")
