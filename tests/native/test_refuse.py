"""What nobody's client sends by accident: each is the sender's fault and told so, never the server's."""

from __future__ import annotations

import io
import shutil
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from rest_framework.test import APIClient

from accounts.models import User
from tests.conftest import PASSWORD
from tests.core.play import Stage
from whisper_jobs import intake, uploads
from whisper_jobs.intake import Submission
from whisper_jobs.models import Job

JOBS = "/api/whisper/jobs"
FORM = "application/x-www-form-urlencoded"
DEEP = "[" * 100_000


def parts(*headers: str, body: str = "1") -> str:
    return "".join(f"--BB\r\n{header}\r\n\r\n{body}\r\n" for header in headers) + "--BB--\r\n"


@pytest.mark.parametrize("path", [JOBS, "/api/account/login", "/api/account/refresh", "/api/account/logout"])
def test_json_nested_without_end(api: Any, admin: User, path: str) -> None:
    answer = api(admin).post(path, DEEP, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (422, "parse_error")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("&".join(f"f{number}=1" for number in range(2000)), FORM, 422),
        (
            parts(*(f'Content-Disposition: form-data; name="f{number}"' for number in range(2000))),
            "multipart/form-data; boundary=BB",
            422,
        ),
        (
            parts(*(f'Content-Disposition: form-data; name="f{number}"; filename="a"' for number in range(200))),
            "multipart/form-data; boundary=BB",
            422,
        ),
        ("source_note=" + "x" * (5 << 20), FORM, 413),
        (
            parts('Content-Disposition: form-data; name="source_note"', body="x" * (5 << 20)),
            "multipart/form-data; boundary=BB",
            413,
        ),
    ],
)
def test_a_form_beyond_all_measure(api: Any, alice: User, body: str, kind: str, status: int) -> None:
    answer = api(alice).post(JOBS, body, content_type=kind)
    assert answer.status_code == status
    assert answer.json()["ok"] is False


@pytest.mark.parametrize("field", ["language", "analysis_language", "source_label", "source_note", "model"])
@pytest.mark.parametrize("text", ["\\ud800", "a\\u0000b"])
def test_half_characters_and_nuls(api: Any, alice: User, field: str, text: str) -> None:
    body = f'{{"source_url": "https://example.com/a.mp3", "{field}": "{text}"}}'
    answer = api(alice).post(JOBS, body, content_type="application/json")
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]


def test_two_files(api: Any, alice: User) -> None:
    files = [SimpleUploadedFile(name, b"RIFFxxxx") for name in ("a.wav", "b.wav")]
    answer = api(alice).post(JOBS, {"media_file": files}, format="multipart")
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["media_file"]


def test_what_a_file_calls_itself_can_be_stored_and_shown_anywhere(alice: User) -> None:
    named = SimpleUploadedFile("a.wav", b"RIFFxxxx", content_type="audio/\0x")
    assert intake.submit(Submission(owner=alice, media_file=named)).source_mime == "audio/x"
    blank = SimpleUploadedFile("x", b"RIFFxxxx")
    blank._name = "   "  # type: ignore[attr-defined]
    assert intake.submit(Submission(owner=alice, media_file=blank)).title == "recording"


def test_an_upload_leaves_nothing_to_complain_about(api: Any, alice: User) -> None:
    """Its temporary file was moved; whoever still held it open would warn at the end."""
    file = io.BytesIO(b"RIFF" + bytes(3 << 20))
    answer = api(alice).post(JOBS, {"media_file": file}, format="multipart")
    assert answer.status_code == 201, answer.json()


@pytest.mark.parametrize("path", ["/api/nope", "/api/", f"{JOBS}/", f"{JOBS}/-1", f"{JOBS}/{'9' * 5000}"])
def test_nowhere_in_the_api_is_told_in_json(api: Any, alice: User, path: str) -> None:
    answer = api(alice).get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_nowhere_else_is_a_page(client: Any, db: None) -> None:
    answer = client.get("/nope")
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


