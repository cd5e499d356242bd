"""GET /transcribe/jobs/{id}: what is told of a job from its queue to its end, and to whom."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Tenant, User
from tests.core.play import Stage, fresh
from tests.scaiecho.conftest import poll_path, refusal
from whisper_jobs import lifecycle, trash
from whisper_jobs.errors import JobError
from whisper_jobs.speech.diarizers.base import Turn
from whisper_jobs.speech.transcript import Segment

KEYS = {
    *("job_id", "status", "status_reason", "transcript", "backend_used", "language_detected", "audio_duration_ms"),
    *("audio_bytes", "created_at", "completed_at", "segments"),
}


def polled(client: Any, job: Any) -> dict[str, Any]:
    answer = client.get(poll_path(job.pk))
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()["data"]
    assert set(told) == KEYS
    return told


def test_a_job_goes_from_queued_to_running_to_completed(jwt: Any, stage: Stage, frank: User) -> None:
    client, job = jwt(frank), stage.submit(frank, channel="api")
    told = polled(client, job)
    assert (told["job_id"], told["status"], told["transcript"], told["segments"]) == (str(job.pk), "queued", None, [])
    stage.prepare(stage.run("speech"))
    lifecycle.finish_fetch(stage.run("fetch"), media="media/0/original", source_title="Talk")
    assert polled(client, job)["status"] == "running"
    stage.decode(stage.run("fetch"), 1)
    stage.hear(stage.run("speech"))
    assert polled(client, job)["status"] == "running"
    stage.assemble(stage.run("deliver"), text="window0")
    assert polled(client, job)["status"] == "completed"


def test_what_is_told_of_a_completed_job(jwt: Any, stage: Stage, frank: User) -> None:
    job = stage.completed(frank, windows=1, channel="api")
    told = polled(jwt(frank), job)
    assert told["transcript"] == "done"
    assert (told["backend_used"], told["language_detected"], told["audio_duration_ms"]) == ("A", "en", 10_000)
    assert (told["status_reason"], told["completed_at"]) == (None, fresh(job).completed_at.isoformat())  # type: ignore[union-attr]
    assert told["segments"] == [
        {
            "start": 0.0,
            "end": 1.0,
            "text": "window0",
            "speaker": None,
            "confidence": None,
            "words": [{"start": 0.0, "end": 1.0, "word": "window0", "confidence": 0.9}],
        }
    ]


def test_segments_name_their_speakers(jwt: Any, stage: Stage, erin: User) -> None:
    job = stage.decoded(erin, 1, channel="api", disable_diarization=False)
    stage.hear(stage.run("speech"))
    row = job.segments.get()
    part = Segment(0.0, 1.0, "window0", speaker="SPEAKER_00")
    turns = [Turn(0.0, 1.0, "SPEAKER_00")]
    stage.diarize(stage.run("speech"), turns=turns, parts={row.pk: [part]})
    stage.assemble(stage.run("deliver"))
    assert [one["speaker"] for one in polled(jwt(erin), job)["segments"]] == ["Speaker 1"]


def test_a_failed_job_says_why_in_the_readers_language(jwt: Any, stage: Stage, frank: User) -> None:
    job = stage.submit(frank, channel="api")
    lifecycle.fail(stage.run("speech"), JobError("backend_unavailable"))
    told = polled(jwt(frank), job)
    assert (told["status"], told["transcript"], told["completed_at"]) == ("failed", None, None)
    assert told["status_reason"].startswith("The transcription service is not available")
    frank.language = "sv"
    frank.save()
    assert not polled(jwt(frank), job)["status_reason"].startswith("The transcription service")


@pytest.mark.parametrize("number", ["0", "999999", "9" * 40, "-1", "1.0", "none", "٣", "1%00"])
def test_what_is_no_job_is_not_found(jwt: Any, frank: User, number: str) -> None:
    assert refusal(jwt(frank).get(poll_path(number))) == (404, "SCAIECHO_JOB_NOT_FOUND")


def test_anothers_job_is_not_found_in_the_same_tenant_or_elsewhere(
    jwt: Any, stage: Stage, frank: User, erin: User, admin: User
) -> None:
    job = stage.completed(frank, channel="api")
    for other in (erin, admin):
        assert refusal(jwt(other).get(poll_path(job.pk))) == (404, "SCAIECHO_JOB_NOT_FOUND")
    erin.tenant = Tenant.objects.create(name="Elsewhere")
    erin.save()
    assert refusal(jwt(erin).get(poll_path(job.pk))) == (404, "SCAIECHO_JOB_NOT_FOUND")


def test_a_job_in_the_trash_is_not_found(jwt: Any, stage: Stage, frank: User) -> None:
    job = stage.completed(frank, channel="api")
    trash.discard(job.pk)
    assert refusal(jwt(frank).get(poll_path(job.pk))) == (404, "SCAIECHO_JOB_NOT_FOUND")


def test_polling_takes_the_same_number_of_queries_however_long_the_recording(
    jwt: Any, stage: Stage, frank: User, django_assert_max_num_queries: Any
) -> None:
    job = stage.completed(frank, windows=12, channel="api")
    client = jwt(frank)
    with django_assert_max_num_queries(10):
        assert len(polled(client, job)["segments"]) == 12
