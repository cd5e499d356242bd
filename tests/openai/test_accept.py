"""What a call makes of its fields: an ordinary job of the API queue, and no more work than the answer needs."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.core.files.storage import default_storage

from accounts.models import User
from tests.openai.conftest import TRANSLATIONS, a_file, refusal, tone
from whisper_jobs.models import Job, Step
from whisper_jobs.states import Kind

KEY: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": "order 66/a"}
RETRY: dict[str, Any] = {"HTTP_X_STAINLESS_RETRY_COUNT": "1"}
SAMPLE = "data:audio/wav;base64," + base64.b64encode(tone(2.0)).decode()


def test_the_job_is_an_ordinary_one_of_the_api_queue(hands_in: Any, gina: User) -> None:
    told = {"language": "SV", "prompt": "Om Ada Lovelace.", "temperature": "0.2", "keywords__": ["Ada", "Babbage"]}
    hands_in(gina, file=a_file(name="möte.wav"), **told)
    job = Job.objects.get()
    assert (job.owner, job.channel, job.task, job.language, job.temperature) == (gina, "api", "transcribe", "sv", 0.2)
    assert (job.initial_prompt, job.hotwords) == ("Om Ada Lovelace.", ["Ada", "Babbage"])
    assert (job.source_filename, job.source_mime, job.source_label) == ("möte.wav", "audio/wav", "")
    with default_storage.open(job.media) as kept:
        assert kept.read().startswith(b"RIFF")


def test_who_does_not_wait_for_it_is_told_that_it_goes_on(hands_in: Any, gina: User) -> None:
    answer = hands_in(gina)
    assert refusal(answer) == (504, "still_working", None)
    assert str(Job.objects.get().pk) in answer.data["error"]["message"]


def test_every_answer_has_the_headers_that_the_clients_show(hands_in: Any, gina: User, calls: Any) -> None:
    for answer in (hands_in(gina), hands_in(gina, stream="true"), calls(gina).get("/v1/models")):
        assert answer["x-request-id"].startswith("req_")
        assert int(answer["openai-processing-ms"]) >= 0


def test_a_translation_is_a_job_with_that_task(hands_in: Any, gina: User) -> None:
    hands_in(gina, TRANSLATIONS, language="de")
    job = Job.objects.get()
    assert (job.task, job.language, job.disable_diarization) == ("translate", "de", True)


@pytest.mark.parametrize(
    ("fields", "tells_apart"),
    [
        ({}, False),
        ({"response_format": "verbose_json"}, False),
        ({"response_format": "diarized_json"}, True),
        ({"model": "gpt-4o-transcribe-diarize"}, True),
    ],
)
def test_speakers_are_told_apart_only_when_that_is_asked_for(
    hands_in: Any, gina: User, fields: dict[str, str], tells_apart: bool
) -> None:
    hands_in(gina, **fields)
    assert Step.objects.filter(kind=Kind.DIARIZE).exists() == tells_apart


@pytest.mark.parametrize("name", ["whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-transcribe"])
def test_a_name_of_openai_means_the_default_model_of_this_server(
    hands_in: Any, gina: User, tools: Any, name: str
) -> None:
    tools(default_model="pocketsphinx")
    hands_in(gina, model=name)
    assert Job.objects.get().requested_model == "pocketsphinx"


@pytest.mark.parametrize("name", ["auto", "tiny", "moonshine-tiny", "faster-whisper/small"])
def test_a_model_of_this_server_is_taken_as_it_is(hands_in: Any, gina: User, name: str) -> None:
    hands_in(gina, model=name)
    assert Job.objects.get().requested_model == name


@pytest.mark.parametrize("name", ["timestamp_granularities", "timestamp_granularities[]", "timestamp_granularities[0]"])
def test_lists_are_read_however_a_client_writes_them(hands_in: Any, gina: User, name: str) -> None:
    assert hands_in(gina, response_format="verbose_json", **{name: "word"}).status_code == 504


@pytest.mark.parametrize(
    "strategy",
    [
        {"chunking_strategy": "auto"},
        {"chunking_strategy": '{"type": "server_vad", "threshold": 0.5}'},
        {"chunking_strategy[type]": "server_vad", "chunking_strategy[silence_duration_ms]": "200"},
    ],
)
def test_how_to_cut_is_taken_however_it_is_written(hands_in: Any, gina: User, strategy: dict[str, str]) -> None:
    assert hands_in(gina, **strategy).status_code == 504


def test_of_a_long_prompt_the_end_counts(hands_in: Any, gina: User) -> None:
    hands_in(gina, prompt="x" * 2000 + " the end")
    prompt = Job.objects.get().initial_prompt
    assert (len(prompt), prompt[-8:]) == (1000, " the end")


def test_of_several_languages_none_is_taken_for_granted(hands_in: Any, gina: User) -> None:
    hands_in(gina, languages__=["sv", "en"])
    hands_in(gina, languages__=["sv"])
    assert [job.language for job in Job.objects.order_by("pk")] == ["", "sv"]


def test_samples_of_known_speakers_are_kept_with_the_job(hands_in: Any, gina: User) -> None:
    told = {"known_speaker_names__": ["agent", "customer"], "known_speaker_references__": [SAMPLE, SAMPLE]}
    hands_in(gina, response_format="diarized_json", **told)
    known = Job.objects.get().known_speakers
    assert [one["name"] for one in known] == ["agent", "customer"]
    with default_storage.open(known[0]["media"]) as kept:
        assert kept.read() == tone(2.0)


def test_the_same_request_sent_again_with_a_key_makes_no_second_job(hands_in: Any, gina: User) -> None:
    first, second = (hands_in(gina, **KEY) for _ in range(2))
    assert first.data == second.data
    assert ("Idempotent-Replayed" in first, second["Idempotent-Replayed"]) == (False, "true")
    assert Job.objects.count() == 1


def test_a_client_that_tries_again_by_itself_waits_for_the_job_that_it_has(hands_in: Any, gina: User) -> None:
    first, second = hands_in(gina), hands_in(gina, **RETRY)
    assert first.data == second.data
    assert Job.objects.count() == 1


@pytest.mark.parametrize("other", [{"file": a_file(b"RIFF other")}, {"language": "sv"}, {"model": "tiny"}])
def test_a_try_for_something_else_is_another_job(hands_in: Any, gina: User, other: dict[str, Any]) -> None:
    hands_in(gina)
    hands_in(gina, **RETRY, **other)
    assert Job.objects.count() == 2


def test_nobody_is_given_the_job_of_another(hands_in: Any, gina: User, hugo: User) -> None:
    hands_in(gina)
    hands_in(hugo, **RETRY)
    assert Job.objects.filter(owner=hugo).count() == 1


def test_the_same_recording_handed_in_twice_is_two_jobs(hands_in: Any, gina: User) -> None:
    hands_in(gina)
    hands_in(gina)
    assert Job.objects.count() == 2


def test_a_key_of_the_sandbox_makes_a_job_that_does_no_work(hands_in: Any, gina: User) -> None:
    hands_in(gina, sandbox=True, HTTP_X_SANDBOX="finish_in=3; segments=2")
    job = Job.objects.get()
    script = job.sandbox or {}
    assert (script["finish_in"], script["segments"], job.media) == (3, 2, "")
    assert [step.kind for step in Step.objects.all()] == [Kind.REHEARSE]
