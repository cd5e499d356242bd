"""Who may call: JWT, personal token or session; 401 without a name, 403 without the permission, 429 when too often."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import PersonalToken, User
from accounts.permissions import grant
from tests.scaiecho.conftest import BASE, POLICY, TRANSCRIBE, form, poll_path, refusal
from whisper_jobs.models import Job

CALLS = [("POST", TRANSCRIBE), ("GET", poll_path(1)), ("GET", POLICY), ("PATCH", POLICY)]


def with_token(user: User) -> APIClient:
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {tokens.create(user, tokens.API).token}")


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_who_has_no_name_is_challenged(db: None, method: str, path: str) -> None:
    answer = APIClient().generic(method, path)
    assert refusal(answer) == (401, "SCAIECHO_UNAUTHORIZED")
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer nonsense", "Bearer tw_nonsense", "Basic YTpi", "Bearer ä"]
)
def test_a_bearer_that_nobody_knows_is_challenged(db: None, header: str) -> None:
    answer = APIClient().post(TRANSCRIBE, form(), HTTP_AUTHORIZATION=header)
    assert refusal(answer) == (401, "SCAIECHO_UNAUTHORIZED")
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_without_the_permission_it_is_forbidden(jwt: Any, nobody: User, method: str, path: str) -> None:
    assert refusal(jwt(nobody).generic(method, path)) == (403, "SCAIECHO_FORBIDDEN")


def test_a_personal_token_is_good_for_whoever_may_use_the_api(erin: User) -> None:
    assert with_token(erin).post(TRANSCRIBE, form()).status_code == 202


def test_a_personal_token_is_no_good_without_the_permission_for_the_api(frank: User) -> None:
    assert refusal(with_token(frank).post(TRANSCRIBE, form())) == (403, "SCAIECHO_FORBIDDEN")


def test_a_token_that_was_revoked_or_belongs_to_another_provider_is_not_known(erin: User) -> None:
    client, other = with_token(erin), tokens.create(erin, tokens.OPENAI).token
    tokens.revoke(PersonalToken.objects.get(provider=tokens.API))
    assert refusal(client.get(poll_path(1))) == (401, "SCAIECHO_UNAUTHORIZED")
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {other}")
    assert refusal(client.get(poll_path(1))) == (401, "SCAIECHO_UNAUTHORIZED")


def test_who_was_deactivated_is_not_known(jwt: Any, erin: User) -> None:
    clients = jwt(erin), with_token(erin)
    erin.is_active = False
    erin.save()
    assert {refusal(client.get(poll_path(1))) for client in clients} == {(401, "SCAIECHO_UNAUTHORIZED")}


def test_a_page_calls_with_its_session_and_its_csrf_token(frank: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(frank)
    assert refusal(client.post(TRANSCRIBE, form())) == (403, "SCAIECHO_FORBIDDEN")
    client.get("/whisper")
    told = client.cookies["csrftoken"].value
    assert client.post(TRANSCRIBE, form(), headers={"X-CSRFToken": told}).status_code == 202
    assert Job.objects.count() == 1


def test_admins_have_all_permissions(jwt: Any, admin: User) -> None:
    assert jwt(admin).post(TRANSCRIBE, form(diarize="true")).status_code == 202


def test_a_permission_given_now_is_good_at_once(jwt: Any, nobody: User) -> None:
    client = jwt(nobody)
    assert client.post(TRANSCRIBE, form()).status_code == 403
    grant(nobody, "scaiecho:transcribe")
    assert client.post(TRANSCRIBE, form()).status_code == 202


def test_who_calls_too_often_is_told_when_to_come_back(jwt: Any, frank: User, tools: Any) -> None:
    tools(api_per_minute=1)
    client = jwt(frank)
    first, second = (client.get(poll_path(1)) for _ in range(2))
    assert (first["X-RateLimit-Limit"], first["X-RateLimit-Remaining"]) == ("1", "0")
    assert refusal(second) == (429, "SCAIECHO_RATE_LIMITED")
    assert int(second["Retry-After"]) > 0


@pytest.mark.parametrize(
    "path", ["", "/", "nothing", "transcribe/", "transcribe/jobs/", "transcribe/jobs/1/x", "healthz/"]
)
def test_other_paths_are_not_found_in_the_same_envelope(db: None, path: str) -> None:
    assert refusal(Client().get(f"{BASE}/{path}")) == (404, "SCAIECHO_NOT_FOUND")


def test_a_name_that_is_not_this_servers_is_refused_in_the_same_envelope(db: None) -> None:
    answer = Client().get(f"{BASE}/healthz", HTTP_HOST="evil.example")
    assert refusal(answer) == (400, "SCAIECHO_BAD_REQUEST")
