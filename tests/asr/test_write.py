"""A transcript as whisper-asr-webservice writes it, in each of its outputs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accounts.models import User
from tests.core.play import Stage
from whisper_jobs.dialects.asr import responses
from whisper_jobs.dialects.asr.requests import Asked
from whisper_jobs.dialects.refusals import Refused
from whisper_jobs.intake import Submission
from whisper_jobs.models import Channel, Job


@pytest.fixture
def job(stage: Stage, robin: User) -> Job:
    return stage.completed(robin, channel=Channel.API)


def written(job: Job, output: str, *, has_words: bool = False) -> Any:
    return responses.transcript(job, Asked(Submission(owner=job.owner), output, has_words))


def test_each_output_is_a_text(job: Job) -> None:
    wanted = {
        "txt": "window0\nwindow1\n",
        "srt": "1\n00:00:00,000 --> 00:00:01,000\nwindow0\n",
        "vtt": "WEBVTT\n\n",
        "tsv": "start\tend\ttext\n0\t1000\twindow0\n",
        "json": '{"text": "window0 window1", "segments": [{"id": 0, ',
    }
    for output, beginning in wanted.items():
        answer = written(job, output)
        assert answer.content.decode().startswith(beginning)
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain; charset=utf-8")
        assert answer["Asr-Engine"] == "fake"
        assert answer["Content-Disposition"] == f'attachment; filename="{job.source_filename}.{output}"'


def test_json_has_the_keys_of_a_result_of_whisper(job: Job) -> None:
    told = json.loads(written(job, "json").content)
    assert (list(told), told["language"]) == (["text", "segments", "language"], "en")
    assert set(told["segments"][1]) == {
        *("id", "seek", "start", "end", "text", "tokens", "temperature"),
        *("avg_logprob", "compression_ratio", "no_speech_prob"),
    }
    with_words = json.loads(written(job, "json", has_words=True).content)["segments"][1]["words"]
    assert with_words == [{"word": "window1", "start": 10.0, "end": 11.0, "probability": 0.9}]


def test_speakers_stand_before_what_they_say(job: Job) -> None:
    job.segments.update(speaker="Anna")
    assert written(job, "txt").content.decode().startswith("Anna: window0\n")
    assert json.loads(written(job, "json").content)["segments"][0]["speaker"] == "Anna"


def test_a_name_of_a_file_can_t_leave_its_header(job: Job) -> None:
    job.source_filename = 'a"\r\nX: y; é/😀.mkv'
    told = written(job, "srt")["Content-Disposition"]
    assert told == 'attachment; filename="a%22%0D%0AX%3A%20y%3B%20%C3%A9%2F%F0%9F%98%80.mkv.srt"'


def test_a_recording_without_speech_has_an_empty_transcript(job: Job) -> None:
    job.segments.all().delete()
    assert written(job, "txt").content == b""
    assert written(job, "vtt").content.startswith(b"WEBVTT")
    assert json.loads(written(job, "json").content) == {"text": "", "segments": [], "language": "en"}


def test_a_language_is_told_with_how_sure_it_is(job: Job) -> None:
    job.language_probability = 0.98
    told = json.loads(responses.language(job).content)
    assert told == {"detected_language": "english", "language_code": "en", "confidence": 0.98}


def test_a_language_that_was_not_listened_for_has_no_confidence(job: Job) -> None:
    job.language_probability = None
    assert json.loads(responses.language(job).content)["confidence"] == 0.0


def test_where_nothing_was_understood_there_is_no_language(job: Job) -> None:
    job.detected_language = ""
    with pytest.raises(Refused, match="No language was found"):
        responses.language(job)
