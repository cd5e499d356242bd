"""A token of the sandbox sees jobs of the sandbox alone, and starts no work anywhere."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from accounts.permissions import grant
from tests.core.play import Stage, fresh
from tests.native.routes import calls
from tests.sandbox.conftest import HandIn, Play, bearer
from whisper_jobs import intake, queries, recovery
from whisper_jobs.models import Job, Note, Step, Tag, Upload
from whisper_jobs.runs import NotAllowed
from whisper_jobs.sandbox import Script

TOKEN_API = "api/whisper/transcribe"
#: An id that nothing has.
NOBODY = "00000000-0000-4000-8000-000000000000"
BODIES = {
    "translate": {"language": "sv"},
    "corrections": {"request_id": str(uuid4()), "kind": "replace", "find": "window", "replace": "door"},
    "preview": {"find": "window", "replace": "door"},
    "review": {"action": "take"},
    "notes": {"start": 1.5},
    "tags": {"tags": ["Music"]},
}
OF_A_JOB = [(method, route) for method, route in calls(TOKEN_API) if "<int:job_id>" in route]


def ask(client: APIClient, method: str, route: str, job: Job) -> Any:
    path = "/" + route.replace("<int:job_id>", str(job.pk)).replace("<str:name>", "txt").replace("<int:note_id>", "1")
    body = json.dumps(BODIES.get(path.rsplit("/", 1)[1], {}))
    return client.get(path) if method == "GET" else client.generic(method, path, body, content_type="application/json")


def test_another_job_of_its_owner_is_not_there(stage: Stage, program: APIClient, robin: User, settings: Any) -> None:
    settings.TOOLS = settings.TOOLS.__class__(**{**vars_of(settings.TOOLS), "api_per_minute": 1000})
    job = stage.completed(robin, channel="api")
    Note.objects.create(pk=1, job=job, author=robin, start=1.0, end=2.0)
    assert len(OF_A_JOB) > 20
    statuses = {f"{method} {route}": ask(program, method, route, job).status_code for method, route in OF_A_JOB}
    assert set(statuses.values()) == {404}, statuses


def vars_of(frozen: Any) -> dict[str, Any]:
    return {name: getattr(frozen, name) for name in frozen.__dataclass_fields__}


def test_lists_counts_and_the_search_know_the_sandbox_alone(
    stage: Stage, program: APIClient, real_token: str, robin: User, hand_in: HandIn, play: Play
) -> None:
    real = stage.completed(robin, channel="api", source_label="A made-up title")
    made_up = play(hand_in())
    assert [one["id"] for one in program.get(f"/{TOKEN_API}/jobs").json()["jobs"]] == [made_up.pk]
    assert program.get(f"/{TOKEN_API}/status").json()["summary"]["completed"] == 1
    found = program.get(f"/{TOKEN_API}/search?q=made-up").json()
    assert [one["job"]["id"] for one in found["results"]] == [made_up.pk]
    both = bearer(real_token).get(f"/{TOKEN_API}/jobs").json()["jobs"]
    assert [(one["id"], one["sandbox"]) for one in both] == [(made_up.pk, True), (real.pk, False)]
    assert bearer(real_token).get(f"/{TOKEN_API}/status").json()["summary"]["completed"] == 2


def test_nothing_more_is_made_of_a_job_that_nobody_has_heard(
    program: APIClient, hand_in: HandIn, play: Play, robin: User
) -> None:
    grant(robin, "provider_openai")
    job = play(hand_in())
    before = list(Step.objects.values_list("pk", "state"))
    for act in ("analyze", "translate", "diarize", "refill"):
        answer = ask(program, "POST", f"{TOKEN_API}/jobs/<int:job_id>/{act}", job)
        assert (answer.status_code, answer.json()["code"]) == (422, "not_allowed"), act
        assert "sandbox" in answer.json()["message"], act
    with pytest.raises(NotAllowed):
        intake.again(job, robin, model="auto")
    assert list(Step.objects.values_list("pk", "state")) == before


@pytest.mark.parametrize("act", ["segments", "exports/srt", "exports/json", "callback/attempts", "notes", "spots", ""])
def test_what_is_read_of_it_is_as_of_any_other(program: APIClient, hand_in: HandIn, play: Play, act: str) -> None:
    job = play(hand_in())
    assert program.get(f"/{TOKEN_API}/jobs/{job.pk}/{act}".rstrip("/")).status_code == 200


def test_it_is_corrected_shared_and_noted_as_any_other(program: APIClient, hand_in: HandIn, play: Play) -> None:
    job = play(hand_in(Script(segments=3)))
    here = f"/{TOKEN_API}/jobs/{job.pk}"
    change = {"request_id": str(uuid4()), "kind": "replace", "find": "made-up", "replace": "corrected"}
    assert program.post(f"{here}/corrections", change, format="json").status_code in (200, 201)
    told = program.get(here).json()["job"]
    assert "sentence 3 of a corrected transcript" in told["transcript_text"] and told["coverage"]["ratio"] == 1.0
    assert program.post(f"{here}/notes", {"start": 1.0}, format="json").status_code == 201
    assert told["share"]["url"]
    assert program.delete(here).status_code == 200


def test_a_tag_that_may_be_on_other_recordings_stays(program: APIClient, robin: User) -> None:
    tag = Tag.objects.create(owner=robin, name="Talks")
    path = f"/{TOKEN_API}/tags/{tag.pk}"
    for answer in (program.delete(path), program.patch(path, {"name": "Music"}, format="json")):
        assert answer.status_code == 403
    assert Tag.objects.get().name == "Talks"


def test_an_upload_of_its_owner_stays_where_it_is(program: APIClient, robin: User) -> None:
    until = timezone.now() + timedelta(days=1)
    upload = Upload.objects.create(
        owner=robin, length_bytes=4, offset_bytes=4, media="media/1/x", filename="talk.mp3", expires_at=until
    )
    body = {"upload_id": str(upload.pk), "callback_url": "https://example.com/hook"}
    assert program.post(f"/{TOKEN_API}", body, format="json").status_code == 201
    upload.refresh_from_db()
    assert upload.taken_at is None and Job.objects.get().source_filename == "talk.mp3"
    unknown = program.post(f"/{TOKEN_API}", {**body, "upload_id": str(uuid4())}, format="json")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "upload_unknown")


SCAIECHO = "/v1/modules/scaiecho"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "speakers"),
        ("POST", "speakers"),
        ("DELETE", f"speakers/{NOBODY}"),
        ("POST", f"speakers/{NOBODY}/warm"),
        ("GET", "tenant-policy"),
        ("PATCH", "tenant-policy"),
        ("POST", "stream/transcribe/webrtc/sessions"),
    ],
)
def test_of_the_speech_api_only_its_jobs_are_open(program: APIClient, real_token: str, method: str, path: str) -> None:
    answer = program.generic(method, f"{SCAIECHO}/{path}", "{}", content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "SCAIECHO_FORBIDDEN")
    assert "sandbox" in answer.json()["error"]["message"]
    open_to_others = bearer(real_token).generic(method, f"{SCAIECHO}/{path}", "{}", content_type="application/json")
    assert open_to_others.status_code != 403


def test_the_speech_api_does_not_show_it_other_jobs(
    program: APIClient, stage: Stage, robin: User, hand_in: HandIn, play: Play
) -> None:
    real, made_up = stage.completed(robin, channel="api"), play(hand_in())
    poll = f"{SCAIECHO}/transcribe/jobs"
    assert program.get(f"{poll}/{real.pk}").status_code == 404
    assert program.get(f"{poll}/{made_up.pk}").json()["data"]["status"] == "completed"


def test_of_an_administrator_it_sees_the_sandbox_alone(admin: User, stage: Stage) -> None:
    stage.submit(admin, channel="api")
    admin.in_sandbox = True
    assert not queries.visible_jobs(admin).exists()
    assert queries.summary(admin)["queued"] == 0


def test_a_manager_who_restarts_what_failed_leaves_forced_errors_alone(
    hand_in: HandIn, play: Play, charlie: User
) -> None:
    job = play(hand_in(Script(error="timeout")))
    told = recovery.run_now(queries.visible_jobs(charlie), limit=10, reset_failed=True)
    assert told["reset"] == 0 and fresh(job).status == "failed"
