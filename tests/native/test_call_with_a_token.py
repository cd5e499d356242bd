"""/api/whisper/transcribe: how a program names itself, what it may hand in, and that it sees its own channel only."""

from __future__ import annotations

import base64
import socket
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from accounts import tokens
from accounts.models import PersonalToken, User
from tests.conftest import person
from tests.core.play import Stage
from whisper_jobs import outbound
from whisper_jobs.dialects import lookups
from whisper_jobs.models import Channel, Delivery, Job

SUBMIT = "/api/whisper/transcribe"
JOBS = f"{SUBMIT}/jobs"
STATUS = f"{SUBMIT}/status"
CALLBACK = "https://api.example.test/whisper/callback"
BODY = {"source_url": "https://example.com/audio.mp3", "callback_url": CALLBACK}


def test_a_url_is_queued_in_the_channel_of_programs(program: Any, robin: User) -> None:
    answer = program(robin).post(SUBMIT, BODY, format="json")
    assert answer.status_code == 201, answer.json()
    job = Job.objects.get(pk=answer.json()["job"]["id"])
    assert (job.owner, job.channel) == (robin, Channel.API)
    delivery = Delivery.objects.get(job=job)
    assert (delivery.url, delivery.token) == (CALLBACK, PersonalToken.objects.get())


def test_a_file_is_queued_with_the_fields_of_a_form(program: Any, robin: User) -> None:
    file = SimpleUploadedFile("talk.wav", b"RIFF" + b"x" * 100, content_type="audio/wav")
    form = {"media_file": file, "callback_url": CALLBACK, "translation_target_languages[]": ["sv", "Swedish", "de"]}
    answer = program(robin).post(SUBMIT, {**form, "disable_diarization": "true"}, format="multipart")
    assert answer.status_code == 201, answer.json()
    job = Job.objects.get()
    assert job.translation_target_languages == ["sv", "de"]
    assert job.disable_diarization
    assert answer.json()["job"]["diarization"]["state"] == "disabled"


def test_links_in_an_answer_are_those_that_its_reader_may_follow(program: Any, robin: User, stage: Stage) -> None:
    job = stage.completed(robin, channel=Channel.API, callback_url=CALLBACK)
    client = program(robin)
    told = client.get(f"{JOBS}/{job.pk}").json()["job"]
    for url in (told["segments_url"], *told["exports"].values()):
        assert client.get(url).status_code == 200, url


@pytest.mark.parametrize(
    "transport",
    [
        lambda token: {"HTTP_AUTHORIZATION": f"bearer {token}"},
        lambda token: {"HTTP_X_API_KEY": token},
        lambda token: {"QUERY_STRING": f"apikey={token}"},
    ],
)
def test_a_token_comes_in_a_header_or_as_a_parameter(robin: User, transport: Any) -> None:
    token = tokens.create(robin, tokens.API).token
    assert APIClient().get(STATUS, **transport(token)).status_code == 200


@pytest.mark.parametrize("kind", ["multipart", None])
def test_a_token_comes_in_a_form(robin: User, kind: str | None) -> None:
    token = tokens.create(robin, tokens.API).token
    answer = APIClient().post(SUBMIT, {**BODY, "apikey": token}, format=kind)
    assert answer.status_code == 201, answer.json()
    assert Job.objects.get().owner == robin


def test_the_header_counts_where_several_are_sent(robin: User) -> None:
    token = tokens.create(robin, tokens.API).token
    answer = APIClient().get(STATUS, {"apikey": token}, HTTP_AUTHORIZATION="Bearer wrong")
    assert answer.status_code == 401


def test_a_token_is_seen_to_be_used(program: Any, robin: User) -> None:
    program(robin).get(STATUS)
    assert PersonalToken.objects.get().last_used_at is not None


def _basic(user: User) -> str:
    return "Basic " + base64.b64encode(b"robin:secret").decode()


@pytest.mark.parametrize(
    "authorization",
    [
        lambda user: "Bearer wrong",
        lambda user: "Bearer ",
        lambda user: "Bearer tw_\xe5",
        lambda user: f"Bearer {AccessToken.for_user(user)}",
        _basic,
    ],
)
def test_what_is_no_personal_token_is_rejected(robin: User, authorization: Any) -> None:
    answer = APIClient().get(STATUS, HTTP_AUTHORIZATION=authorization(robin))
    assert (answer.status_code, answer.json()["code"]) == (401, "token_rejected")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_token_of_another_provider_is_rejected(robin: User) -> None:
    token = tokens.create(robin, tokens.OPENAI).token
    assert APIClient().get(STATUS, HTTP_X_API_KEY=token).status_code == 401


def test_a_revoked_an_expired_and_a_deactivated_persons_token_are_rejected(program: Any, robin: User) -> None:
    client = program(robin)
    token = PersonalToken.objects.get()
    PersonalToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get(STATUS).status_code == 401
    PersonalToken.objects.update(expires_at=None)
    assert client.get(STATUS).status_code == 200
    type(robin).objects.update(is_active=False)
    assert client.get(STATUS).status_code == 401
    type(robin).objects.update(is_active=True)
    tokens.revoke(token)
    assert client.get(STATUS).status_code == 401


