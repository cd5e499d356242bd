"""Who may upload, how much, and whose uploads there are for whom."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User
from accounts.permissions import grant
from tests.conftest import PASSWORD
from tests.uploads.conftest import UPLOADS, Tus
from whisper_jobs import resumable, uploads
from whisper_jobs.models import Upload
from whisper_jobs.uploads import MB

METHODS = ("HEAD", "PATCH", "DELETE")


def ask_all(client: Tus, path: str) -> set[int]:
    return {client.ask(name, path, b"x" if name == "PATCH" else b"", Upload_Offset="0").status_code for name in METHODS}


def test_an_upload_is_its_owner_s_alone(tus: Any, alice: User, bob: User, charlie: User, admin: User) -> None:
    path = tus(alice).begin(10)
    for other in (bob, charlie, admin):
        assert ask_all(tus(other), path) == {404}
    assert tus(alice).offset(path) == 0


def test_strangers_are_asked_who_they_are(tus: Any, alice: User) -> None:
    path = tus(alice).begin(10)
    assert ask_all(tus(None), path) == {401}
    refused = tus(None).create(10)
    assert (refused.status_code, refused.json()["ok"]) == (401, False)
    assert refused["WWW-Authenticate"].startswith("Bearer")
    assert tus(None).ask("OPTIONS", UPLOADS).status_code == 401


def test_who_may_not_use_the_queue_may_not_fill_the_disk(tus: Any, nobody: User) -> None:
    assert tus(nobody).create(10).status_code == 403
    assert not Upload.objects.exists()


def test_a_personal_token_is_good_for_uploads(alice: User) -> None:
    grant(alice, "whisper.api")
    client = APIClient(headers={"Authorization": f"Bearer {tokens.create(alice, tokens.API).token}"})
    path = Tus(client).begin(4)
    assert Tus(client).send(path, b"RIFF").status_code == 204


def test_a_token_of_who_lost_the_api_is_not(alice: User) -> None:
    client = APIClient(headers={"Authorization": f"Bearer {tokens.create(alice, tokens.API).token}"})
    assert Tus(client).create(4).status_code == 403


@pytest.mark.parametrize("bearer", ["tw_unknown", "unknown", "a.b.c"])
def test_a_wrong_bearer_is_401(db: None, bearer: str) -> None:
    assert Tus(APIClient(headers={"Authorization": f"Bearer {bearer}"})).create(4).status_code == 401


def test_a_jwt_is_good_too(alice: User) -> None:
    signed_in = APIClient().post("/api/account/login", {"email": alice.email, "password": PASSWORD}, format="json")
    client = APIClient(headers={"Authorization": f"Bearer {signed_in.json()['access']}"})
    assert Tus(client).create(4).status_code == 201


def test_a_session_needs_the_csrf_token(alice: User) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(alice)
    assert Tus(client).create(4).status_code == 403
    client.get("/whisper")
    cookie = client.cookies["csrftoken"].value
    assert Tus(client).create(4, X_CSRFToken=cookie).status_code == 201


def test_a_file_over_the_limit_is_refused_before_it_comes(tus: Any, alice: User, settings: Any) -> None:
    answer = tus(alice).create(settings.TOOLS.upload_max_mb * MB + 1)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "larger than this server takes" in answer.json()["message"]
    assert not Upload.objects.exists()


def test_a_full_disk_is_a_limit_that_says_so(tus: Any, alice: User, monkeypatch: Any) -> None:
    told = uploads.UploadLimit(configured_mb=100, disk_free_mb=2, effective_max_mb=1)
    monkeypatch.setattr(uploads, "limit", lambda: told)
    answer = tus(alice).create(2 * MB)
    assert answer.status_code == 413
    assert "disk is nearly full" in answer.json()["message"]


def test_an_empty_file_is_refused(tus: Any, alice: User) -> None:
    answer = tus(alice).create(0)
    assert (answer.status_code, answer.json()["code"]) == (422, "empty")


def test_one_user_may_have_so_many_unfinished_uploads(tus: Any, alice: User, bob: User) -> None:
    paths = [tus(alice).begin(1) for _ in range(resumable.MOST_WAITING)]
    answer = tus(alice).create(1)
    assert (answer.status_code, answer.json()["code"]) == (422, "uploads_waiting")
    assert tus(bob).create(1).status_code == 201
    tus(alice).ask("DELETE", paths[0])
    assert tus(alice).create(1).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_get_no_more() -> None:
    owner = User.objects.create_user("eve@example.test", None)
    begun: list[Upload] = []
    start = threading.Barrier(50)

    def begin() -> None:
        start.wait()
        try:
            with suppress(resumable.Refused):
                begun.append(resumable.begin(owner, resumable.Beginning(1)))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=begin) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(begun) == Upload.objects.count() == resumable.MOST_WAITING


def test_and_so_many_bytes_in_them(tus: Any, alice: User, monkeypatch: Any) -> None:
    room = uploads.UploadLimit(configured_mb=10**6, disk_free_mb=10**6, effective_max_mb=10**6)
    monkeypatch.setattr(uploads, "limit", lambda: room)
    most = resumable.MOST_WAITING_SIZES * 4096 * MB
    tus(alice).begin(most - 5)
    assert tus(alice).create(6).status_code == 422
    assert tus(alice).create(5).status_code == 201


def test_an_expired_upload_is_gone_and_counts_no_more(tus: Any, alice: User) -> None:
    path = tus(alice).begin(10)
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    for method in METHODS:
        answer = tus(alice).ask(method, path, b"x" if method == "PATCH" else b"", Upload_Offset="0")
        assert answer.status_code == 410
    assert answer.json()["code"] == "expired"
    for _ in range(resumable.MOST_WAITING):
        tus(alice).begin(1)


def test_uploads_are_not_throttled(tus: Any, alice: User, settings: Any) -> None:
    path = tus(alice).begin(1000)
    answers = {
        tus(alice).send(path, b"x", offset=place).status_code for place in range(settings.TOOLS.api_per_minute + 5)
    }
    assert answers == {204}
