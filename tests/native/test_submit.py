"""POST /api/whisper/jobs: a URL or a file becomes a queued job; everything else is told why not."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from whisper_jobs import uploads
from whisper_jobs.models import Job, Step

JOBS = "/api/whisper/jobs"


def a_file(content: bytes = b"RIFF" + b"x" * 100, name: str = "talk.wav") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="audio/wav")


def test_a_url_is_queued(api: Any, alice: User) -> None:
    body = {
        "source_url": "https://example.com/audio.mp3",
        "source_label": "Interview with customer",
        "source_note": "Recorded support follow-up call.",
        "model": "pocketsphinx",
        "language": "en",
        "analysis_language": "sv",
        "translation_target_languages": ["en"],
    }
    answer = api(alice).post(JOBS, body, format="json")
    assert answer.status_code == 201
    job = answer.json()["job"]
    assert answer.json()["ok"] is True
    assert {name: job[name] for name in ("source_url", "source_label", "source_note", "model", "language")} == {
        name: body[name] for name in ("source_url", "source_label", "source_note", "model", "language")
    }
    assert (job["status"], job["queue_channel"], job["queue_position"]) == ("queued", "web", 1)
    assert job["analysis"]["state"] == job["translations"][0]["state"] == "skipped"


def test_a_file_is_stored_and_hashed(api: Any, alice: User) -> None:
    content = b"RIFF" + bytes(range(256)) * 20_000
    answer = api(alice).post(JOBS, {"media_file": a_file(content, "../../etc/Ünï.wav")}, format="multipart")
    assert answer.status_code == 201, answer.json()
    row = Job.objects.get(pk=answer.json()["job"]["id"])
    assert row.source_sha256 == hashlib.sha256(content).hexdigest()
    assert row.source_size_bytes == len(content)
    assert row.source_filename == "Ünï.wav"
    assert ".." not in row.media
    assert "wav" not in row.media
    with default_storage.open(row.media) as stored:
        assert stored.read() == content


def test_a_file_needs_no_download(api: Any, alice: User) -> None:
    api(alice).post(JOBS, {"media_file": a_file()}, format="multipart")
    assert set(Step.objects.filter(state="ready").values_list("kind", flat=True)) == {"prepare", "decode"}


@pytest.mark.parametrize(
    "sources", [{}, {"source_url": ""}, {"source_url": "https://example.com/a.mp3", "media_file": a_file()}]
)
def test_both_or_neither_source_is_refused(api: Any, alice: User, sources: dict[str, Any]) -> None:
    answer = api(alice).post(JOBS, sources, format="multipart")
    assert answer.status_code == 422
    assert answer.json()["ok"] is False
    assert set(answer.json()["errors"]) == {"source_url", "media_file"}
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("source_url", "ftp://example.com/a.mp3"),
        ("source_url", "file:///etc/passwd"),
        ("source_url", "http://127.0.0.1/a.mp3"),
        ("source_url", "http://0xa9fea9fe/"),
        ("source_url", "no address"),
        ("model", "no-such-model"),
        ("language", "klingonese"),
        ("translation_target_languages", ["klingonese"]),
        ("source_label", "x" * 201),
    ],
)
def test_a_bad_field_is_named(api: Any, alice: User, field: str, value: Any) -> None:
    body = {"source_url": "https://example.com/a.mp3", field: value}
    answer = api(alice).post(JOBS, body, format="json")
    assert answer.status_code == 422, answer.json()
    assert answer.json()["errors"][field]
    assert not Job.objects.exists()


def test_an_empty_file_is_refused(api: Any, alice: User) -> None:
    answer = api(alice).post(JOBS, {"media_file": a_file(b"")}, format="multipart")
    assert answer.status_code == 422
    assert "empty" in answer.json()["errors"]["media_file"][0]


def test_a_file_over_the_limit_is_refused_with_the_limit(api: Any, alice: User, monkeypatch: Any) -> None:
    small = uploads.UploadLimit(configured_mb=1, disk_free_mb=9999, effective_max_mb=1)
    monkeypatch.setattr(uploads, "limit", lambda: small)
    answer = api(alice).post(JOBS, {"media_file": a_file(b"x" * (2 * uploads.MB))}, format="multipart")
    assert answer.status_code == 422
    assert "1 MB" in answer.json()["errors"]["media_file"][0]
    assert not Job.objects.exists()


def test_a_disk_that_is_nearly_full_is_the_reason_that_is_told(api: Any, alice: User, monkeypatch: Any) -> None:
    nearly_full = uploads.UploadLimit(configured_mb=100, disk_free_mb=1, effective_max_mb=0)
    monkeypatch.setattr(uploads, "limit", lambda: nearly_full)
    answer = api(alice).post(JOBS, {"media_file": a_file()}, format="multipart")
    assert answer.status_code == 422
    assert "disk" in answer.json()["errors"]["media_file"][0]


def test_a_body_that_is_no_json_is_refused(api: Any, alice: User) -> None:
    answer = api(alice).post(JOBS, "{nonsense", content_type="application/json")
    assert answer.status_code == 422
    assert answer.json()["ok"] is False


def test_the_stored_file_goes_when_the_job_cannot_be_made(api: Any, alice: User, monkeypatch: Any) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr("whisper_jobs.intake._add_steps", broken)
    before = _folders()
    answer = api(alice).post(JOBS, {"media_file": a_file()}, format="multipart")
    assert answer.status_code == 500
    assert answer.json() == {
        "ok": False,
        "message": "Something went wrong on the server. Try again later.",
        "code": "internal_error",
        "errors": {},
    }
    assert _folders() == before


def _folders() -> set[str]:
    try:
        return set(default_storage.listdir("media")[0])
    except FileNotFoundError:
        return set()
