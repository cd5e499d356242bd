"""POST /apis/transcribe: what is taken, and what is refused."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from django.utils.timezone import localdate

from accounts.models import User
from tests.camb.conftest import ADDRESS, TRANSCRIBE, a_file, form, refusal, wrong
from whisper_jobs import policy
from whisper_jobs.models import Channel, Job, Step, Usage
from whisper_jobs.states import Kind

KEY: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": "order 66/a"}


def test_an_address_becomes_a_task(program: Any, robin: User) -> None:
    answer = program(robin).post(TRANSCRIBE, form(project_name="Board", project_description="In May."))
    job = Job.objects.get()
    assert answer.status_code == 200
    assert list(answer.json()) == ["task_id"]
    assert UUID(answer.json()["task_id"])
    assert (job.owner, job.channel, job.source_url, job.language) == (robin, Channel.API, ADDRESS, "en")
    assert (job.source_label, job.source_note) == ("Board", "In May.")
    assert Step.objects.filter(kind=Kind.DIARIZE).exists()


@pytest.mark.parametrize("field", ["media_file", "file"])
def test_a_file_is_kept(program: Any, robin: User, field: str) -> None:
    answer = program(robin).post(TRANSCRIBE, {field: a_file(), "language": "54"})
    job = Job.objects.get()
    assert answer.status_code == 200
    assert (job.source_filename, job.source_size_bytes, job.language) == ("talk.wav", 104, "es")
    assert job.media


def test_the_older_name_of_an_address_is_known(program: Any, robin: User) -> None:
    assert program(robin).post(TRANSCRIBE, {"audio_url": ADDRESS, "language": "1"}).status_code == 200
    assert Job.objects.get().source_url == ADDRESS


LANGUAGES = {"1": "en", "72": "tl", "105": "no", "139": "zh", "auto": "", "sv-se": "sv", "pt-BR": "pt"}


def test_a_language_is_a_number_a_tag_or_to_be_found(program: Any, robin: User) -> None:
    client = program(robin)
    for told in LANGUAGES:
        assert client.post(TRANSCRIBE, form(language=told)).status_code == 200
    assert list(Job.objects.order_by("pk").values_list("language", flat=True)) == list(LANGUAGES.values())


def test_what_its_clients_send_besides_is_taken(program: Any, robin: User) -> None:
    more = {
        "folder_id": "7",
        "transcription_mode": "slow",
        "run_audio_cleaning": "false",
        "include_music_in_fg": "true",
        "formatting_options": json.dumps({"max_characters_in_segment": 42}),
        "of_tomorrow": "x",
    }
    assert program(robin).post(TRANSCRIBE, form(**more)).status_code == 200


def test_a_language_that_is_not_known_here_is_refused(program: Any, robin: User) -> None:
    client = program(robin)
    for language in ("0", "77", "147", "999", "9" * 20, "9" * 5000, "klingon", "𝟏"):
        assert wrong(client.post(TRANSCRIBE, form(language=language))) == [(["body", "language"], "value_error")]


def test_what_is_missing_is_named(program: Any, robin: User) -> None:
    client = program(robin)
    assert wrong(client.post(TRANSCRIBE, {})) == [(["body", "language"], "missing")]
    assert wrong(client.post(TRANSCRIBE)) == [(["body", "language"], "missing")]
    assert wrong(client.post(TRANSCRIBE, {"language": "1"})) == [(["body", "media_file"], "missing")]
    assert not Job.objects.exists()


WRONG = [
    ("folder_id", "seven", "value_error"),
    ("folder_id", "-1", "greater_than_equal"),
    ("transcription_mode", "medium", "literal_error"),
    ("run_audio_cleaning", "perhaps", "value_error"),
    ("include_music_in_fg", "perhaps", "value_error"),
    ("formatting_options", "[1]", "value_error"),
    ("formatting_options", "{", "value_error"),
    ("formatting_options", "[" * 1900, "value_error"),
    ("project_name", "x" * 201, "string_too_long"),
    ("project_name", "a\0b", "value_error"),
    ("media_url", "file:///etc/passwd", "value_error"),
    ("media_url", "http://127.0.0.1/a.mp3", "value_error"),
    ("media_url", "not an address", "value_error"),
    ("media_url", "https://e.org/" + "x" * 4000, "string_too_long"),
]


def test_a_field_that_is_wrong_is_named(program: Any, robin: User) -> None:
    client = program(robin)
    for field, value, kind in WRONG:
        assert wrong(client.post(TRANSCRIBE, form(**{field: value}))) == [(["body", field], kind)]
    assert not Job.objects.exists()


def test_more_than_one_recording_is_refused(program: Any, robin: User) -> None:
    client = program(robin)
    both = client.post(TRANSCRIBE, form(media_file=a_file()))
    assert [place for place, _kind in wrong(both)] == [["body", "media_file"], ["body", "media_url"]]
    two = client.post(TRANSCRIBE, {"media_file": [a_file(), a_file()], "language": "1"})
    assert wrong(two) == [(["body", "media_file"], "value_error")]


def test_an_empty_file_is_refused(program: Any, robin: User) -> None:
    answer = program(robin).post(TRANSCRIBE, {"media_file": a_file(b""), "language": "1"})
    assert wrong(answer) == [(["body", "media_file"], "value_error")]


def test_a_file_that_is_too_large_is_refused(program: Any, robin: User, tools: Any) -> None:
    tools(upload_max_mb=1)
    answer = program(robin).post(TRANSCRIBE, {"media_file": a_file(b"x" * (1 << 21)), "language": "1"})
    assert refusal(answer)[0] == 413


def test_a_body_that_is_no_form_is_refused(program: Any, robin: User) -> None:
    client = program(robin)
    assert refusal(client.generic("POST", TRANSCRIBE, b"words", "text/plain"))[0] == 415
    assert refusal(client.generic("POST", TRANSCRIBE, b"{", "application/json"))[0] == 400
    assert wrong(client.post(TRANSCRIBE, [1], format="json")) == [(["body", "non_field_errors"], "value_error")]


def test_the_same_request_sent_again_makes_no_second_task(program: Any, robin: User) -> None:
    client = program(robin)
    first, second = (client.post(TRANSCRIBE, form(), **KEY) for _ in range(2))
    assert first.json() == second.json()
    assert second["Idempotent-Replayed"] == "true"
    other = client.post(TRANSCRIBE, form(language="31"), **KEY)
    assert wrong(other) == [(["header", "Idempotency-Key"], "value_error")]


def test_who_has_used_up_their_minutes_is_told_to_pay(program: Any, robin: User, tools: Any) -> None:
    tools(monthly_minutes=10)
    Usage.objects.create(owner=robin, month=localdate().replace(day=1), seconds=600)
    status, told = refusal(program(robin).post(TRANSCRIBE, form()))
    assert (status, told.startswith("0 of this month's 10 minutes are left")) == (402, True), told


def test_too_many_tasks_at_once_are_held_back(program: Any, robin: User, tools: Any) -> None:
    tools(max_queued_jobs=1)
    client = program(robin)
    assert client.post(TRANSCRIBE, form()).status_code == 200
    answer = client.post(TRANSCRIBE, form())
    assert refusal(answer)[0] == 429
    assert answer["Retry-After"]


def test_who_may_have_nothing_transcribed_is_told_at_once(program: Any, robin: User) -> None:
    policy.change(robin.tenant_id, {"allowed_backends": "B", "default_backend": "B"}, actor=robin)
    assert refusal(program(robin).post(TRANSCRIBE, form()))[0] == 503
    assert refusal(program(robin).post("/asr", {"audio_file": a_file()}))[0] == 503
    assert not Job.objects.exists()


def test_a_key_of_the_sandbox_has_nothing_worked_on(program: Any, robin: User) -> None:
    client = program(robin, is_sandbox=True)
    assert client.post(TRANSCRIBE, form(), HTTP_X_SANDBOX="finish_in=never").status_code == 200
    job = Job.objects.get()
    assert (job.media, (job.sandbox or {})["finish_in"]) == ("", None)
    assert [step.kind for step in Step.objects.all()] == [Kind.REHEARSE]


def test_the_sandbox_is_asked_for_in_vain_with_another_key(program: Any, robin: User) -> None:
    answer = program(robin).post(TRANSCRIBE, form(), HTTP_X_SANDBOX="finish_in=1")
    assert wrong(answer) == [(["header", "X-Sandbox"], "value_error")]
    assert not Job.objects.exists()


def test_what_was_sent_and_changes_nothing_is_named(program: Any, robin: User) -> None:
    client = program(robin)
    assert client.post(TRANSCRIBE, form(folder_id="7", colour="red"))["X-Without-Effect"] == "colour, folder_id"
    assert client.post(TRANSCRIBE, form(run_audio_cleaning="true"))["X-Without-Effect"] == "run_audio_cleaning"
    assert "X-Without-Effect" not in client.post(TRANSCRIBE, form(transcription_mode="fast"))
