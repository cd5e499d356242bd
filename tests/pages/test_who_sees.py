"""Every page and button of a job, read from the resolver: strangers find nothing, and neither does anybody in the trash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests.conftest import person
from tests.core.play import Stage
from tests.native.routes import calls
from whisper_jobs import trash
from whisper_jobs.models import Job

Visit = Callable[[User | None], Client]
OF_A_JOB = calls("whisper/jobs/")
every_call = pytest.mark.parametrize(("method", "route"), OF_A_JOB)
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def talk(lasting_rows: None) -> Job:
    return Stage().completed(person("alice", "whisper.use"))


@pytest.fixture(scope="module")
def alice(talk: Job) -> User:
    return talk.owner


def ask(client: Client, method: str, route: str, job: Job) -> Any:
    path = "/" + route.replace("<int:job_id>", str(job.pk)).replace("<int:number>", "0")
    assert "<" not in path, "tell this test what stands there"
    return client.generic(method, path)


def test_there_is_something_to_ask_for() -> None:
    assert ("GET", "whisper/jobs/<int:job_id>/correct") in OF_A_JOB
    assert ("POST", "whisper/jobs/<int:job_id>/history") in OF_A_JOB


@every_call
def test_strangers_find_nothing(method: str, route: str, visit: Visit, talk: Job, bob: User) -> None:
    assert ask(visit(bob), method, route, talk).status_code == 404


@every_call
def test_visitors_sign_in_first(method: str, route: str, visit: Visit, talk: Job) -> None:
    answer = ask(visit(None), method, route, talk)
    assert (answer.status_code, "/login" in answer.headers["Location"]) == (302, True)


@every_call
def test_whoever_may_not_use_it_is_told_so(method: str, route: str, visit: Visit, talk: Job, nobody: User) -> None:
    assert ask(visit(nobody), method, route, talk).status_code == 403


@every_call
def test_in_the_trash_it_has_no_pages(method: str, route: str, visit: Visit, talk: Job, alice: User) -> None:
    trash.discard(talk.pk)
    assert ask(visit(alice), method, route, talk).status_code == 404


@pytest.mark.parametrize("route", [route for method, route in OF_A_JOB if method == "GET"])
def test_its_owner_and_the_manager_see_the_same(
    route: str, visit: Visit, talk: Job, alice: User, charlie: User
) -> None:
    own, managed = (ask(visit(user), "GET", route, talk).status_code for user in (alice, charlie))
    assert own == managed