def test_a_host_that_is_not_ours_is_told_in_json(client: Any, db: None) -> None:
    answer = client.get(JOBS, headers={"host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_a_form_in_a_strange_charset_is_no_fault_of_the_server(client: Any, db: None) -> None:
    checking = client.__class__(enforce_csrf_checks=True)
    checking.get("/login")
    answer = checking.post("/login", b"username=x", content_type=f"{FORM}; charset=latin-1")
    assert answer.status_code == 400


@pytest.mark.parametrize("accepted", ["text/xml", "text/plain", ";;;,"])
def test_answers_are_json_whatever_is_accepted(api: Any, stage: Stage, alice: User, accepted: str) -> None:
    job = stage.completed(alice)
    assert api(alice).get(JOBS, headers={"accept": accepted}).json()["ok"] is True
    assert api(alice).get(f"{JOBS}/{job.pk}/exports/txt", headers={"accept": accepted}).status_code == 200


def test_the_page_searches_for_text_with_a_nul_in_it(client: Any, stage: Stage, alice: User) -> None:
    stage.submit(alice, source_label="Needle")
    client.force_login(alice)
    assert b"Needle" in client.get("/whisper?q=Nee%00dle").content


def test_a_new_password_ends_what_was_signed_in_with_the_old_one(alice: User) -> None:
    client = APIClient()
    told = client.post("/api/account/login", {"email": alice.email, "password": PASSWORD}).json()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {told['access']}")
    assert client.get(JOBS).status_code == 200
    alice.set_password("Another-horse-9-battery")
    alice.save()
    assert client.get(JOBS).status_code == 401
    renewed = APIClient().post("/api/account/refresh", {"refresh": told["refresh"]})
    if renewed.status_code == 200:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {renewed.json()['access']}")
        assert client.get(JOBS).status_code == 401
    assert Job.objects.count() == 0


def test_a_full_disk_under_the_database_is_told(api: Any, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **how: Any) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(Job, "save", full)
    answer = api(alice).post(JOBS, {"source_url": "https://example.com/a.mp3"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")


def test_what_has_arrived_already_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Of 100 MB free, an upload of 40 MB has taken 40 by the time that Django sees it; it still fits twice."""
    reserve = settings.TOOLS.disk_reserve_mb
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=(60 + reserve) * uploads.MB))
    assert uploads.limit().refuses(40 * uploads.MB)
    assert not uploads.limit(40 * uploads.MB).refuses(40 * uploads.MB)


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "status", "code"),
    [
        ("POST", f"{JOBS}/1", "", "", 405, "method_not_allowed"),
        ("GET", "/api/whisper/transcribe", "", "", 401, "not_authenticated"),
        ("PUT", JOBS, "{}", "application/json", 405, "method_not_allowed"),
        ("POST", JOBS, "<xml/>", "text/xml", 415, "unsupported_media_type"),
        ("POST", JOBS, "[1, 2]", "application/json", 422, "invalid"),
        ("POST", JOBS, '"text"', "application/json", 422, "invalid"),
        ("POST", JOBS, b"\xff\xfe", "application/json", 422, "parse_error"),
        ("GET", f"{JOBS}/4711", "", "", 404, "not_found"),
        ("GET", f"{JOBS}/{2**64}", "", "", 404, "not_found"),
        ("GET", f"{JOBS}?cursor={2**64}", "", "", 422, "invalid"),
        ("GET", f"{JOBS}?q=%00", "", "", 422, "invalid"),
    ],
)
def test_every_kind_of_refusal_is_told_in_one_shape(
    api: Any, alice: User, method: str, path: str, body: Any, kind: str, status: int, code: str
) -> None:
    client = APIClient() if status == 401 else api(alice)
    answer = client.generic(method, path, body, content_type=kind or "application/octet-stream")
    told = answer.json()
    assert (answer.status_code, told["code"], told["ok"]) == (status, code, False)
    assert set(told) == {"ok", "message", "code", "errors"}
    assert told["message"]


def test_a_fault_that_may_pass_is_503_and_any_other_500(api: Any, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(error: Exception) -> Any:
        def fail(*args: Any, **how: Any) -> None:
            raise error

        monkeypatch.setattr(Job, "save", fail)
        return api(alice).post(JOBS, {"source_url": "https://example.com/a.mp3"}, format="json")

    away = failing(OperationalError("the connection is lost: secret-host"))
    assert (away.status_code, away.json()["code"]) == (503, "unavailable")
    assert int(away["Retry-After"]) > 0
    broken = failing(RuntimeError("secret"))
    assert (broken.status_code, broken.json()["code"]) == (500, "internal_error")
    assert "secret" not in (away.content + broken.content).decode()


def test_sentences_are_told_in_the_language_that_is_accepted(client: Any, db: None) -> None:
    told = [client.get(JOBS, headers={"accept-language": language}).json()["message"] for language in ("en", "sv")]
    assert told == ["Authentication credentials were not provided.", "Autentiseringsuppgifter ej tillhandahållna."]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("source_url", "ftp://example.com/a.mp3"),
        ("source_url", "http://127.0.0.1/a.mp3"),
        ("language", "klingonish"),
    ],
)
def test_what_rules_below_the_api_refuse_is_told_in_the_readers_language(
    api: Any, alice: User, field: str, value: str
) -> None:
    body = {"source_url": "https://example.com/a.mp3", field: value}
    answers = [api(alice).post("/api/whisper/jobs", body, HTTP_ACCEPT_LANGUAGE=language) for language in ("en", "sv")]
    english, swedish = (answer.json()["errors"][field] for answer in answers)
    assert english != swedish


def test_half_a_character_is_told_back_to_whoever_sent_it(api: Any, alice: User, stage: Stage) -> None:
    notes = f"/api/whisper/jobs/{stage.completed(alice).pk}/notes"
    answer = api(alice).post(notes, r'{"start": 0, "colour": "\ud800"}', content_type="application/json")
    assert answer.status_code == 422
    assert "\ud800" in answer.json()["errors"]["colour"][0]
