"""/job/perform_transcription: what the job is asked to do, once, and what has to be told before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from tests.conftest import person
from tests.verbit.conftest import MEDIA, Program, a_file, refusal
from whisper_jobs import glossary, orders
from whisper_jobs.models import Channel, Delivery, DeliveryForm, Job, Order, Profile, Upload
from whisper_jobs.runs import NotAllowed


def test_a_started_job_is_an_ordinary_one(program: Program) -> None:
    number = program.ready(job_name="Lecture 3", language="en-US", glossary=["Åsa"])
    told = program.json("perform_transcription", {"url": "https://hooks.example.com/x"}, job_id=number)
    assert told.json() == {"job_id": number, "job_status": "In Progress"}
    job = Job.objects.get()
    assert (job.owner, job.channel, job.source_url, job.title) == (program.user, Channel.API, MEDIA, "Lecture 3")
    assert (job.language, job.hotwords, job.needs_approval, job.disable_diarization) == ("en", ["Åsa"], False, False)
    assert job.sandbox is None
    delivery = Delivery.objects.get()
    assert (delivery.job, delivery.url, delivery.form) == (job, "https://hooks.example.com/x", DeliveryForm.STATUS)
    assert delivery.token == program.token
    assert Order.objects.get().job == job


def test_a_file_becomes_the_job_s_own(program: Program) -> None:
    number = program.new()
    program.post("add_media", {"file": a_file(name="talk.wav")}, job_id=number)
    assert program.post("perform_transcription", job_id=number).status_code == 200
    job, upload = Job.objects.get(), Upload.objects.get()
    assert (job.media, job.source_filename) == (upload.media, "talk.wav")
    assert upload.taken_at is not None


def test_a_job_is_started_once(program: Program) -> None:
    number = program.started()
    assert refusal(program.json("perform_transcription", {}, job_id=number)) == (409, "INVALID_QUERY")
    assert refusal(program.json("add_media", {"media_url": MEDIA}, job_id=number)) == (409, "INVALID_QUERY")
    assert Job.objects.count() == 1


def test_a_job_without_media_says_what_it_lacks(program: Program) -> None:
    answer = program.json("perform_transcription", {}, job_id=program.new())
    assert refusal(answer) == (400, "MISSING_PARAMETER")
    assert "media_url" in answer.json()["ErrorComment"]
    assert not Job.objects.exists()


def test_the_profile_s_metadata_has_to_be_there(program: Program) -> None:
    Profile.objects.create(owner=program.user, name="Court", required_metadata=["case", "judge"])
    number = program.ready(profile="Court", job_metadata={"case": "17", "judge": ""})
    answer = program.json("perform_transcription", {}, job_id=number)
    assert refusal(answer) == (400, "MISSING_PARAMETER")
    assert "judge" in answer.json()["ErrorComment"] and "case," not in answer.json()["ErrorComment"]
    program.started(profile="court", job_metadata={"case": 1, "judge": 0})


def test_the_profile_says_what_is_done(program: Program) -> None:
    glossary.add(program.user, ["Kubernetes"])
    Profile.objects.create(
        owner=program.user,
        name="Court",
        human_editing=True,
        speaker_names=False,
        min_speakers=2,
        max_speakers=4,
        model="tiny",
        language="sv",
        use_glossary=True,
        callback_url="https://hooks.example.com/mine",
    )
    program.started(profile="Court")
    job = Job.objects.get()
    assert (job.needs_approval, job.disable_diarization, job.requested_model) == (True, True, "tiny")
    assert (job.min_speakers, job.max_speakers, job.language, job.hotwords) == (2, 4, "sv", ["Kubernetes"])
    assert Delivery.objects.get().url == "https://hooks.example.com/mine"


def test_options_and_the_url_of_the_call_come_before_the_profile(program: Program) -> None:
    Profile.objects.create(
        owner=program.user, name="Court", model="tiny", callback_url="https://hooks.example.com/mine"
    )
    start = {"url": "https://hooks.example.com/this", "options": {"model": "base", "max_speakers": 3}}
    program.started(start, profile="Court")
    job = Job.objects.get()
    assert (job.requested_model, job.max_speakers) == ("base", 3)
    assert Delivery.objects.get().url == "https://hooks.example.com/this"


def test_a_number_of_speakers_takes_the_place_of_both_of_the_profile(program: Program) -> None:
    Profile.objects.create(owner=program.user, name="Court", min_speakers=1, max_speakers=2)
    program.started({"options": {"min_speakers": 5}}, profile="Court")
    job = Job.objects.get()
    assert (job.min_speakers, job.max_speakers) == (5, None)


def test_the_edited_profile_waits_for_a_person(program: Program) -> None:
    program.started(profile="edited")
    assert Job.objects.get().needs_approval is True


def test_a_profile_that_was_deleted_meanwhile_is_told(program: Program) -> None:
    profile = Profile.objects.create(owner=program.user, name="Court")
    number = program.ready(profile="Court")
    profile.delete()
    assert refusal(program.json("perform_transcription", {}, job_id=number)) == (409, "INVALID_QUERY")
    assert program.info(number)["profile"] == "Court"


def test_translations_are_for_those_who_may_use_a_language_model(program: Program) -> None:
    options = {"options": {"translation_languages": ["fr-FR", "fr", "de-DE"]}}
    assert refusal(program.json("perform_transcription", options, job_id=program.ready())) == (400, "INVALID_OPTION")
    may = Program(person("may", "whisper.use", "whisper.api", "provider_openai"))
    may.started(options)
    assert Job.objects.get().translation_target_languages == ["fr", "de"]


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ({"url": "http://10.0.0.1/hook"}, "INVALID_URL"),
        ({"url": "ftp://example.com/"}, "INVALID_URL"),
        ({"options": "no json"}, "INVALID_OPTION"),
        ({"options": [1]}, "INVALID_OPTION"),
        ({"options": {"model": "gpt-9"}}, "INVALID_OPTION"),
        ({"options": {"min_speakers": 0}}, "INVALID_OPTION"),
        ({"options": {"min_speakers": 3, "max_speakers": 2}}, "INVALID_OPTION"),
        ({"options": {"fast": True}}, "INVALID_OPTION"),
        ({"rush": True}, "INVALID_OPTION"),
        ({"finish_in": 3}, "INVALID_OPTION"),
        ({"finish_with_error": True}, "INVALID_OPTION"),
    ],
)
def test_a_start_that_can_t_be_accepted_leaves_the_job_pending(program: Program, sent: Any, kind: str) -> None:
    number = program.ready()
    assert refusal(program.json("perform_transcription", sent, job_id=number)) == (400, kind)
    assert program.info(number)["job_status"] == "Pending"
    assert not Job.objects.exists()


def test_limits_of_the_owner_hold(program: Program, settings: Any) -> None:
    settings.TOOLS = replace(settings.TOOLS, max_queued_jobs=1)
    program.started()
    answer = program.json("perform_transcription", {}, job_id=program.ready())
    assert refusal(answer) == (429, "INVALID_QUERY")
    assert answer["Retry-After"]


def test_a_crash_between_job_and_order_leaves_the_order_pending(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = program.ready()

    def die(self: Order, **how: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Order, "save", die)
    order = orders.find(program.user, number, is_sandbox=False)
    assert order is not None
    with pytest.raises(KeyboardInterrupt):
        orders.start(order, orders.Start())
    monkeypatch.undo()
    assert not Job.objects.exists()
    assert program.info(number)["job_status"] == "Pending"


@pytest.mark.django_db(transaction=True)
def test_of_two_starts_at_once_one_makes_the_job(program: Program) -> None:
    number = program.ready()
    order = orders.find(program.user, number, is_sandbox=False)
    assert order is not None

    def start(_: int) -> str:
        try:
            orders.start(order, orders.Start())
            return "started"
        except NotAllowed:
            return "refused"
        finally:
            connections.close_all()

    connection.close()
    with ThreadPoolExecutor(4) as threads:
        ended = sorted(threads.map(start, range(4)))
    assert ended == ["refused", "refused", "refused", "started"]
    assert Job.objects.count() == 1


# --- the sandbox ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "script"),
    [
        ({}, (None, "")),
        ({"finish_with_error": True}, (None, "")),
        ({"finish_in": 0}, (0, "")),
        ({"finish_in": "900"}, (900, "")),
        ({"finish_in": 5, "finish_with_error": False}, (5, "")),
        ({"finish_in": 5, "finish_with_error": "true"}, (5, "internal_error")),
    ],
)
def test_a_token_of_the_sandbox_plays_what_is_asked_for(playing: Program, sent: Any, script: Any) -> None:
    playing.started(sent)
    told = Job.objects.get().sandbox
    assert told is not None
    assert (told["finish_in"], told["error"]) == script


def test_its_progress_is_the_time_that_has_passed(playing: Program) -> None:
    number = playing.started({"finish_in": 900})
    Job.objects.update(speech_started_at=timezone.now() - timedelta(seconds=450))
    assert playing.info(number)["progress"] in (48, 49, 50)


@pytest.mark.parametrize("sent", [{"finish_in": 901}, {"finish_in": -1}, {"finish_in": "soon"}, {"finish_in": 1.5}])
def test_other_times_are_refused(playing: Program, sent: Any) -> None:
    assert refusal(playing.json("perform_transcription", sent, job_id=playing.ready())) == (400, "INVALID_OPTION")


def test_a_file_of_the_sandbox_is_not_kept(playing: Program) -> None:
    number = playing.new(job_name="talk.wav")
    assert playing.post("add_media", {"file": a_file()}, job_id=number).status_code == 200
    assert refusal(playing.post("add_media", {"file": a_file()}, job_id=number)) == (409, "INVALID_QUERY")
    assert not Upload.objects.exists()
    assert playing.post("perform_transcription", {"finish_in": "0"}, job_id=number).status_code == 200
    assert (Job.objects.get().media, Job.objects.get().title) == ("", "talk.wav")


def test_the_sandbox_and_the_rest_don_t_know_each_other(program: Program, playing: Program) -> None:
    mine, played = program.ready(), playing.ready()
    assert refusal(program.get("info", job_id=played)) == (404, "ITEM_NOT_FOUND")
    assert refusal(playing.json("perform_transcription", {}, job_id=mine)) == (404, "ITEM_NOT_FOUND")
    assert not Job.objects.exists()


def test_its_header_is_refused_with_another_token(program: Program, playing: Program) -> None:
    header: Any = {"HTTP_X_SANDBOX": "finish_in=2; error=no_speech"}
    path = "/api/job/perform_transcription?v=4&job_id="
    assert refusal(program.client.post(f"{path}{program.ready()}", {}, **header)) == (400, "INVALID_OPTION")
    assert playing.client.post(f"{path}{playing.ready()}", {}, **header).status_code == 200
    assert Job.objects.get().sandbox["error"] == "no_speech"  # type: ignore[index]
