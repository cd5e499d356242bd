"""Idempotency-Key: a request that is sent again makes no second job, whatever goes wrong between."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import Tenant, User
from tests.core.play import Stage
from whisper_jobs import intake
from whisper_jobs.dialects import idempotency
from whisper_jobs.models import IdempotencyKey, Job
from whisper_jobs.tasks import reap

JOBS, SUBMIT = "/api/whisper/jobs", "/api/whisper/transcribe"
BODY = {"source_url": "https://example.com/a.mp3", "source_label": "Talk"}
CALLED_BACK = {**BODY, "callback_url": "https://example.com/hook"}
KEY: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": "order 66/a"}


def test_the_same_request_is_answered_with_the_same_job(api: Any, alice: User) -> None:
    client = api(alice)
    first, second = (client.post(JOBS, BODY, format="json", **KEY) for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.json()["job"]["id"] == second.json()["job"]["id"]
    assert ("Idempotent-Replayed" in first, second["Idempotent-Replayed"]) == (False, "true")
    assert Job.objects.count() == 1


def test_programs_have_it_too(program: Any, robin: User) -> None:
    client = program(robin)
    ids = {client.post(SUBMIT, CALLED_BACK, format="json", **KEY).json()["job"]["id"] for _ in range(2)}
    assert len(ids) == Job.objects.count() == 1


def test_a_manager_who_has_moved_to_another_tenant_gets_the_same_job(api: Any, charlie: User) -> None:
    first = api(charlie).post(JOBS, BODY, format="json", **KEY)
    charlie.tenant = Tenant.objects.create(name="elsewhere")
    charlie.save()
    second = api(charlie).post(JOBS, BODY, format="json", **KEY)
    assert second.status_code == 201
    assert second.json()["job"]["id"] == first.json()["job"]["id"]


def test_a_job_that_is_deleted_while_its_request_is_repeated_is_not_found(
    api: Any, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = api(alice)
    made = Job.objects.get(pk=client.post(JOBS, BODY, format="json", **KEY).json()["job"]["id"])
    demand_same = idempotency.demand_same

    def and_deleted(repeated: intake.Repeated) -> None:
        demand_same(repeated)
        made.delete()

    monkeypatch.setattr(idempotency, "demand_same", and_deleted)
    assert client.post(JOBS, BODY, format="json", **KEY).status_code == 404


def test_the_order_of_fields_and_how_a_language_is_written_make_no_difference(api: Any, alice: User) -> None:
    client = api(alice)
    client.post(JOBS, {**BODY, "language": "sv"}, format="json", **KEY)
    again = client.post(JOBS, {"language": "Swedish", **dict(reversed(BODY.items()))}, **KEY)
    assert again["Idempotent-Replayed"] == "true"


def a_file(content: bytes = b"RIFF" + b"x" * 100) -> SimpleUploadedFile:
    return SimpleUploadedFile("talk.wav", content, content_type="audio/wav")


def test_a_file_counts_by_its_content_and_is_not_stored_twice(api: Any, alice: User) -> None:
    client, before = api(alice), _stored()
    for _ in range(2):
        assert client.post(JOBS, {"media_file": a_file()}, format="multipart", **KEY).status_code == 201
    assert len(_stored() - before) == 1
    other = client.post(JOBS, {"media_file": a_file(b"RIFF" + b"y" * 100)}, format="multipart", **KEY)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def _stored() -> set[str]:
    try:
        return set(default_storage.listdir("media")[0])
    except FileNotFoundError:
        return set()


def test_running_a_recording_again_has_it_too(api: Any, stage: Stage, alice: User) -> None:
    job, client = stage.prepared(alice), api(alice)
    first, second = (client.post(f"{JOBS}/{job.pk}/again", {"model": "pocketsphinx"}, **KEY) for _ in range(2))
    assert first.json()["job"]["id"] == second.json()["job"]["id"] != job.pk
    assert client.post(f"{JOBS}/{job.pk}/again", {"model": "auto"}, **KEY).status_code == 422


@pytest.mark.parametrize(
    "change", [{"source_label": "Other"}, {"disable_diarization": True}, {"model": "pocketsphinx"}]
)
def test_another_request_with_the_same_key_is_refused(api: Any, alice: User, change: dict[str, Any]) -> None:
    client = api(alice)
    client.post(JOBS, BODY, format="json", **KEY)
    answer = client.post(JOBS, {**BODY, **change}, format="json", **KEY)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert list(answer.json()["errors"]) == ["Idempotency-Key"]


def test_the_same_key_at_another_address_is_another_request(api: Any, program: Any, robin: User) -> None:
    api(robin).post(JOBS, CALLED_BACK, format="json", **KEY)
    assert program(robin).post(SUBMIT, CALLED_BACK, format="json", **KEY).json()["code"] == "idempotency_key_reused"


def test_people_do_not_share_keys(api: Any, alice: User, bob: User) -> None:
    ids = {api(user).post(JOBS, BODY, format="json", **KEY).json()["job"]["id"] for user in (alice, bob)}
    assert len(ids) == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tbed", "h\xe4r"])
def test_a_key_is_printable_and_not_long(api: Any, alice: User, key: str) -> None:
    answer = api(alice).post(JOBS, BODY, format="json", HTTP_IDEMPOTENCY_KEY=key)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_invalid")
    assert not Job.objects.exists()


def test_a_refused_request_uses_up_no_key(api: Any, alice: User) -> None:
    client = api(alice)
    assert client.post(JOBS, {**BODY, "model": "no-such-model"}, format="json", **KEY).status_code == 422
    assert client.post(JOBS, BODY, format="json", **KEY).status_code == 201


def test_a_request_that_broke_uses_up_no_key(api: Any, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the process died here")

    client = api(alice)
    with monkeypatch.context() as patched:
        patched.setattr(intake, "introduce", broken)
        assert client.post(JOBS, BODY, format="json", **KEY).status_code == 500
    assert client.post(JOBS, BODY, format="json", **KEY).status_code == 201
    assert Job.objects.count() == 1


def test_a_deleted_jobs_key_is_free(api: Any, alice: User) -> None:
    client = api(alice)
    first = client.post(JOBS, BODY, format="json", **KEY).json()["job"]["id"]
    client.delete(f"{JOBS}/{first}")
    assert client.post(JOBS, BODY, format="json", **KEY).status_code == 201


def test_keys_are_forgotten_after_a_day(api: Any, alice: User) -> None:
    client = api(alice)
    client.post(JOBS, BODY, format="json", **KEY)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=23))
    reap()
    assert IdempotencyKey.objects.count() == 1
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    reap()
    assert not IdempotencyKey.objects.exists()
    assert Job.objects.count() == 1


@pytest.fixture
def _own_connections() -> Iterator[None]:
    yield
    connections.close_all()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_own_connections")
@pytest.mark.parametrize("kind", ["url", "file"])
def test_many_at_once_make_one_job(robin: User, kind: str) -> None:
    token, count = tokens.create(robin, tokens.API).token, 6
    ready, answers = threading.Barrier(count), []

    def send() -> None:
        client = APIClient(HTTP_X_API_KEY=token)
        body = CALLED_BACK if kind == "url" else {"media_file": a_file(), "callback_url": CALLED_BACK["callback_url"]}
        ready.wait()
        answers.append(client.post(SUBMIT, body, format="json" if kind == "url" else "multipart", **KEY))
        connections.close_all()

    before = _stored()
    threads = [threading.Thread(target=send) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * count
    assert {answer.json()["job"]["id"] for answer in answers} == {Job.objects.get().pk}
    assert sum("Idempotent-Replayed" not in answer for answer in answers) == 1
    assert len(_stored() - before) == (kind == "file")
