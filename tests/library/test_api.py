"""Search, tags and the trash for programs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from tests.core.play import Stage
from tests.library.conftest import Recording
from whisper_jobs.models import Job, Tag

Api = Callable[[User | None], APIClient]
API = "/api/whisper"


def test_search_tells_jobs_tags_and_places(api: Api, alice: User, recording: Recording) -> None:
    job = recording(alice, "Council", ["nothing", "the taxes rise"])
    client = api(alice)
    client.put(f"{API}/jobs/{job.pk}/tags", {"tags": ["Money"]}, format="json")
    answer = client.get(f"{API}/search", {"q": "taxes"}).json()
    (found,) = answer["results"]
    assert found["job"]["id"] == job.pk
    assert [tag["name"] for tag in found["tags"]] == ["Money"]
    assert found["places"] == [{"start": 10.0, "text": "the taxes rise", "marks": [[4, 9]]}]
    assert answer["next"] is None


def test_search_leads_on(api: Api, alice: User, stage: Stage) -> None:
    for _ in range(26):
        stage.submit(alice, source_label="Talk")
    first = api(alice).get(f"{API}/search", {"q": "talk"}).json()
    assert len(first["results"]) == 25
    second = api(alice).get(f"{API}/search?q=talk&cursor={first['next']}").json()
    assert (len(second["results"]), second["next"]) == (1, None)
    assert api(alice).get(f"{API}/search?q=x&cursor=0").status_code == 422


def test_tags_are_made_changed_and_deleted(api: Api, alice: User, bob: User) -> None:
    client = api(alice)
    tag = client.post(f"{API}/tags", {"name": "Music", "colour": 3}, format="json").json()["tag"]
    assert (tag["name"], tag["colour"]) == ("Music", 3)
    assert client.post(f"{API}/tags", {"name": "music"}, format="json").status_code == 422
    address = f"{API}/tags/{tag['id']}"
    assert api(bob).patch(address, {"name": "x"}, format="json").status_code == 404
    assert client.patch(address, {"name": "Songs"}, format="json").json()["tag"] == {**tag, "name": "Songs"}
    assert client.get(f"{API}/tags").json()["tags"] == [{**tag, "name": "Songs"}]
    assert client.delete(address).status_code == 200
    assert not Tag.objects.exists()


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "x" * 51}, {"name": "x", "colour": 12}, {"name": "\u202e"}]
)
def test_a_bad_tag_is_refused(api: Api, alice: User, body: dict[str, object]) -> None:
    assert api(alice).post(f"{API}/tags", body, format="json").status_code == 422


def test_a_jobs_tags_are_what_was_put(api: Api, alice: User, recording: Recording) -> None:
    job = recording(alice, "Talk")
    client, address = api(alice), f"{API}/jobs/{job.pk}/tags"

    def put(*names: str) -> list[str]:
        return [tag["name"] for tag in client.put(address, {"tags": names}, format="json").json()["tags"]]

    assert put("b", "a", "A") == ["a", "b"]
    assert put("c") == ["c"]
    assert [tag["name"] for tag in client.get(address).json()["tags"]] == ["c"]
    assert put() == []
    assert client.put(address, {"tags": ["x" * 51]}, format="json").status_code == 422


def test_the_trash_takes_and_gives_back(api: Api, alice: User, stage: Stage) -> None:
    job, client = stage.completed(alice), api(alice)
    address = f"{API}/jobs/{job.pk}"
    assert client.post(f"{address}/trash").json()["job"]["id"] == job.pk
    assert client.get(address).status_code == 404
    assert client.delete(address).status_code == 404
    assert client.post(f"{address}/trash").status_code == 404
    assert client.post(f"{address}/untrash").status_code == 200
    assert client.get(address).status_code == 200
    client.delete(address)
    assert not Job.objects.exists()


def test_a_job_at_work_is_refused(api: Api, alice: User, stage: Stage) -> None:
    job = stage.fetched(alice)
    answer = api(alice).post(f"{API}/jobs/{job.pk}/trash")
    assert (answer.status_code, answer.json()["code"]) == (422, "not_allowed")
