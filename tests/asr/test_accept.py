"""What a recording is taken in with, from query and form, and what of it is refused."""

from __future__ import annotations

import wave
from typing import Any

import pytest
from django.core.files.storage import default_storage
from rest_framework.test import APIClient

from accounts.models import User
from tests.asr.conftest import ASR, DETECT, a_file, form, key_of, refusal, wrong
from whisper_jobs.models import Channel, Job, Step
from whisper_jobs.states import Kind

SAMPLES = b"\x01\x00\xff\x7f" * 8000


def test_every_wish_reaches_the_job(hands_in: Any, robin: User) -> None:
    wishes: dict[str, Any] = {
        "task": "translate",
        "language": "French",
        "initial_prompt": "Lisa and Tom",
        "vad_filter": "true",
        "word_timestamps": "1",
        "diarize": "true",
        "min_speakers": "2",
        "max_speakers": "3",
        "output": "json",
        "encode": "true",
    }
    answer = hands_in(key_of(robin), **wishes)
    job = Job.objects.get()
    assert (answer.status_code, answer.data["detail"].split(" is ")[0]) == (504, f"Job {job.pk}")
    assert (job.owner, job.channel, job.task, job.language, job.initial_prompt) == (
        robin,
        Channel.API,
        "translate",
        "fr",
        "Lisa and Tom",
    )
    assert (job.min_speakers, job.max_speakers, job.disable_diarization, job.most_seconds) == (2, 3, False, None)
    assert (job.source_filename, job.source_size_bytes) == ("talk.wav", 104)


def test_what_is_left_out_is_as_in_the_original(hands_in: Any, robin: User) -> None:
    hands_in(key_of(robin), language="", video_file="/films/a.mkv")
    job = Job.objects.get()
    assert (job.task, job.language, job.initial_prompt, job.disable_diarization) == ("transcribe", "", "", True)


def test_fields_of_the_form_count_where_the_query_has_none(robin: User) -> None:
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {key_of(robin)}")
    answer = client.post(f"{ASR}?output=srt", form(output="odd", task="odd"))
    assert wrong(answer) == [(["query", "task"], "literal_error")]


def test_the_end_of_a_long_prompt_is_kept(hands_in: Any, robin: User) -> None:
    hands_in(key_of(robin), initial_prompt="a" * 1000 + "b" * 500)
    assert Job.objects.get().initial_prompt == "a" * 500 + "b" * 500


def test_samples_without_a_header_become_a_wav_file(hands_in: Any, robin: User) -> None:
    for path in (ASR, DETECT):
        hands_in(key_of(robin), path, encode="false", audio_file=a_file(SAMPLES, "audio_file"))
        job = Job.objects.latest("pk")
        with default_storage.open(job.media) as kept, wave.open(kept) as sound:
            assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (16_000, 1, 2)
            assert sound.readframes(1 << 20) == SAMPLES
        assert (job.source_size_bytes, job.source_filename) == (len(SAMPLES) + 44, "audio_file.wav")


def test_a_file_with_a_header_stays_as_it_is(hands_in: Any, robin: User) -> None:
    content = b"RIFF\x24\x00\x00\x00WAVEfmt " + b"x" * 80
    hands_in(key_of(robin), encode="false", audio_file=a_file(content))
    with default_storage.open(Job.objects.get().media) as kept:
        assert kept.read() == content


def test_a_language_is_found_in_the_beginning(hands_in: Any, robin: User) -> None:
    hands_in(key_of(robin), DETECT)
    job = Job.objects.get()
    assert (job.most_seconds, job.language, job.disable_diarization) == (30.0, "", True)


WRONG = [
    ("task", "sing", "literal_error"),
    ("language", "klingon", "value_error"),
    ("output", "pdf", "literal_error"),
    ("output", "", "literal_error"),
    ("encode", "perhaps", "value_error"),
    ("vad_filter", "perhaps", "value_error"),
    ("word_timestamps", "perhaps", "value_error"),
    ("diarize", "perhaps", "value_error"),
    ("min_speakers", "0", "greater_than_equal"),
    ("max_speakers", "51", "less_than_equal"),
    ("min_speakers", "two", "value_error"),
    ("initial_prompt", "a\0b", "value_error"),
]


def test_a_field_that_is_wrong_is_named(program: Any, robin: User) -> None:
    client = program(robin)
    for field, value, kind in WRONG:
        answer = client.post(f"{ASR}?{field}={value.replace(chr(0), '%00')}", form())
        assert wrong(answer) == [(["query", field], kind)]
    assert wrong(client.post(f"{ASR}?min_speakers=3&max_speakers=2", form())) == [
        (["query", "max_speakers"], "value_error")
    ]
    assert wrong(client.post(f"{DETECT}?encode=2", form())) == [(["query", "encode"], "value_error")]
    assert not Job.objects.exists()


@pytest.mark.parametrize("path", [ASR, DETECT])
def test_one_file_with_something_in_it_is_needed(program: Any, robin: User, path: str) -> None:
    client, file = program(robin), ["body", "audio_file"]
    assert wrong(client.post(path)) == [(file, "missing")]
    assert wrong(client.post(path, {"audio_file": "words"}, format="multipart")) == [(file, "value_error")]
    assert wrong(client.post(path, {"audio_file": a_file(b"")})) == [(file, "value_error")]
    assert wrong(client.post(path, {"audio_file": [a_file(), a_file()]})) == [(file, "value_error")]
    assert refusal(client.post(path, {"audio_file": "x"}, format="json"))[0] == 415
    assert refusal(client.generic("POST", path, b"x", "multipart/form-data"))[0] == 400
    assert not Job.objects.exists()


def test_a_file_that_is_too_large_is_refused(program: Any, robin: User, tools: Any) -> None:
    tools(upload_max_mb=1)
    answer = program(robin).post(ASR, {"audio_file": a_file(b"x" * (1 << 21))})
    assert refusal(answer)[0] == 413


def test_the_same_request_sent_again_waits_for_the_same_job(hands_in: Any, robin: User) -> None:
    key, headers = key_of(robin), {"Idempotency-Key": "film 7"}
    first, second = (hands_in(key, headers=headers) for _ in range(2))
    assert first.data == second.data
    assert (second.job_id, second["Idempotent-Replayed"]) == (Job.objects.get().pk, "true")
    other = hands_in(key, headers=headers, task="translate")
    assert other.data["detail"][0]["loc"] == ["header", "Idempotency-Key"]


def test_a_key_of_the_sandbox_has_nothing_worked_on(hands_in: Any, robin: User) -> None:
    hands_in(key_of(robin, is_sandbox=True), headers={"X-Sandbox": "finish_in=never"}, encode="false")
    assert [step.kind for step in Step.objects.all()] == [Kind.REHEARSE]
    refused = hands_in(key_of(robin), headers={"X-Sandbox": "finish_in=never"})
    assert (refused.status_code, refused.data["detail"][0]["loc"]) == (422, ["header", "X-Sandbox"])


def test_what_was_sent_and_changes_nothing_is_named(hands_in: Any, robin: User) -> None:
    assert (
        hands_in(key_of(robin), video_file="film.mkv", vad_filter="false")["X-Without-Effect"]
        == "vad_filter, video_file"
    )
    assert "X-Without-Effect" not in hands_in(key_of(robin), vad_filter="true")
