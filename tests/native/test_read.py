"""GET: status, lists, one job, its segments and exports, in the published shapes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.contract.documents import JOB_FIELDS
from tests.core.play import Stage
from whisper_jobs.models import Job, Segment, Step

PUBLISHED = [
    *JOB_FIELDS,
    "id",
    "status",
    "status_label",
    "stage",
    "progress",
    "revision",
    "created_at",
    "started_at",
    "completed_at",
    "model",
    "engine",
    "language",
    "detected_language",
    "transcript_text",
    "speaker_aware_transcript",
    "segments_url",
    "exports",
    "failure_code",
    "failure_error",
    "attempts",
    "queue_position",
    "eta_seconds",
    "coverage",
    "steps",
]


def test_status_has_the_published_shape(api: Any, alice: User, stage: Stage) -> None:
    stage.completed(alice)
    told = api(alice).get("/api/whisper/status").json()
    assert told["summary"] == {"queued": 0, "processing": 0, "completed": 1, "failed": 0}
    assert told["can_manage_all"] is False
    limit = told["config"]["upload_limit"]
    assert limit["php_upload_max_mb"] is limit["php_post_max_mb"] is None
    assert limit["limited_by_php"] is False
    assert limit["limited_by"] == "configured"
    assert told["config"]["upload_max_mb"] == limit["effective_max_mb"] == limit["configured_mb"]


def test_a_manager_may_manage_all(api: Any, charlie: User) -> None:
    assert api(charlie).get("/api/whisper/status").json()["can_manage_all"] is True


def test_a_job_has_every_published_field(api: Any, alice: User, stage: Stage) -> None:
    job = stage.completed(alice)
    told = api(alice).get(f"/api/whisper/jobs/{job.pk}").json()["job"]
    assert set(PUBLISHED) <= set(told)
    assert told["progress"] == 100
    assert told["transcript_text"] == "done"
    assert [step["kind"] for step in told["steps"]] == ["prepare", "fetch", "decode", "window", "assemble"]
    assert {step["state"] for step in told["steps"]} == {"done"}
    assert told["runtime_log"][0]["message"] == "Queued."


def test_the_text_so_far_is_shown_while_a_job_runs(api: Any, alice: User, stage: Stage) -> None:
    job = stage.decoded(alice, windows=3)
    stage.hear(stage.run("speech"))
    told = api(alice).get(f"/api/whisper/jobs/{job.pk}").json()["job"]
    assert told["transcript_text"] == "window0"
    assert told["windows"] == {"total": 3, "done": 1}


def test_a_list_goes_on_behind_its_cursor(api: Any, alice: User, stage: Stage) -> None:
    jobs = [stage.submit(alice).pk for _ in range(5)]
    first = api(alice).get("/api/whisper/jobs?limit=2").json()
    second = api(alice).get(f"/api/whisper/jobs?limit=2&cursor={first['next']}").json()
    last = api(alice).get(f"/api/whisper/jobs?limit=2&cursor={second['next']}").json()
    told = [job["id"] for page in (first, second, last) for job in page["jobs"]]
    assert told == jobs[::-1]
    assert last["next"] is None


def test_a_list_is_narrowed_by_status_and_text(api: Any, alice: User, stage: Stage) -> None:
    done = stage.completed(alice, source_label="Board meeting")
    stage.submit(alice, source_label="Board dinner")

    def ids(query: str) -> list[int]:
        return [job["id"] for job in api(alice).get(f"/api/whisper/jobs?{query}").json()["jobs"]]

    assert ids("q=board&status=completed") == [done.pk]
    assert len(ids("q=BOARD")) == 2
    assert ids("q=nothing-like-it") == []
    assert len(ids("status=active")) == 1


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "status=odd", "cursor=-1", "channel=fax"])
def test_a_bad_parameter_is_refused(api: Any, alice: User, query: str) -> None:
    assert api(alice).get(f"/api/whisper/jobs?{query}").status_code == 422


def test_a_list_takes_the_same_queries_whatever_its_length(
    api: Any, alice: User, stage: Stage, django_assert_max_num_queries: Any
) -> None:
    seed = stage.submit(alice)
    Job.objects.bulk_create([_copy(seed) for _ in range(99)])
    client = api(alice)
    with django_assert_max_num_queries(6):
        assert len(client.get("/api/whisper/jobs?limit=100").json()["jobs"]) == 100


def _copy(job: Job) -> Job:
    fields = {field.attname: getattr(job, field.attname) for field in Job._meta.concrete_fields if field.name != "id"}
    return Job(**fields)


def test_a_job_takes_the_same_queries_whatever_its_length(api: Any, alice: User, stage: Stage) -> None:
    job, client = stage.completed(alice, windows=2), api(alice)
    url = f"/api/whisper/jobs/{job.pk}"

    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(path).status_code == 200
        return len(seen)

    paths = (url, f"{url}/segments?limit=1000")
    short = [queries(path) for path in paths]
    step = Step.objects.filter(job=job, kind="window").last()
    assert step is not None
    rows = [
        Segment(job=job, step=step, position=n, start=n, end=n + 1, text="word " * 8, revision=1)
        for n in range(9, 10_009)
    ]
    Segment.objects.bulk_create(rows, batch_size=2000)
    assert [queries(path) for path in paths] == short
    page = client.get(f"{url}/segments?limit=1000&offset=9500").json()
    assert (len(page["segments"]), page["next"]) == (502, None)


def test_positions_take_turns_between_owners(api: Any, alice: User, bob: User, charlie: User, stage: Stage) -> None:
    mine = [stage.submit(alice).pk, stage.submit(alice).pk]
    others = stage.submit(bob).pk
    places = {job["id"]: job["queue_position"] for job in api(charlie).get("/api/whisper/jobs").json()["jobs"]}
    assert places == {mine[0]: 1, others: 2, mine[1]: 3}


def test_segments_are_paged(api: Any, alice: User, stage: Stage) -> None:
    job = stage.completed(alice, windows=3)
    first = api(alice).get(f"/api/whisper/jobs/{job.pk}/segments?limit=2").json()
    assert [one["text"] for one in first["segments"]] == ["window0", "window1"]
    rest = api(alice).get(f"/api/whisper/jobs/{job.pk}/segments?limit=2&offset={first['next']}").json()
    assert [one["text"] for one in rest["segments"]] == ["window2"]
    assert rest["next"] is None


async def whole(answer: Any) -> str:
    return b"".join([piece async for piece in answer.streaming_content]).decode()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("txt", "window0"), ("srt", "00:00:00,000 -->"), ("vtt", "WEBVTT"), ("json", '"segments"')],
)
def test_exports_are_attachments(api: Any, alice: User, stage: Stage, name: str, expected: str) -> None:
    job = stage.completed(alice)
    url = api(alice).get(f"/api/whisper/jobs/{job.pk}").json()["job"]["exports"][name]
    answer = api(alice).get(url)
    body = async_to_sync(whole)(answer)
    assert expected in body
    assert answer["Content-Disposition"] == f'attachment; filename="transcript-{job.pk}.{name}"'
    if name == "json":
        assert len(json.loads(body)["segments"]) == 2


def test_an_unfinished_job_has_no_exports(api: Any, alice: User, stage: Stage) -> None:
    job = stage.submit(alice)
    assert api(alice).get(f"/api/whisper/jobs/{job.pk}/exports/txt").status_code == 422
    unknown = api(alice).get(f"/api/whisper/jobs/{job.pk}/exports/exe")
    assert unknown.status_code == 404
    assert "srt" in unknown.json()["message"]
