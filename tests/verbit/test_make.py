"""/job/new and /job/add_media: what a job begins with, and its recording."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from tests.verbit.conftest import MEDIA, Program, a_file, refusal
from whisper_jobs import orders
from whisper_jobs.models import Job, Order, Profile, Upload
from whisper_jobs.runs import NotAllowed

ASKED = {
    "job_name": "Lecture 3",
    "external_id": "db-17",
    "language": "en-US",
    "glossary": ["Åsa", "Kubernetes"],
    "labels": ["spring"],
    "job_metadata": {"course": "B12", "seats": 40, "open": True},
}


def told(program: Program, number: int) -> dict[str, Any]:
    info = program.info(number)
    return {name: info[name] for name in ("job_name", "external_id", "language", "labels", "job_metadata")}


def test_a_new_job_is_pending_and_tells_what_it_was_given(program: Program) -> None:
    number = program.new(**ASKED)
    info = program.info(number)
    assert (info["job_id"], info["job_status"], info["profile"], info["errors"]) == (number, "Pending", "automatic", [])
    assert told(program, number) == {name: value for name, value in ASKED.items() if name != "glossary"}
    assert Order.objects.get().glossary == ["Åsa", "Kubernetes"]
    assert not Job.objects.exists()


def test_a_form_says_the_same(program: Program) -> None:
    form = {
        **{name: ASKED[name] for name in ("job_name", "external_id", "language")},
        "glossary": "Åsa, Kubernetes",
        "labels[]": ["spring"],
        "job_metadata": '{"course": "B12", "seats": 40, "open": true}',
        "profile": "AUTOMATIC",
    }
    made = program.post("new", form)
    assert told(program, made.json()["job_id"]) == {name: value for name, value in ASKED.items() if name != "glossary"}
    assert Order.objects.get().glossary == ["Åsa", "Kubernetes"]


def test_a_query_says_the_same(program: Program) -> None:
    made = program.get("new", profile="automatic", job_name="Talk", external_id="7")
    assert program.info(made.json()["job_id"])["external_id"] == "7"


def test_an_own_profile_is_named_in_any_case(program: Program, other: Program) -> None:
    for name in ("Court", "Örebro"):
        Profile.objects.create(owner=program.user, name=name)
    Profile.objects.create(owner=other.user, name="Secret")
    assert program.info(program.new(profile="court"))["profile"] == "Court"
    assert program.info(program.new(profile="öREBRO"))["profile"] == "Örebro"
    answer = program.json("new", {"profile": "secret"})
    assert refusal(answer) == (400, "INVALID_OPTION")
    assert "Court" in answer.json()["ErrorComment"] and "Secret" not in answer.json()["ErrorComment"]


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ({}, "MISSING_PARAMETER"),
        ({"profile": ""}, "MISSING_PARAMETER"),
        ({"profile": None}, "MISSING_PARAMETER"),
        ({"profile": "platinum"}, "INVALID_OPTION"),
        ({"profile": ["automatic"]}, "INVALID_OPTION"),
        ({"profile": "automatic", "job_name": "x" * 201}, "INVALID_OPTION"),
        ({"profile": "automatic", "job_name": "a\0b"}, "INVALID_OPTION"),
        ({"profile": "automatic", "external_id": "x" * 256}, "INVALID_OPTION"),
        ({"profile": "automatic", "language": "klingon"}, "INVALID_OPTION"),
        ({"profile": "automatic", "glossary": {"a": 1}}, "INVALID_OPTION"),
        ({"profile": "automatic", "glossary": ["x" * 101]}, "INVALID_OPTION"),
        ({"profile": "automatic", "labels": [["a"]]}, "INVALID_OPTION"),
        ({"profile": "automatic", "labels": [str(n) for n in range(51)]}, "INVALID_OPTION"),
        ({"profile": "automatic", "job_metadata": "no json"}, "INVALID_OPTION"),
        ({"profile": "automatic", "job_metadata": [1]}, "INVALID_OPTION"),
        ({"profile": "automatic", "job_metadata": {"a": {"b": 1}}}, "INVALID_OPTION"),
        ({"profile": "automatic", "job_metadata": {"a": "\0"}}, "INVALID_OPTION"),
        ({"profile": "automatic", "job_metadata": "[" * 5000}, "INVALID_OPTION"),
        ({"profile": "automatic", "job_metadata": '{"a": NaN}'}, "INVALID_OPTION"),
        ({"profile": "automatic", "translation_languages": ["sv"]}, "INVALID_OPTION"),
        ({"profile": "automatic", "job_id": 4}, "INVALID_OPTION"),
    ],
)
def test_what_can_t_be_accepted_is_refused_and_makes_nothing(program: Program, sent: Any, kind: str) -> None:
    assert refusal(program.json("new", sent)) == (400, kind)
    assert not Order.objects.exists()


def test_a_parameter_that_asks_for_nothing_is_no_matter(program: Program) -> None:
    assert program.json("new", {"profile": "automatic", "permissions": [], "rush": False, "x": None}).status_code == 200


def test_scripts_and_other_letters_are_words(program: Program) -> None:
    name = "<script>alert(1)</script> שלום 🎧"
    assert program.info(program.new(job_name=name))["job_name"] == name


def test_too_many_that_are_never_started_are_refused_and_old_ones_go(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "MOST_PENDING", 2)
    first, _second = program.new(), program.new()
    assert refusal(program.json("new", {"profile": "automatic"})) == (409, "INVALID_QUERY")
    Order.objects.filter(pk=first).update(created_at=timezone.now() - orders.PENDING_LIFETIME - timedelta(hours=1))
    program.new()
    assert refusal(program.get("info", job_id=first)) == (404, "ITEM_NOT_FOUND")


# --- media ------------------------------------------------------------------------------------------


def test_media_is_added_once(program: Program) -> None:
    number = program.new()
    first = program.json("add_media", {"media_url": MEDIA}, job_id=number)
    assert first.json() == {"job_id": number, "job_status": "Pending"}
    assert refusal(program.json("add_media", {"media_url": MEDIA}, job_id=number)) == (409, "INVALID_QUERY")
    assert refusal(program.post("add_media", {"file": a_file()}, job_id=number)) == (409, "INVALID_QUERY")
    assert not Upload.objects.exists()


def test_a_file_waits_for_its_job_a_week(program: Program) -> None:
    number = program.new()
    assert program.post("add_media", {"file": a_file()}, job_id=number).status_code == 200
    upload = Upload.objects.get()
    assert timezone.now() + timedelta(days=6.9) < upload.expires_at < timezone.now() + timedelta(days=7.1)
    with default_storage.open(upload.media) as kept:
        assert kept.read().startswith(b"RIFF")
    assert program.info(number)["has_media"] is True


def test_a_file_that_waited_too_long_can_be_added_again(program: Program) -> None:
    number = program.new()
    program.post("add_media", {"file": a_file()}, job_id=number)
    Upload.objects.update(expires_at=timezone.now())
    start = program.json("perform_transcription", {}, job_id=number)
    assert refusal(start) == (400, "MISSING_PARAMETER") and "a week" in start.json()["ErrorComment"]
    assert program.info(number)["has_media"] is False
    assert program.post("add_media", {"media_file": a_file()}, job_id=number).status_code == 200
    assert program.json("perform_transcription", {}, job_id=number).status_code == 200


def test_a_file_whose_job_got_another_meanwhile_is_not_kept(program: Program) -> None:
    number = program.new()
    order = Order.objects.select_related("owner").get(pk=number)
    orders.add_url(order, MEDIA)
    with pytest.raises(NotAllowed):
        orders.add_file(order, a_file())  # as it was before: without media
    assert not Upload.objects.exists()
    assert Order.objects.get().media_url == MEDIA


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ({}, "MISSING_PARAMETER"),
        ({"media_url": ""}, "MISSING_PARAMETER"),
        ({"media_url": "http://127.0.0.1/a.mp3"}, "INVALID_URL"),
        ({"media_url": "http://192.168.1.4/a.mp3"}, "INVALID_URL"),
        ({"media_url": "http://2130706433/a.mp3"}, "INVALID_URL"),
        ({"media_url": "file:///etc/passwd"}, "INVALID_URL"),
        ({"media_url": "talk.mp3"}, "INVALID_URL"),
        ({"media_url": "https://" + "x" * 5000}, "INVALID_OPTION"),
        ({"media_url": ["https://example.com/a"]}, "INVALID_OPTION"),
        ({"file": "a.mp3"}, "INVALID_OPTION"),
        ({"asset_ids": [1]}, "INVALID_OPTION"),
        ({"media_url": MEDIA, "merge_assets": True}, "INVALID_OPTION"),
    ],
)
def test_media_that_can_t_be_had_is_refused(program: Program, sent: Any, kind: str) -> None:
    number = program.new()
    assert refusal(program.json("add_media", sent, job_id=number)) == (400, kind)
    assert program.info(number)["has_media"] is False


def test_empty_and_several_files_are_refused(program: Program) -> None:
    number = program.new()
    for form in ({"file": a_file(b"")}, {"file": [a_file(), a_file()]}, {"file": a_file(), "media_url": MEDIA}):
        assert refusal(program.post("add_media", form, job_id=number)) == (400, "INVALID_OPTION")
    assert not Upload.objects.exists()


def test_a_file_that_is_too_large_is_413(program: Program, settings: Any) -> None:
    number = program.new()
    settings.TOOLS = replace(settings.TOOLS, upload_max_mb=1)
    large = a_file(b"x" * ((2 << 20) + 1))
    assert refusal(program.post("add_media", {"file": large}, job_id=number)) == (413, "INVALID_OPTION")
    assert not Upload.objects.exists()