def test_a_session_is_no_token(client: Any, robin: User) -> None:
    client.force_login(robin)
    answer = client.get(STATUS)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_token_does_not_open_the_api_for_people(program: Any, robin: User) -> None:
    assert program(robin).get("/api/whisper/jobs").status_code == 401


@pytest.mark.parametrize("permissions", [(), ("whisper.use",), ("whisper.api",)])
def test_its_owner_needs_both_permissions(program: Any, db: None, permissions: tuple[str, ...]) -> None:
    assert program(person("kim", *permissions)).get(STATUS).status_code == 403


def test_an_admin_needs_none(program: Any, admin: User) -> None:
    assert program(admin).get(STATUS).status_code == 200


def test_only_jobs_of_the_channel_exist_here(program: Any, robin: User, stage: Stage) -> None:
    web = stage.completed(robin)
    mine = stage.submit(robin, channel=Channel.API, callback_url=CALLBACK)
    client = program(robin)
    assert [job["id"] for job in client.get(f"{JOBS}?limit=100").json()["jobs"]] == [mine.pk]
    assert client.get(f"{JOBS}?channel=web").json()["jobs"] == []
    assert client.get(STATUS).json()["summary"] == {"queued": 1, "processing": 0, "completed": 0, "failed": 0}
    for path in ("", "/segments", "/exports/txt"):
        assert client.get(f"{JOBS}/{web.pk}{path}").status_code == 404
    for verb in ("cancel", "restart"):
        assert client.post(f"{JOBS}/{web.pk}/{verb}").status_code == 404
    assert client.delete(f"{JOBS}/{web.pk}").status_code == 404


def test_a_job_is_cancelled_restarted_and_deleted(program: Any, robin: User, stage: Stage) -> None:
    job = stage.submit(robin, channel=Channel.API, callback_url=CALLBACK)
    client, url = program(robin), f"{JOBS}/{job.pk}"
    assert client.post(f"{url}/cancel").json()["job"]["failure_code"] == "cancelled"
    assert client.post(f"{url}/restart").json()["job"]["status"] == "queued"
    assert client.delete(url).status_code == 200
    assert not Job.objects.exists()


def test_the_signed_in_list_shows_where_a_job_came_from(api: Any, robin: User, stage: Stage) -> None:
    stage.submit(robin, channel=Channel.API, callback_url=CALLBACK)
    (told,) = api(robin).get("/api/whisper/jobs").json()["jobs"]
    assert (told["queue_channel"], told["queue_channel_label"]) == ("api", "API queue")


# --- the address that is called back ----------------------------------------------------------------


def test_a_program_has_to_say_where_to_call_back(program: Any, robin: User) -> None:
    for callback in ({}, {"callback_url": ""}, {"callback_url": None}):
        answer = program(robin).post(SUBMIT, {"source_url": BODY["source_url"], **callback}, format="json")
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["callback_url"])
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/hook",
        "http://10.1.2.3/hook",
        "http://169.254.169.254/latest/meta-data",
        "http://0251.0376.0251.0376/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://localhost/",
        "http://hooks.localhost:8080/",
        "http://user:secret@example.com/",
        "gopher://example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "not an address",
        "https://example.com/" + "x" * 4000,
    ],
)
def test_an_address_that_is_not_public_is_refused(program: Any, robin: User, url: str) -> None:
    answer = program(robin).post(SUBMIT, {**BODY, "callback_url": url}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["callback_url"])
    assert not Job.objects.exists()


def test_a_name_that_stands_for_a_private_address_is_refused(
    program: Any, robin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    _names(monkeypatch, {"inside.example.com": "10.0.0.7", "outside.example.com": "93.184.215.14"})
    client = program(robin)
    refused = client.post(SUBMIT, {**BODY, "callback_url": "https://inside.example.com/hook"}, format="json")
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["callback_url"])
    taken = client.post(SUBMIT, {**BODY, "callback_url": "https://outside.example.com:8443/hook"}, format="json")
    assert taken.status_code == 201


def _names(monkeypatch: pytest.MonkeyPatch, known: dict[str, str]) -> None:
    """Answers for the name server, which there is none of here."""

    def resolve(host: str, port: int, **how: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (known[host], port))]

    def guard(allow: Any) -> Any:
        return original(allow, resolve)

    original = outbound.Guard
    monkeypatch.setattr(lookups, "Guard", guard)


def test_a_name_server_that_hangs_holds_nobody_up(program: Any, robin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(self: Any, host: str, port: int) -> list[str]:
        raise TimeoutError

    monkeypatch.setattr(outbound.Guard, "checked_addresses", hang)
    assert program(robin).post(SUBMIT, BODY, format="json").status_code == 201


def test_people_need_no_address_to_call(api: Any, alice: User) -> None:
    answer = api(alice).post("/api/whisper/jobs", {**BODY, "callback_url": "http://127.0.0.1/"}, format="json")
    assert answer.status_code == 201
    assert answer.json()["job"]["callback"] is None
    assert not Delivery.objects.exists()
