"""What a recording is to be heard with, and asking for speakers and gaps once more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accounts.models import User
from tests.core.play import URL, Stage
from tests.native.test_export import body
from whisper_jobs.models import Job

JOBS = "/api/whisper/jobs"


def test_what_is_known_of_the_recording_is_kept_with_the_job(api: Any, alice: User) -> None:
    body = {
        "source_url": URL,
        "task": "translate",
        "initial_prompt": "Ärendet gäller Åsa.",
        "hotwords": ["Åsa", "Kubernetes", "Åsa", ""],
        "temperature": 0.2,
        "min_speakers": 2,
        "max_speakers": 4,
        "backend_preference": "A",
    }
    answer = api(alice).post(JOBS, body, format="json")
    assert answer.status_code == 201, answer.json()
    job = Job.objects.get()
    assert (job.task, job.initial_prompt, job.temperature) == ("translate", "Ärendet gäller Åsa.", 0.2)
    assert job.hotwords == ["Åsa", "Kubernetes"]
    assert (job.min_speakers, job.max_speakers, job.backend_preference) == (2, 4, "A")


@pytest.mark.parametrize("shape", ["json", "multipart"])
def test_hotwords_may_be_one_text(api: Any, alice: User, shape: str) -> None:
    api(alice).post(JOBS, {"source_url": URL, "hotwords": "Åsa, Kubernetes\nPostgreSQL"}, format=shape)
    assert Job.objects.get().hotwords == ["Åsa", "Kubernetes", "PostgreSQL"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("task", "sing"),
        ("initial_prompt", "x" * 1001),
        ("hotwords", ["x" * 101]),
        ("hotwords", {"a": 1}),
        ("temperature", 1.5),
        ("temperature", "warm"),
        ("temperature", "nan"),
        ("min_speakers", 0),
        ("max_speakers", 51),
        ("backend_preference", "C"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name(api: Any, alice: User, field: str, value: object) -> None:
    answer = api(alice).post(JOBS, {"source_url": URL, field: value}, format="json")
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]
    assert not Job.objects.exists()


def test_more_speakers_at_least_than_at_most_are_refused(api: Any, alice: User) -> None:
    answer = api(alice).post(JOBS, {"source_url": URL, "min_speakers": 3, "max_speakers": 2}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["max_speakers"])


def test_speakers_are_told_apart_again(api: Any, alice: User, stage: Stage) -> None:
    job = stage.completed(alice)
    answer = api(alice).post(f"{JOBS}/{job.pk}/diarize", {"min_speakers": 2}, format="json")
    assert answer.status_code == 202
    assert answer.json()["job"]["diarization"]["state"] == "pending"
    assert stage.run("speech").job.min_speakers == 2
    again = api(alice).post(f"{JOBS}/{job.pk}/diarize", {}, format="json")
    assert again.status_code == 422


def test_gaps_are_transcribed_again(api: Any, alice: User, stage: Stage) -> None:
    job = stage.decoded(alice, windows=1)
    stage.hear(stage.run("speech"))
    stage.assemble(stage.run("deliver"), coverage={"gaps": [{"start": 1.0, "end": 3.0}]})
    assert api(alice).post(f"{JOBS}/{job.pk}/refill", {"start": 5}, format="json").status_code == 422
    answer = api(alice).post(f"{JOBS}/{job.pk}/refill", {"start": 0.5, "end": 1.5}, format="json")
    assert answer.status_code == 202
    assert [step["kind"] for step in answer.json()["job"]["steps"]][-1] == "refill"
    assert stage.run("speech").step.speech == [[1.0, 3.0]]


def test_a_job_without_a_text_has_neither(api: Any, alice: User, stage: Stage) -> None:
    job = stage.submit(alice)
    for verb in ("diarize", "refill"):
        answer = api(alice).post(f"{JOBS}/{job.pk}/{verb}", {}, format="json")
        assert answer.status_code == 422


def test_a_recording_written_in_english_is_told_to_be_so(api: Any, alice: User, stage: Stage) -> None:
    job = stage.completed(alice, task="translate", language="sv")
    told = json.loads(body(api(alice).get(f"{JOBS}/{job.pk}/exports/verbose_json")))
    assert (told["task"], told["language"]) == ("translate", "english")
