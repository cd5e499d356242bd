"""POST /v1/modules/scaiecho/speakers: a voice is heard by the real networks, in processes of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.models import User
from tests.speakers.conftest import Enroll
from tests.speakers.sounds import form, said, wav
from whisper_jobs import speaker_checks, speaker_following, voices
from whisper_jobs.models import AuditEntry, EnrollmentStatus, Speaker, VoiceSample
from whisper_jobs.speaker_nodes import Node
from whisper_jobs.voices import shelf

pytestmark = pytest.mark.engine

URL = "/v1/modules/scaiecho/speakers"
Api = Callable[[User | None], APIClient]


@pytest.fixture(autouse=True)
def _temporary(settings: Any, tmp_path: Path) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)


def sent(api: Api, user: User | None, **changed: Any) -> Any:
    return api(user).post(URL, form(**changed), format="multipart")


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def upload(data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("some.wav", data)


def test_a_speaker_is_enrolled(api: Api, ada: User, node: Node) -> None:
    response = sent(api, ada)
    told = response.json()["data"]
    assert response.status_code == 201, told
    assert (told["display_name"], told["language_primary"], told["scope"]) == ("Ada Lovelace", "en", "user")
    assert told["enrollment_status"] == "ready"
    assert told["preflight"]["ok"] and told["preflight"]["voices"] == 1 and told["preflight"]["issues"] == []
    assert told["enrolled_on"] == [node.name] and told["enroll_errors"] == {} and "note" not in told
    speaker = Speaker.objects.get(pk=told["speaker_id"])
    assert Path(default_storage.path(speaker.reference)).read_bytes() == wav(said("slt"))
    assert speaker.reference == f"voices/{speaker.pk}/reference" and default_storage.exists(speaker.consent)
    assert shelf.versions() == {speaker.pk: 1}
    again = sent(api, ada, display_name="Ada once more").json()["data"]
    assert "“Ada Lovelace”" in again["note"]
    [sample] = VoiceSample.objects.filter(speaker=speaker)
    assert voices.load(sample.sealed) is not None and sample.seconds > 3
    # Two profiles of one voice are one person.
    assert [key for key, _voice in voices.book_for(ada)] == [speaker.pk]
    assert AuditEntry.objects.filter(action="speaker.enrolled", actor_id=ada.pk).count() == 2
    assert "Ada" not in str(list(AuditEntry.objects.values_list("detail", "subject")))


def test_without_workers_a_note_says_so(api: Api, ada: User) -> None:
    told = sent(api, ada).json()["data"]
    assert told["enrolled_on"] == [] and told["note"]


def test_two_voices_fail_the_preflight_and_nothing_is_kept(api: Api, ada: User) -> None:
    both = wav(np.concatenate([said("slt"), said("rms")]))
    response = sent(api, ada, reference=upload(both))
    assert refusal(response) == (400, "SCAIECHO_SPEAKER_PREFLIGHT_FAILED")
    preflight = response.json()["error"]["preflight"]
    assert preflight["ok"] is False and [one["code"] for one in preflight["issues"]] == ["several_voices"]
    assert preflight["issues"][0]["message"]
    assert not Speaker.objects.exists() and not default_storage.exists("voices")


def test_a_bad_reference_is_told_by_a_code(api: Api, ada: User) -> None:
    short = wav(said("slt", "Good morning."))
    for reference, issue in ((b"RIFF not a recording at all", "unreadable"), (short, "too_little_speech")):
        response = sent(api, ada, reference=upload(reference))
        assert refusal(response) == (400, "SCAIECHO_SPEAKER_PREFLIGHT_FAILED")
        assert [one["code"] for one in response.json()["error"]["preflight"]["issues"]] == [issue]


CONSENTS: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "too few bytes": lambda: wav(said("slt"))[: speaker_checks.LEAST_CONSENT_BYTES - 1],
    "no recording": lambda: b"\0" * 5000,
    "a tenth of a second": lambda: wav(np.zeros(1600, np.float32)),
    "silence": lambda: wav(np.zeros(48_000, np.float32)),
}


@pytest.mark.parametrize("kind", CONSENTS)
def test_a_consent_that_is_none_is_refused(api: Api, ada: User, kind: str) -> None:
    assert refusal(sent(api, ada, consent=upload(CONSENTS[kind]()))) == (400, "SCAIECHO_CONSENT_INVALID")
    assert not Speaker.objects.exists() and not default_storage.exists("voices")


def test_a_consent_that_is_missing_is_refused(api: Api, ada: User) -> None:
    assert refusal(sent(api, ada, consent=None)) == (400, "SCAIECHO_CONSENT_INVALID")


def test_an_empty_reference_is_named(api: Api, ada: User) -> None:
    assert refusal(sent(api, ada, reference=upload(b""))) == (400, "SCAIECHO_EMPTY_AUDIO")


@pytest.mark.parametrize(
    "field",
    [
        "display_name",
        "language_primary",
        "consent_user_full_name",
        "consent_stated_purpose",
        "consent_text",
        "reference",
    ],
)
def test_what_is_missing_is_named(api: Api, ada: User, field: str) -> None:
    response = sent(api, ada, **{field: None})
    assert refusal(response) == (422, "SCAIECHO_INVALID")
    assert list(response.json()["error"]["errors"]) == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("language_primary", "english"),
        ("scope", "world"),
        ("display_name", "x" * 101),
        ("display_name", "\0 \u202e"),
        ("consent_text", "y" * 20_001),
    ],
)
def test_what_can_t_be_is_named(api: Api, ada: User, field: str, value: str) -> None:
    response = sent(api, ada, **{field: value})
    assert refusal(response) == (422, "SCAIECHO_INVALID")
    assert list(response.json()["error"]["errors"]) == [field]


def test_a_wider_scope_is_for_administrators(api: Api, ada: User, chief: User) -> None:
    assert refusal(sent(api, ada, scope="tenant")) == (403, "SCAIECHO_SPEAKER_ACCESS_DENIED")
    assert refusal(sent(api, chief, scope="global")) == (403, "SCAIECHO_SPEAKER_ACCESS_DENIED")
    assert not Speaker.objects.exists()


def test_who_may_not_enrol_is_refused(api: Api, alice: User) -> None:
    assert refusal(sent(api, alice)) == (403, "SCAIECHO_FORBIDDEN")
    assert refusal(sent(api, None)) == (401, "SCAIECHO_UNAUTHORIZED")


def test_names_are_kept_as_plain_text(api: Api, chief: User) -> None:
    name = "<script>alert(1)</script> عائشة 🎙\u202e\0"
    told = sent(api, chief, display_name=name, scope="tenant").json()["data"]
    assert told["display_name"] == "<script>alert(1)</script> عائشة 🎙" and told["scope"] == "tenant"


def test_a_crash_before_the_row_leaves_nothing_behind(
    api: Api, ada: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    def crash(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no more")

    monkeypatch.setattr("whisper_jobs.speakers.audit.record", crash)
    assert refusal(sent(api, ada)) == (500, "SCAIECHO_INTERNAL_ERROR")
    assert not Speaker.objects.exists()
    assert default_storage.listdir("voices") == ([], [])


def test_where_no_network_is_the_voice_waits_for_a_worker(api: Api, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    real = speaker_checks._measured

    def without(*args: Any) -> dict[str, Any]:
        return {**real(*args), "vector": None, "missing": "There is no network here."}

    with monkeypatch.context() as patched:
        patched.setattr(speaker_checks, "_measured", without)
        told = sent(api, ada).json()["data"]
    assert told["enrollment_status"] == EnrollmentStatus.PENDING
    assert voices.book_for(ada) == []


def test_a_worker_makes_up_for_a_voice_that_waits(
    ada: User, enroll: Enroll, node: Node, settings: Any, tmp_path: Path
) -> None:
    speaker = enroll(ada, status=EnrollmentStatus.PENDING)
    default_storage.delete(speaker.reference)
    default_storage.save(speaker.reference, upload(wav(said("slt"))))
    speaker_following.follow(speaker.pk)
    speaker.refresh_from_db()
    assert speaker.enrollment_status == EnrollmentStatus.READY
    assert [key for key, _voice in voices.book_for(ada)] == [speaker.pk]


def test_a_voice_that_waits_and_is_none_fails(ada: User, enroll: Enroll, node: Node) -> None:
    speaker = enroll(ada, status=EnrollmentStatus.PENDING)
    speaker_following.follow(speaker.pk)
    speaker.refresh_from_db()
    assert speaker.enrollment_status == EnrollmentStatus.FAILED
    assert speaker.preflight["issues"] == ["unreadable"]
    assert speaker.replicas.get().error


def test_who_comes_when_too_many_wait_is_asked_to_come_back(
    api: Api, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = BoundedSemaphore(1)
    full.acquire()
    monkeypatch.setattr(speaker_checks, "_room", full)
    response = sent(api, ada)
    assert refusal(response) == (503, "SCAIECHO_UNAVAILABLE") and response["Retry-After"]
    assert not Speaker.objects.exists() and not default_storage.exists("voices")
