"""GET and POST /v1/modules/scaiecho/speakers/{id}/warm: which workers hold a voice, and having them hold it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from tests.core.play import Stage
from tests.speakers.conftest import Enroll
from whisper_jobs import presence, speaker_nodes
from whisper_jobs.models import AuditEntry, EnrollmentStatus, Speaker, Step, VoiceSample, Worker
from whisper_jobs.speaker_nodes import Node
from whisper_jobs.states import StepState
from whisper_jobs.voices import shelf

URL = "/v1/modules/scaiecho/speakers"
Api = Callable[[User | None], APIClient]


def standing(api: Api, user: User, speaker: Speaker) -> Any:
    return api(user).get(f"{URL}/{speaker.pk}/warm").json()["data"]


def warmed(api: Api, user: User, speaker: Speaker, *nodes: str) -> Any:
    response = api(user).post(f"{URL}/{speaker.pk}/warm", {"node_ids": list(nodes)} if nodes else {}, format="json")
    assert response.status_code == 200, response.json()
    return response.json()["data"]


@pytest.fixture
def silent(db: None) -> str:
    """A worker that is up elsewhere and answers nothing."""
    Worker.objects.create(
        name="elsewhere:7:7/speech", lane="speech", host="elsewhere", pid=7, born=7.0, seen_at=timezone.now()
    )
    return "elsewhere:7:7/speech"


def test_a_node_holds_a_voice_once_it_is_warmed(api: Api, ada: User, enroll: Enroll, node: Node) -> None:
    speaker = enroll(ada)
    before = standing(api, ada, speaker)
    assert before["candidates"] == [node.name] and before["enrolled_on"] == []
    assert before["nodes"] == [{"node_id": node.name, "status": "cold", "error": None, "at": None}]
    done = warmed(api, ada, speaker)
    assert done["enrolled_on"] == [node.name] and done["skipped_not_candidate"] == []
    assert done["nodes"][0]["status"] == "warm" and done["enroll_errors"] == {}
    assert standing(api, ada, speaker)["enrolled_on"] == [node.name]
    assert shelf.versions() == {speaker.pk: 1}
    assert AuditEntry.objects.get().action == "speaker.warmed"


def test_it_can_be_warmed_again(api: Api, ada: User, enroll: Enroll, node: Node) -> None:
    speaker = enroll(ada)
    assert warmed(api, ada, speaker)["enrolled_on"] == warmed(api, ada, speaker)["enrolled_on"] == [node.name]


@pytest.mark.usefixtures("hasty")
def test_only_those_that_are_asked_for_are_told_of(
    api: Api, ada: User, enroll: Enroll, node: Node, silent: str
) -> None:
    done = warmed(api, ada, enroll(ada), node.name, "nobody", "nobody", "x\0y")
    assert [one["node_id"] for one in done["nodes"]] == [node.name]
    assert done["skipped_not_candidate"] == ["nobody", "xy"]


@pytest.mark.usefixtures("hasty")
def test_a_worker_that_does_not_answer_is_told_of(api: Api, ada: User, enroll: Enroll, node: Node, silent: str) -> None:
    done = warmed(api, ada, enroll(ada))
    assert done["enrolled_on"] == [node.name]
    assert done["enroll_errors"] == {silent: "The worker did not answer in time."}


@pytest.mark.usefixtures("hasty")
def test_a_worker_at_work_will_follow(
    api: Api, ada: User, enroll: Enroll, node: Node, silent: str, stage: Stage
) -> None:
    stage.fetched(ada)
    Step.objects.filter(job__owner=ada).update(lane="speech", state=StepState.RUNNING, worker="elsewhere:7:7")
    done = warmed(api, ada, enroll(ada), silent)
    assert done["nodes"][0]["status"] == "busy" and done["enrolled_on"] == [] and done["enroll_errors"] == {}


@pytest.mark.usefixtures("hasty")
def test_a_worker_that_dies_meanwhile_is_told_of(
    api: Api, ada: User, enroll: Enroll, node: Node, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(speaker_id: object) -> bool:
        Worker.objects.filter(name=silent).delete()
        return True

    monkeypatch.setattr(speaker_nodes, "announce", die)
    assert warmed(api, ada, enroll(ada), silent)["enroll_errors"] == {silent: "The worker is gone."}


def test_without_a_broker_nobody_can_be_told(api: Api, ada: User, enroll: Enroll, silent: str) -> None:
    assert warmed(api, ada, enroll(ada))["enroll_errors"] == {silent: "The message broker does not answer."}


def test_without_workers_there_is_nobody_to_warm(api: Api, ada: User, enroll: Enroll, silent: str) -> None:
    Worker.objects.update(seen_at=timezone.now() - timedelta(minutes=1))
    done = warmed(api, ada, enroll(ada), silent)
    assert done["nodes"] == [] and done["skipped_not_candidate"] == [silent] and done["note"]


def test_a_voice_that_can_t_be_opened_fails(api: Api, ada: User, enroll: Enroll, node: Node) -> None:
    speaker = enroll(ada)
    VoiceSample.objects.update(sealed="sealed under a key that is lost")
    done = warmed(api, ada, speaker)
    assert done["nodes"][0]["status"] == "failed" and list(done["enroll_errors"]) == [node.name]


def test_a_speaker_without_a_reference_can_t_be_warmed(api: Api, ada: User, enroll: Enroll, node: Node) -> None:
    response = api(ada).post(f"{URL}/{enroll(ada, reference='').pk}/warm")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "SCAIECHO_SPEAKER_NO_REFERENCE")


def test_a_speaker_whose_enrolment_failed_can_t_be_warmed(api: Api, ada: User, enroll: Enroll, node: Node) -> None:
    response = api(ada).post(f"{URL}/{enroll(ada, status=EnrollmentStatus.FAILED).pk}/warm")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "SCAIECHO_SPEAKER_NOT_READY_FOR_WARMING")


@pytest.mark.parametrize(
    "body", [{"node_ids": "all"}, {"node_ids": [1, {}]}, {"node_ids": ["x" * 121]}, ["x"], {"node_ids": None}]
)
def test_what_names_no_nodes_is_refused(api: Api, ada: User, enroll: Enroll, body: Any) -> None:
    response = api(ada).post(f"{URL}/{enroll(ada).pk}/warm", body, format="json")
    assert (response.status_code, response.json()["error"]["code"]) == (422, "SCAIECHO_INVALID")


def test_whom_one_does_not_see_one_can_t_warm(api: Api, ben: User, ada: User, enroll: Enroll) -> None:
    url = f"{URL}/{enroll(ada).pk}/warm"
    assert api(ben).get(url).status_code == api(ben).post(url).status_code == 404


def test_what_a_dead_worker_held_is_not_told(api: Api, ada: User, enroll: Enroll, node: Node) -> None:
    speaker = enroll(ada)
    warmed(api, ada, speaker)
    presence.gone(presence.me().name)
    told = standing(api, ada, speaker)
    assert told["candidates"] == told["enrolled_on"] == []
