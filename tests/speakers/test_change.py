"""PATCH /v1/modules/scaiecho/speakers/{id}: what can be changed, and by whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from tests.speakers.conftest import Enroll
from whisper_jobs.models import AuditEntry, Scope, Speaker

URL = "/v1/modules/scaiecho/speakers"
Api = Callable[[User | None], APIClient]


def patched(api: Api, user: User, speaker: Speaker, changes: Any) -> Any:
    return api(user).patch(f"{URL}/{speaker.pk}", changes, format="json")


def test_name_and_description_can_be_changed(api: Api, ada: User, enroll: Enroll) -> None:
    speaker = enroll(ada)
    response = patched(api, ada, speaker, {"display_name": " Countess\nof Lovelace ", "description": ""})
    assert response.status_code == 200
    assert response.json()["data"]["display_name"] == "Countess of Lovelace"
    [entry] = AuditEntry.objects.all()
    assert entry.action == "speaker.changed" and entry.detail == {"fields": ["display_name"]}


def test_what_changes_nothing_is_no_change(api: Api, ada: User, enroll: Enroll) -> None:
    speaker = enroll(ada)
    assert patched(api, ada, speaker, {"display_name": speaker.display_name}).status_code == 200
    assert patched(api, ada, speaker, {}).status_code == 200
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("field", ["scope", "owner", "language_primary", "consent_text", "enrollment_status", "id"])
def test_whose_a_speaker_is_stays(api: Api, ada: User, enroll: Enroll, field: str) -> None:
    speaker = enroll(ada)
    response = patched(api, ada, speaker, {field: "tenant", "display_name": "Other"})
    assert (response.status_code, response.json()["error"]["code"]) == (422, "SCAIECHO_INVALID")
    assert list(response.json()["error"]["errors"]) == [field]
    speaker.refresh_from_db()
    assert speaker.display_name == "Ada" and speaker.scope == Scope.USER


@pytest.mark.parametrize(
    "changes",
    [{"display_name": ""}, {"display_name": None}, {"display_name": "x" * 101}, {"display_name": ["x"]}, ["x"], "x"],
)
def test_what_can_t_be_a_name_is_refused(api: Api, ada: User, enroll: Enroll, changes: Any) -> None:
    assert patched(api, ada, enroll(ada), changes).status_code == 422


def test_who_sees_a_speaker_may_not_always_change_it(
    api: Api, ada: User, ben: User, chief: User, eve: User, admin: User, enroll: Enroll
) -> None:
    ours, everybodys = enroll(ada, scope=Scope.TENANT), enroll(admin, scope=Scope.GLOBAL)
    for user, speaker in ((ben, ours), (chief, everybodys)):
        response = patched(api, user, speaker, {"display_name": "Other"})
        assert (response.status_code, response.json()["error"]["code"]) == (403, "SCAIECHO_SPEAKER_ACCESS_DENIED")
        assert api(user).delete(f"{URL}/{speaker.pk}").status_code == 403
        assert api(user).post(f"{URL}/{speaker.pk}/warm").status_code == 403
    assert patched(api, eve, ours, {"display_name": "Other"}).status_code == 404
    for user, speaker in ((chief, ours), (admin, ours), (admin, everybodys)):
        assert patched(api, user, speaker, {"display_name": f"by {user.email}"}).status_code == 200
