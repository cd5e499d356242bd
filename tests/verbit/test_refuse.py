"""Who may call, in which version and how, and that every refusal has this dialect's body."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import PersonalToken
from tests.conftest import person
from tests.verbit.conftest import BASE, Program, refusal
from whisper_jobs.models import Order

VERBS = ("new", "add_media", "perform_transcription", "info", "get_caption", "draft")


@pytest.mark.parametrize("verb", VERBS)
def test_without_a_good_token_nothing_is_told(db: None, verb: str) -> None:
    path = f"{BASE}/{verb}?v=4&job_id=1"
    for header in ("ApiToken no", "Bearer x", "ApiToken", "ApiToken é", ""):
        client = APIClient(HTTP_AUTHORIZATION=header) if header else APIClient()
        answer = client.get(path)
        assert refusal(answer) == (401, "BAD_API_TOKEN"), header
        assert answer["WWW-Authenticate"] == 'ApiToken realm="verbit"'
    assert refusal(APIClient().post(f"{path}&api_token=no")) == (401, "BAD_API_TOKEN")


def test_the_token_may_be_a_parameter(program: Program) -> None:
    told: Any = {"profile": "automatic", "v": 4, "api_token": program.secret}
    client = APIClient()
    assert client.post(f"{BASE}/new", told, format="json").status_code == 200
    assert client.post(f"{BASE}/new", told, format="multipart").status_code == 200
    assert client.get(f"{BASE}/new", told).status_code == 200
    assert Order.objects.count() == 3


def test_a_token_that_has_run_out_is_no_token(program: Program) -> None:
    number = program.new()
    PersonalToken.objects.all().delete()
    assert refusal(program.get("info", job_id=number)) == (401, "BAD_API_TOKEN")


def test_people_without_the_permission_are_told_so(db: None) -> None:
    program = Program(person("norma", "whisper.use"))
    assert refusal(program.json("new", {"profile": "automatic"})) == (403, "BAD_API_TOKEN")


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        (None, "MISSING_PARAMETER"),
        ("", "INVALID_OPTION"),
        ("5", "INVALID_OPTION"),
        ("0", "INVALID_OPTION"),
        ("four", "INVALID_OPTION"),
    ],
)
def test_a_version_is_needed(program: Program, version: Any, kind: str) -> None:
    assert refusal(program.get("new", v=version, profile="automatic")) == (400, kind)
    assert not Order.objects.exists()


def test_older_versions_work_and_say_that_they_are_old(program: Program) -> None:
    for version in (1, 2, 3):
        answer = program.get("new", v=version, profile="automatic")
        assert (answer.status_code, answer["Deprecation"]) == (200, "true")
        assert f"Version {version}" in answer["Warning"]
    assert not program.get("new", profile="automatic").has_header("Deprecation")


def test_the_version_may_stand_in_the_body(program: Program) -> None:
    sent = {"v": 4, "profile": "automatic"}
    assert program.client.post(f"{BASE}/new", sent, format="json").status_code == 200


def test_what_is_given_twice_has_to_be_the_same(program: Program) -> None:
    first, second = program.new(), program.new()
    assert program.json("info", {"job_id": first}, job_id=first).status_code == 200
    assert refusal(program.json("info", {"job_id": second}, job_id=first)) == (400, "INVALID_QUERY")


@pytest.mark.parametrize(
    ("number", "status", "kind"),
    [
        (None, 400, "MISSING_PARAMETER"),
        ("", 400, "INVALID_OPTION"),
        ("abc", 400, "INVALID_OPTION"),
        ("0", 404, "ITEM_NOT_FOUND"),
        ("-1", 404, "ITEM_NOT_FOUND"),
        ("999999", 404, "ITEM_NOT_FOUND"),
        ("9" * 30, 404, "ITEM_NOT_FOUND"),
        ("9" * 1200, 400, "INVALID_OPTION"),
    ],
)
def test_numbers_of_no_job(program: Program, number: Any, status: int, kind: str) -> None:
    assert refusal(program.get("info", job_id=number)) == (status, kind)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b'"text"', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"<a/>", "application/xml", 415),
        (b"--x", "multipart/form-data", 400),
    ],
)
def test_bodies_that_can_t_be_read_are_refused(program: Program, body: bytes, content_type: str, status: int) -> None:
    answer = program.client.post(f"{BASE}/new?v=4", body, content_type=content_type)
    assert refusal(answer) == (status, "INVALID_QUERY")


@pytest.mark.parametrize("verb", ["", "cancel", "list", "new/", "info/1", "%00"])
def test_any_other_path_is_not_there(program: Program, verb: str) -> None:
    assert refusal(program.get(verb)) == (404, "ITEM_NOT_FOUND")


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_other_methods_are_refused(program: Program, method: str) -> None:
    answer = getattr(program.client, method)(f"{BASE}/new?v=4&profile=automatic")
    assert refusal(answer) == (405, "INVALID_QUERY")
    assert not Order.objects.exists()


def test_to_ask_for_the_head_makes_nothing(program: Program) -> None:
    assert program.client.head(f"{BASE}/new?v=4&profile=automatic").status_code == 405
    assert not Order.objects.exists()


def test_a_caller_is_told_what_is_left_of_the_minute(program: Program) -> None:
    assert int(program.get("new", profile="automatic")["X-RateLimit-Remaining"]) > 0
