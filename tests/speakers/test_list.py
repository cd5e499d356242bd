"""GET /v1/modules/scaiecho/speakers and one of them: who sees whom, filters, pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from tests.speakers.conftest import Enroll
from whisper_jobs import speaker_erasure
from whisper_jobs.models import EnrollmentStatus, Scope
from whisper_jobs.speaker_nodes import Node

URL = "/v1/modules/scaiecho/speakers"
Api = Callable[[User | None], APIClient]


def names(api: Api, user: User, **asked: Any) -> list[str]:
    response = api(user).get(URL, asked)
    assert response.status_code == 200, response.json()
    return [one["display_name"] for one in response.json()["data"]["speakers"]]


def test_each_sees_the_own_the_tenant_s_and_everybody_s(
    api: Api, ada: User, ben: User, eve: User, admin: User, enroll: Enroll
) -> None:
    enroll(ada, "mine")
    enroll(ada, "ours", scope=Scope.TENANT)
    enroll(admin, "everybody's", scope=Scope.GLOBAL)
    enroll(eve, "theirs", scope=Scope.TENANT)
    assert names(api, ada) == ["everybody's", "ours", "mine"]
    assert names(api, ben) == ["everybody's", "ours"]
    assert names(api, eve) == ["theirs", "everybody's"]
    assert len(names(api, admin)) == 4


def test_a_speaker_that_one_does_not_see_is_not_there(
    api: Api, ada: User, ben: User, eve: User, enroll: Enroll
) -> None:
    mine, ours = enroll(ada), enroll(ada, scope=Scope.TENANT)
    assert api(ada).get(f"{URL}/{mine.pk}").json()["data"]["speaker_id"] == str(mine.pk)
    assert api(ben).get(f"{URL}/{ours.pk}").status_code == 200
    for user, key in ((ben, mine.pk), (eve, ours.pk), (ada, uuid4()), (ada, "1"), (ada, "../x"), (ada, "%00")):
        response = api(user).get(f"{URL}/{key}")
        assert response.status_code == 404, key
    response = api(ben).get(f"{URL}/{mine.pk}")
    assert response.json()["error"]["code"] == "SCAIECHO_SPEAKER_NOT_FOUND"


def test_filters_narrow_the_list(api: Api, ada: User, enroll: Enroll) -> None:
    enroll(ada, "english")
    enroll(ada, "swedish", language_primary="sv")
    enroll(ada, "ours", scope=Scope.TENANT)
    enroll(ada, "waiting", status=EnrollmentStatus.PENDING)
    assert names(api, ada, language="SV") == ["swedish"]
    assert names(api, ada, scope="tenant") == ["ours"]
    assert names(api, ada, enrollment_status="pending") == ["waiting"]
    assert names(api, ada, enrollment_status="ready", language="en", scope="user") == ["english"]
    assert names(api, ada, enrollment_status="evicted") == []


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": 0},
        {"limit": 201},
        {"limit": "x"},
        {"scope": "x"},
        {"language": "xyz"},
        {"cursor": "x"},
        {"cursor": str(uuid4())},
    ],
)
def test_a_filter_that_is_none_is_refused(api: Api, ada: User, asked: dict[str, Any]) -> None:
    response = api(ada).get(URL, asked)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "SCAIECHO_INVALID")


@pytest.mark.usefixtures("hasty")
def test_pages_follow_each_other_also_when_their_last_one_is_erased(api: Api, ada: User, enroll: Enroll) -> None:
    made = [enroll(ada, f"number {number}", number=number) for number in range(5)]
    first = api(ada).get(URL, {"limit": 2}).json()["data"]
    assert [one["display_name"] for one in first["speakers"]] == ["number 4", "number 3"]
    assert first["next"] == str(made[3].pk)
    speaker_erasure.erase(made[3].pk, actor=ada)
    second = api(ada).get(URL, {"limit": 2, "cursor": first["next"]}).json()["data"]
    assert [one["display_name"] for one in second["speakers"]] == ["number 2", "number 1"]
    third = api(ada).get(URL, {"limit": 2, "cursor": second["next"]}).json()["data"]
    assert [one["display_name"] for one in third["speakers"]] == ["number 0"] and third["next"] is None


def test_a_long_list_costs_as_many_queries_as_a_short_one(api: Api, ada: User, enroll: Enroll, node: Node) -> None:
    client = api(ada)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(URL)
        return len(captured)

    node.follow(enroll(ada, number=1).pk)
    queries()
    few = queries()
    for number in range(2, 8):
        node.follow(enroll(ada, number=number).pk)
    assert queries() == few
    assert all(one["enrolled_on"] == [node.name] for one in client.get(URL).json()["data"]["speakers"])


def test_who_may_not_enrol_sees_nobody(api: Api, alice: User) -> None:
    assert api(alice).get(URL).status_code == 403
