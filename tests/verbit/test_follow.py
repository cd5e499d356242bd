"""/job/info, /job/draft and /job/get_caption: how far a job is, its words so far, and the transcript as a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.core.play import Stage
from tests.native.test_export import body
from tests.verbit.conftest import Program, refusal
from whisper_jobs import lifecycle, review
from whisper_jobs.errors import JobError
from whisper_jobs.models import EnrichmentState, Job, Order, Profile, Segment, TranslatedSegment, Translation
from whisper_jobs.states import Stage as JobStage


@pytest.fixture
def of_order(stage: Stage, program: Program) -> Callable[..., int]:
    """An order whose job has been played by hand: `how` is a verb of Stage."""

    def made(how: str = "completed", profile: str = "automatic", **fields: Any) -> int:
        number = program.ready(profile=profile, external_id="x1")
        job = getattr(stage, how)(program.user, channel="api", source_label="Talk", **fields)
        Order.objects.filter(pk=number).update(job=job)
        return number

    return made


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.content
    return body(answer).decode()


@pytest.mark.parametrize("stage_name", [one for one in JobStage if one not in ("completed", "failed")])
def test_every_stage_before_the_end_is_in_progress(program: Program, stage_name: str) -> None:
    number = program.started()
    Job.objects.update(stage=stage_name)
    assert program.info(number)["job_status"] == "In Progress"


def test_a_job_that_a_person_edits_is_in_progress_and_has_a_draft(
    program: Program, of_order: Callable[..., int]
) -> None:
    number = of_order(needs_approval=True)
    info = program.info(number)
    assert (info["job_status"], info["draft_ready"], info["ended_at"]) == ("In Progress", True, None)
    assert refusal(program.get("get_caption", job_id=number)) == (409, "INVALID_QUERY")
    assert "window0" in text(program.get("draft", job_id=number))
    review.approve(Job.objects.get().pk, by=program.user)
    assert program.info(number)["job_status"] == "Completed"


def test_a_completed_job_tells_all(program: Program, of_order: Callable[..., int]) -> None:
    info = program.info(of_order())
    told = {
        name: info[name]
        for name in ("job_status", "external_id", "progress", "media_duration", "draft_ready", "errors")
    }
    assert told == {
        "job_status": "Completed",
        "external_id": "x1",
        "progress": 100,
        "media_duration": 20.0,
        "draft_ready": True,
        "errors": [],
    }
    assert info["started_at"] and info["ended_at"]


@pytest.mark.parametrize(
    ("code", "published"),
    [
        ("media_corrupt", "failed_transcoding"),
        ("source_not_found", "media_upload_error"),
        ("no_speech", "no_speech"),
        ("source_too_long", "exceeded_allowed_duration"),
        ("language_unsupported", "foreign_language"),
        ("worker_lost", "failed_transcribing"),
    ],
)
def test_a_failed_job_says_why(
    program: Program, of_order: Callable[..., int], stage: Stage, code: str, published: str
) -> None:
    number = of_order("prepared")
    lifecycle.fail(stage.run("fetch"), JobError(code))
    info = program.info(number)
    assert info["job_status"] == "Failure"
    (wrong,) = info["errors"]
    assert (wrong["code"], wrong["failure_code"]) == (published, code)
    assert wrong["message"]


def test_a_cancelled_job_is_canceled(program: Program) -> None:
    number = program.started()
    lifecycle.request_cancel(Job.objects.get().pk)
    info = program.info(number)
    assert (info["job_status"], info["errors"]) == ("Canceled", [])


def test_a_job_in_the_trash_or_deleted_is_not_there(program: Program, of_order: Callable[..., int]) -> None:
    number = of_order()
    Job.objects.update(trashed_at=Job.objects.get().created_at)
    assert refusal(program.get("info", job_id=number)) == (404, "ITEM_NOT_FOUND")
    Job.objects.update(trashed_at=None)
    lifecycle.delete(Job.objects.get().pk)
    assert refusal(program.get("info", job_id=number)) == (404, "ITEM_NOT_FOUND")


def test_another_s_job_is_not_there(program: Program, other: Program, of_order: Callable[..., int]) -> None:
    number = of_order()
    for verb in ("info", "get_caption", "draft", "add_media", "perform_transcription"):
        assert refusal(other.get(verb, job_id=number)) == (404, "ITEM_NOT_FOUND"), verb


def test_there_is_nothing_to_read_before_the_words(program: Program, of_order: Callable[..., int]) -> None:
    for number in (program.new(), of_order("decoded")):
        assert program.info(number)["draft_ready"] is False
        assert refusal(program.get("draft", job_id=number)) == (409, "INVALID_QUERY")
        assert refusal(program.get("get_caption", job_id=number)) == (409, "INVALID_QUERY")


def test_the_draft_has_the_words_so_far(program: Program, of_order: Callable[..., int], stage: Stage) -> None:
    number = of_order("decoded")
    stage.hear(stage.run("speech"))
    draft = json.loads(text(program.get("draft", job_id=number, caption_format="json")))
    assert [one["text"] for one in draft["segments"]] == ["window0"]
    assert text(program.get("draft", job_id=number, caption_format="txt")).strip() == "window0"


# --- files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "begins"),
    [
        ("", "application/x-subrip", "1\n00:00:00,000 --> "),
        ("srt", "application/x-subrip", "1\n"),
        ("SRT", "application/x-subrip", "1\n"),
        ("vtt", "text/vtt", "WEBVTT"),
        ("web_vtt", "text/vtt", "WEBVTT"),
        ("txt", "text/plain", "window0"),
        ("json", "application/json", "{"),
    ],
)
def test_captions_come_in_many_formats(
    program: Program, of_order: Callable[..., int], name: str, kind: str, begins: str
) -> None:
    answer = program.get("get_caption", job_id=of_order(), caption_format=name)
    assert answer["Content-Type"].startswith(kind)
    assert text(answer).startswith(begins)


def test_captions_are_broken_as_the_profile_says(program: Program, of_order: Callable[..., int]) -> None:
    Profile.objects.create(owner=program.user, name="Narrow", max_line=20, max_lines=1)
    number = of_order(profile="Narrow", windows=1)
    Segment.objects.update(text="one two three four five six seven eight nine", words=[])
    lines = [
        line for line in text(program.get("get_caption", job_id=number)).splitlines() if line and line[0].isalpha()
    ]
    assert len(lines) > 1 and max(map(len, lines)) <= 20, lines


def test_a_profile_without_captions_answers_with_plain_text(program: Program, of_order: Callable[..., int]) -> None:
    Profile.objects.create(owner=program.user, name="Text", captions="plain")
    assert text(program.get("get_caption", job_id=of_order(profile="Text"))).startswith("window0")


def test_a_translation_comes_by_its_language(program: Program, of_order: Callable[..., int]) -> None:
    number = of_order(windows=1)
    job = Job.objects.get()
    done = Translation.objects.create(job=job, language="fr", index=0, state=EnrichmentState.DONE)
    TranslatedSegment.objects.create(translation=done, segment=Segment.objects.get(), text="fenêtre")
    assert "fenêtre" in text(program.get("get_caption", job_id=number, language="fr-FR"))
    assert "window0" in text(program.get("get_caption", job_id=number, language="en-US"))
    assert refusal(program.get("get_caption", job_id=number, language="de-DE")) == (404, "ITEM_NOT_FOUND")


@pytest.mark.parametrize(
    "sent", [{"caption_format": "sami"}, {"caption_format": "../x"}, {"language": "klingon"}, {"timecode_interval": 60}]
)
def test_what_no_file_has_is_refused(program: Program, of_order: Callable[..., int], sent: Any) -> None:
    answer = program.get("get_caption", job_id=of_order(), **sent)
    assert refusal(answer) == (400, "INVALID_OPTION")
