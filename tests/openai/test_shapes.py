"""The transcript in each format, checked against the types of the official client."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from openai.types.audio import Transcription, TranscriptionDiarized, TranscriptionVerbose, TranslationVerbose

from accounts.models import User
from tests.core.play import Stage, fresh
from tests.openai.conftest import read
from whisper_jobs import diarization, lifecycle
from whisper_jobs.dialects.openai import responses
from whisper_jobs.dialects.openai.requests import Asked
from whisper_jobs.intake import Submission
from whisper_jobs.models import Diarization, Job, Segment
from whisper_jobs.segment_rows import spoken
from whisper_jobs.speech.diarizers.base import Turn

HOSTILE = '<script>"\u202e🎧 --> \\'


def asked(job: Job, response_format: str = "json", **more: Any) -> Asked:
    return Asked(Submission(owner=job.owner), "whisper-1", response_format, **more)


def told(job: Job, response_format: str = "json", **more: Any) -> Any:
    answer = responses.transcript(job, asked(job, response_format, **more))
    body = read(answer)
    return json.loads(body) if "json" in response_format else body


@pytest.fixture
def job(stage: Stage, gina: User) -> Job:
    return stage.completed(gina, windows=2, channel="api")


@pytest.fixture
def silent(stage: Stage, gina: User) -> Job:
    """One in which nobody speaks."""
    made = stage.fetched(gina, channel="api")
    lifecycle.finish_decode(stage.run("fetch"), duration_seconds=30.2, speech_seconds=0.0)
    return fresh(made)


def test_json_is_the_text_and_what_it_costs(job: Job) -> None:
    answer = told(job)
    assert answer == {"text": "window0 window1", "usage": {"type": "duration", "seconds": 20}}
    assert Transcription.model_validate(answer).text == "window0 window1"


def test_text_is_a_line(job: Job) -> None:
    assert told(job, "text") == "window0 window1\n"


def test_captions_have_each_segment_with_its_times(job: Job) -> None:
    assert told(job, "srt").startswith("1\n00:00:00,000 --> 00:00:01,000\nwindow0\n\n2\n00:00:10,000")
    assert told(job, "vtt").startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nwindow0\n\n")


def test_verbose_json_has_all_keys_of_a_segment(job: Job) -> None:
    answer = told(job, "verbose_json")
    assert list(answer) == ["task", "language", "duration", "segments", "text", "usage"]
    assert (answer["task"], answer["language"], answer["duration"]) == ("transcribe", "english", 20.0)
    assert answer["segments"][1] == {
        "id": 1,
        "seek": 1000,
        "start": 10.0,
        "end": 11.0,
        "text": "window1",
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": 0.0,
        "compression_ratio": answer["segments"][1]["compression_ratio"],
        "no_speech_prob": 0.0,
    }
    assert TranscriptionVerbose.model_validate(answer).words is None


@pytest.mark.parametrize(("words", "segments"), [(True, False), (True, True), (False, True)])
def test_verbose_json_has_the_times_that_were_asked_for(job: Job, words: bool, segments: bool) -> None:
    answer = told(job, "verbose_json", words=words, segments=segments)
    assert ("words" in answer, "segments" in answer) == (words, segments)
    assert TranscriptionVerbose.model_validate(answer).text == "window0 window1"
    if words:
        assert answer["words"][1] == {"word": "window1", "start": 10.0, "end": 11.0}


def test_a_translation_is_told_as_english(stage: Stage, gina: User) -> None:
    answer = told(stage.completed(gina, task="translate"), "verbose_json")
    assert (answer["task"], answer["language"]) == ("translate", "english")
    assert TranslationVerbose.model_validate(answer).text == "window0 window1"


def test_certainty_is_told_by_word(job: Job) -> None:
    answer = told(job, logprobs=True)
    assert answer["logprobs"][1] == {"token": " window1", "bytes": list(b" window1"), "logprob": -0.1054}
    assert "".join(one["token"] for one in answer["logprobs"]) == answer["text"]
    assert Transcription.model_validate(answer).logprobs


def test_one_model_tells_the_languages_that_were_heard(job: Job) -> None:
    answer = json.loads(read(responses.transcript(job, replace(asked(job), model="gpt-transcribe"))))
    assert answer["languages"] == [{"code": "en"}]


def test_a_script_without_spaces_is_written_without(job: Job) -> None:
    first, second = Segment.objects.filter(job=job).order_by("start")
    Segment.objects.filter(pk=first.pk).update(text="你好。")
    Segment.objects.filter(pk=second.pk).update(text="世界")
    assert told(job)["text"] == told(job, "verbose_json")["text"] == "你好。世界"


@pytest.mark.parametrize("form", ["json", "verbose_json", "diarized_json"])
def test_whatever_is_said_is_text(job: Job, form: str) -> None:
    Segment.objects.filter(job=job).update(text=HOSTILE)
    assert told(job, form)["text"] == f"{HOSTILE} {HOSTILE}"


# --- nobody speaks --------------------------------------------------------------------------------


def test_silence_keeps_every_shape(silent: Job) -> None:
    assert told(silent) == {"text": "", "usage": {"type": "duration", "seconds": 31}}
    assert (told(silent, "text"), told(silent, "srt"), told(silent, "vtt")) == ("\n", "", "WEBVTT\n\n")
    verbose, diarized = told(silent, "verbose_json", words=True), told(silent, "diarized_json")
    assert (verbose["segments"], verbose["words"], verbose["text"], verbose["duration"]) == ([], [], "", 30.2)
    assert (diarized["segments"], diarized["text"]) == ([], "")
    TranscriptionVerbose.model_validate(verbose)
    TranscriptionDiarized.model_validate(diarized)


# --- speakers -------------------------------------------------------------------------------------


def spoken_by(stage: Stage, owner: User, *speakers: str) -> Job:
    """A job with a window for each of these, told apart."""
    job = stage.decoded(owner, windows=len(speakers), disable_diarization=False)
    for _ in speakers:
        stage.hear(stage.run("speech"))
    turns = [Turn(10.0 * place, 10.0 * place + 9, label) for place, label in enumerate(speakers) if label]
    rows = Segment.objects.filter(job=job).order_by("start")
    parts = {row.pk: (replace(spoken(row), speaker=label or None),) for row, label in zip(rows, speakers, strict=True)}
    diarization.finish_diarize(stage.run("speech"), method="fake", reason="", turns=turns, parts=parts)
    stage.assemble(stage.run("deliver"))
    return fresh(job)


def speakers_in(job: Job) -> list[str]:
    answer = told(job, "diarized_json")
    return [one.speaker for one in TranscriptionDiarized.model_validate(answer).segments]


def test_speakers_are_letters_in_the_order_in_which_they_are_heard(stage: Stage, gina: User) -> None:
    job = spoken_by(stage, gina, "SPEAKER_00", "SPEAKER_01", "SPEAKER_00")
    answer = told(job, "diarized_json")
    assert list(answer) == ["task", "duration", "text", "segments", "usage"]
    assert answer["segments"][1] == {
        "type": "transcript.text.segment",
        "id": "seg_1",
        "start": 10.0,
        "end": 11.0,
        "text": "window1",
        "speaker": "B",
    }
    assert speakers_in(job) == ["A", "B", "A"]


def test_a_speaker_who_is_known_has_a_name_and_takes_no_letter(stage: Stage, gina: User) -> None:
    job = spoken_by(stage, gina, "SPEAKER_00", "SPEAKER_01")
    row = Diarization.objects.get(job=job)
    row.speakers[0]["name"] = "agent"
    row.save()
    assert speakers_in(job) == ["agent", "A"]


def test_who_is_not_told_apart_goes_on_with_the_one_before(stage: Stage, gina: User) -> None:
    assert speakers_in(spoken_by(stage, gina, "SPEAKER_00", "SPEAKER_01", "")) == ["A", "B", "B"]


def test_where_nobody_is_told_apart_there_is_one_speaker(job: Job) -> None:
    assert speakers_in(job) == ["A", "A"]


def test_letters_go_on_after_the_last() -> None:
    assert [responses.letters(place) for place in (0, 25, 26, 51, 52, 701, 702)] == [
        *("A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"),
    ]
