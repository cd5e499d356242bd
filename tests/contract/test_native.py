"""Each JSON example of the published contract, key by key, against what the server answers."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User
from tests.conftest import PASSWORD, person
from tests.contract import documents
from tests.contract.documents import missing
from tests.core.play import Stage
from tests.sharing.conftest import body
from whisper_jobs import envelope, lifecycle
from whisper_jobs.models import Channel, Job

WHISPER = "/api/whisper"


@pytest.fixture
def robin(db: None) -> User:
    return person("robin", "whisper.use", "whisper.api", "provider_openai")


@pytest.fixture
def program(robin: User) -> APIClient:
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {tokens.create(robin, tokens.API).token}")


def test_an_example_that_changes_is_noticed() -> None:
    assert missing({"a": {"b": 1}}, {"a": {}}) == [".a.b"]
    assert missing({"a": True}, {"a": 1}) == [".a: int"]
    assert missing({"a": 1}, {"a": "1"}) == [".a: str"]
    assert missing({"a": None, "b": 1}, {"a": 1, "b": 2.5, "more": 1}) == []


def test_status(api: Any, robin: User, stage: Stage) -> None:
    stage.submit(robin)
    answer = api(robin).get(f"{WHISPER}/status")
    assert answer.status_code == 200
    assert missing(documents.STATUS, answer.json()) == []
    assert answer.json()["summary"] == {"queued": 1, "processing": 0, "completed": 0, "failed": 0}


def test_a_submission(api: Any, robin: User) -> None:
    answer = api(robin).post(f"{WHISPER}/jobs", documents.SUBMISSION, format="json")
    assert answer.status_code == 201, answer.json()
    job = Job.objects.get(pk=answer.json()["job"]["id"])
    kept = {name: getattr(job, "requested_model" if name == "model" else name) for name in documents.SUBMISSION}
    assert kept == documents.SUBMISSION
    assert answer.json()["job"]["model"] == "large"


def test_a_job_has_the_additive_fields(api: Any, robin: User, stage: Stage) -> None:
    job = stage.completed(robin)
    told = api(robin).get(f"{WHISPER}/jobs/{job.pk}").json()["job"]
    assert [name for name in documents.JOB_FIELDS if name not in told] == []


def test_run_now(api: Any, charlie: User) -> None:
    answer = api(charlie).post(f"{WHISPER}/run-now", documents.RUN_NOW, format="json")
    assert (answer.status_code, answer.json()["ok"]) == (200, True)


def test_a_submission_of_a_program_is_answered_as_published(program: APIClient) -> None:
    answer = program.post(f"{WHISPER}/transcribe", documents.TOKEN_SUBMISSION, format="json")
    assert answer.status_code == 201, answer.json()
    told = answer.json()
    example = documents.TOKEN_SUBMITTED
    assert {**told, "job": {}} == {**example, "job": {}}
    assert {**{name: told["job"][name] for name in example["job"]}, "id": 123} == example["job"]
    job = Job.objects.get()
    assert (job.source_label, job.source_note) == ("Customer interview", documents.TOKEN_SUBMISSION["source_note"])
    assert (job.analysis_language, job.translation_target_languages) == ("en", ["sv"])


def test_a_program_reads_status_list_and_job(program: APIClient) -> None:
    made = program.post(f"{WHISPER}/transcribe", documents.TOKEN_SUBMISSION, format="json").json()["job"]
    status = program.get(f"{WHISPER}/transcribe/status").json()
    assert missing(documents.STATUS, status) == []
    assert status["summary"]["queued"] == 1
    listed = program.get(f"{WHISPER}/transcribe/jobs?limit=100").json()
    assert [job["id"] for job in listed["jobs"]] == [made["id"]]
    one = program.get(f"{WHISPER}/transcribe/jobs/{made['id']}").json()
    assert one["ok"] is True
    assert [name for name in documents.JOB_FIELDS if name not in one["job"]] == []


def test_the_callback_of_a_completed_job(robin: User, stage: Stage, settings: Any) -> None:
    settings.SITE_URL = "https://tools.example.test"
    asked: dict[str, Any] = {"callback_url": "https://api.example.test/hook", "source_label": "Customer interview"}
    job = stage.completed(robin, channel=Channel.API, language="en", **asked)
    told = envelope.completed(job, envelope.read(job, thin=False), thin=False)
    assert missing(documents.CALLBACK, told) == []
    assert {**told, "job": {}} == {**documents.CALLBACK, "job": {}}
    fixed = ("status", "status_label", "queue_channel", "queue_channel_label", "source", "language")
    assert {name: told["job"][name] for name in fixed} == {name: documents.CALLBACK["job"][name] for name in fixed}
    assert told["job"]["job_url"].startswith("https://tools.example.test/whisper/jobs/")
    assert told["job"]["share"] == {"url": told["job"]["share_url"]}
    page = Client().get(told["job"]["share_url"].removeprefix("https://tools.example.test"))
    assert page.status_code == 200
    assert body(page).rstrip().endswith(b"</html>")


def test_the_callback_of_a_failed_job(robin: User, stage: Stage) -> None:
    job = stage.submit(robin, channel=Channel.API, callback_url="https://api.example.test/hook")
    told = envelope.failed(lifecycle.request_cancel(job.pk))
    assert told["event"] == "whisper.job.failed"
    assert (told["job"]["job_id"], told["job"]["status"]) == (job.pk, "failed")
    assert told["job"]["failure_error"]


def test_signing_in(robin: User) -> None:
    answer = APIClient().post("/api/account/login", {"email": robin.email, "password": PASSWORD})
    told = answer.json()
    assert (told["ok"], told["user"]["email"]) == (True, robin.email)
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {told['access']}")
    assert client.get(f"{WHISPER}/status").status_code == 200
    assert APIClient().post("/api/account/refresh", {"refresh": told["refresh"]}).json()["access"]
