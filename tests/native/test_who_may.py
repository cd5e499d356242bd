"""Who may do what: 401 without a name, 403 without the permission, 404 for what is not theirs."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from tests.conftest import PASSWORD
from tests.core.play import Stage

CALLS = [
    ("GET", "/api/whisper/status"),
    ("GET", "/api/whisper/jobs"),
    ("POST", "/api/whisper/jobs"),
    ("POST", "/api/whisper/run-now"),
]
JOB_CALLS = [
    ("GET", ""),
    ("DELETE", ""),
    ("POST", "/cancel"),
    ("POST", "/restart"),
    ("POST", "/again"),
    ("POST", "/share"),
    ("PATCH", "/share"),
    ("DELETE", "/share"),
    ("GET", "/segments"),
    ("GET", "/exports/txt"),
]


@pytest.mark.parametrize(("method", "path"), [*CALLS, *[(m, f"/api/whisper/jobs/1{p}") for m, p in JOB_CALLS]])
def test_anonymous_is_challenged(api: Any, db: None, method: str, path: str) -> None:
    answer = api(None).generic(method, path)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["ok"] is False


@pytest.mark.parametrize(("method", "path"), [*CALLS, *[(m, f"/api/whisper/jobs/1{p}") for m, p in JOB_CALLS]])
def test_without_the_permission_it_is_forbidden(api: Any, nobody: User, method: str, path: str) -> None:
    assert api(nobody).generic(method, path).status_code == 403


@pytest.mark.parametrize(("method", "path"), JOB_CALLS)
def test_anothers_job_is_not_found(api: Any, stage: Stage, alice: User, bob: User, method: str, path: str) -> None:
    job = stage.completed(alice)
    url = f"/api/whisper/jobs/{job.pk}{path}"
    data = '{"model": "auto"}' if path == "/again" else ""
    assert api(bob).generic(method, url, data, content_type="application/json").status_code == 404


def test_a_manager_sees_all_and_a_list_of_anothers_is_empty(
    api: Any, stage: Stage, alice: User, bob: User, charlie: User
) -> None:
    stage.submit(alice)
    assert len(api(charlie).get("/api/whisper/jobs").json()["jobs"]) == 1
    assert api(bob).get("/api/whisper/jobs").json()["jobs"] == []


def test_run_now_is_for_managers(api: Any, alice: User, charlie: User) -> None:
    body = {"limit": 1, "reset_failed": True}
    assert api(alice).post("/api/whisper/run-now", body, format="json").status_code == 403
    assert api(charlie).post("/api/whisper/run-now", body, format="json").status_code == 200


def test_login_gives_tokens_that_work(api: Any, alice: User) -> None:
    client = api(None)
    told = client.post("/api/account/login", {"email": "ALICE@example.test", "password": PASSWORD}).json()
    assert told["ok"] is True
    assert told["user"]["email"] == alice.email
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {told['access']}")
    assert client.get("/api/whisper/status").status_code == 200


def test_a_wrong_password_is_401(api: Any, alice: User) -> None:
    answer = api(None).post("/api/account/login", {"email": alice.email, "password": "no"})
    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer
    assert answer.json()["ok"] is False


def test_a_refresh_token_works_once_and_not_after_signing_out(api: Any, alice: User) -> None:
    client = api(None)
    first = client.post("/api/account/login", {"email": alice.email, "password": PASSWORD}).json()["refresh"]
    second = client.post("/api/account/refresh", {"refresh": first}).json()["refresh"]
    assert client.post("/api/account/refresh", {"refresh": first}).status_code == 401
    assert client.post("/api/account/logout", {"refresh": second}).status_code == 200
    assert client.post("/api/account/refresh", {"refresh": second}).status_code == 401
