"""The places to check through the API: of one's own jobs, less what was checked, with the glossary of whoever asks."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.core.play import Stage
from whisper_jobs import glossary
from whisper_jobs.models import Job, Segment, Transcript


@pytest.fixture
def job(stage: Stage, alice: User) -> Job:
    """Two segments: the engine was unsure of the second; and a gap."""
    made = stage.completed(alice)
    second = Segment.objects.filter(job=made).order_by("start").last()
    assert second is not None
    second.words = [[10.0, 11.0, "kubernets", 0.2]]
    second.text = "kubernets"
    second.save()
    Transcript.objects.filter(job=made).update(coverage={"gaps": [{"start": 14.0, "end": 17.0}]}, version=3)
    return made


def _path(job: Job, query: str = "") -> str:
    return f"/api/whisper/jobs/{job.pk}/spots{query}"


def test_each_is_told_with_its_segment_its_sound_and_its_marks(api: Any, job: Job, alice: User) -> None:
    row = Segment.objects.filter(job=job).order_by("start").last()
    assert row is not None
    told = api(alice).get(_path(job)).json()
    assert (told["version"], told["more"]) == (3, False)
    words, gap = told["spots"]
    assert words == {
        "segment": {"id": row.pk, "revision": row.revision},
        "start": 10.0,
        "end": 11.0,
        "reason": "words",
        "speaker": None,
        "text": "kubernets",
        "pieces": [{"text": "kubernets", "reason": "words", "start": 10.0, "end": 11.0, "term": None}],
    }
    assert (gap["segment"], gap["reason"], gap["start"], gap["pieces"]) == (None, "gap", 14.0, [])


def test_terms_of_the_reader_and_of_the_job_count(api: Any, job: Job, alice: User, charlie: User) -> None:
    def terms(user: User) -> list[str | None]:
        return [piece["term"] for spot in api(user).get(_path(job)).json()["spots"] for piece in spot["pieces"]]

    glossary.add(charlie, ["Kubernetes"])
    assert (terms(alice), terms(charlie)) == ([None], ["Kubernetes"])
    Job.objects.filter(pk=job.pk).update(hotwords=["Kubernets, Inc"])
    assert terms(charlie) == ["Kubernetes"]


def test_what_is_checked_or_written_since_is_gone(api: Any, job: Job, alice: User) -> None:
    Segment.objects.filter(job=job).update(checked=True)
    step = Segment.objects.filter(job=job).first().step  # type: ignore[union-attr]
    Segment.objects.create(job=job, step=step, position=9, start=13.5, end=17.5, text="so", revision=9, checked=True)
    assert api(alice).get(_path(job)).json()["spots"] == []


def test_they_come_in_pages(api: Any, job: Job, alice: User) -> None:
    first = api(alice).get(_path(job, "?limit=1")).json()
    assert ([one["reason"] for one in first["spots"]], first["more"]) == (["words"], True)
    rest = api(alice).get(_path(job, "?after=10.5")).json()
    assert ([one["reason"] for one in rest["spots"]], rest["more"]) == (["gap"], False)


@pytest.mark.parametrize("query", ["?limit=0", "?limit=x", "?after=-1", "?after=NaN"])
def test_odd_questions_are_refused(api: Any, job: Job, alice: User, query: str) -> None:
    assert api(alice).get(_path(job, query)).status_code == 422


def test_a_transcript_that_is_still_coming_is_not_checked(api: Any, visit: Any, stage: Stage, alice: User) -> None:
    job = stage.decoded(alice)
    answer = api(alice).get(_path(job))
    assert (answer.status_code, answer.json()["code"]) == (422, "not_ready")
    page = visit(alice).get(f"/whisper/jobs/{job.pk}/check")
    assert "can be checked when it is put together" in page.content.decode()
    assert "js/check.js" not in page.content.decode()


def test_strangers_find_nothing(api: Any, visit: Any, job: Job, bob: User) -> None:
    assert api(bob).get(_path(job)).status_code == 404
    assert visit(bob).get(f"/whisper/jobs/{job.pk}/check").status_code == 404


def test_a_job_that_waits_for_an_approval_is_checked(api: Any, stage: Stage, alice: User) -> None:
    job = stage.completed(alice, needs_approval=True)
    assert api(alice).get(_path(job)).status_code == 200


def test_a_long_transcript_is_no_more_queries(api: Any, job: Job, alice: User) -> None:
    client = api(alice)
    with CaptureQueriesContext(connection) as few:
        client.get(_path(job))
    row = Segment.objects.filter(job=job).order_by("start").last()
    assert row is not None
    more = [
        Segment(
            job=job,
            step=row.step,
            position=10 + at,
            start=20.0 + at,
            end=21.0 + at,
            text=row.text,
            words=row.words,
            revision=5,
        )
        for at in range(200)
    ]
    Segment.objects.bulk_create(more)
    with CaptureQueriesContext(connection) as many:
        assert len(client.get(_path(job)).json()["spots"]) == 202
    assert len(few) == len(many)
