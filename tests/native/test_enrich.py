"""Analyses and translations over HTTP: who may ask, when there is something to work on, and what is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from tests.conftest import person
from tests.core.play import Stage
from whisper_jobs.models import Analysis, EnrichmentState, Job, PromptTemplate, Segment, TranslatedSegment, Translation

JOBS = "/api/whisper/jobs"


@pytest.fixture
def rich(db: None) -> User:
    return person("rich", "whisper.use", "provider_openai")


@pytest.fixture
def done(stage: Stage, rich: User) -> Job:
    return stage.completed(rich, language="sv")


def test_an_analysis_is_asked_for_in_the_recordings_language(api: Any, rich: User, done: Job) -> None:
    answer = api(rich).post(f"{JOBS}/{done.pk}/analyze", {}, format="json")
    assert answer.status_code == 202
    told = answer.json()["job"]
    assert (told["status"], told["analysis"]["state"]) == ("completed", "pending")
    assert Analysis.objects.get(job=done).language == done.detected_language


def test_an_analysis_takes_a_language_and_an_instruction(api: Any, rich: User, done: Job) -> None:
    body = {"language": "Swedish", "instruction": "Only the numbers."}
    assert api(rich).post(f"{JOBS}/{done.pk}/analyze", body, format="json").status_code == 202
    asked = Analysis.objects.get(job=done)
    assert (asked.language, asked.instruction) == ("sv", "Only the numbers.")


def test_an_analysis_takes_an_own_template(api: Any, rich: User, done: Job) -> None:
    template = PromptTemplate.objects.create(owner=rich, name="Numbers", instruction="Only the numbers.")
    assert api(rich).post(f"{JOBS}/{done.pk}/analyze", {"template": template.pk}).status_code == 202
    assert Analysis.objects.get(job=done).instruction == "Only the numbers."


@pytest.mark.parametrize("more", [{}, {"instruction": "And this."}])
def test_anothers_template_and_two_instructions_are_refused(
    api: Any, rich: User, bob: User, done: Job, more: dict[str, str]
) -> None:
    template = PromptTemplate.objects.create(owner=bob, name="Bob's", instruction="Secret.")
    answer = api(rich).post(f"{JOBS}/{done.pk}/analyze", {"template": template.pk, **more}, format="json")
    assert answer.status_code == 422
    assert "Secret" not in answer.content.decode()
    assert not Analysis.objects.exists()


def test_a_translation_is_asked_for(api: Any, rich: User, done: Job) -> None:
    answer = api(rich).post(f"{JOBS}/{done.pk}/translate", {"language": "German"}, format="json")
    assert answer.status_code == 202
    (told,) = answer.json()["job"]["translations"]
    assert (told["language"], told["state"]) == ("de", "pending")


@pytest.mark.parametrize("body", [{}, {"language": ""}, {"language": "auto"}, {"language": "klingonese"}])
def test_a_translation_needs_a_language(api: Any, rich: User, done: Job, body: dict[str, str]) -> None:
    answer = api(rich).post(f"{JOBS}/{done.pk}/translate", body, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["language"])


def test_what_is_being_made_is_not_asked_for_twice(api: Any, rich: User, done: Job) -> None:
    client = api(rich)
    assert client.post(f"{JOBS}/{done.pk}/analyze").status_code == 202
    answer = client.post(f"{JOBS}/{done.pk}/analyze")
    assert (answer.status_code, answer.json()["code"]) == (422, "not_allowed")


@pytest.mark.parametrize(("verb", "body"), [("analyze", {}), ("translate", {"language": "sv"})])
def test_without_the_permission_it_is_forbidden(
    api: Any, stage: Stage, alice: User, charlie: User, admin: User, verb: str, body: dict[str, str]
) -> None:
    job = stage.completed(alice)
    assert api(alice).post(f"{JOBS}/{job.pk}/{verb}", body, format="json").status_code == 403
    assert api(charlie).post(f"{JOBS}/{job.pk}/{verb}", body, format="json").status_code == 403
    assert api(admin).post(f"{JOBS}/{job.pk}/{verb}", body, format="json").status_code == 202


@pytest.mark.parametrize(("verb", "body"), [("analyze", {}), ("translate", {"language": "sv"})])
def test_without_a_transcript_there_is_nothing_to_do(
    api: Any, stage: Stage, rich: User, verb: str, body: dict[str, str]
) -> None:
    job = stage.decoded(rich)
    answer = api(rich).post(f"{JOBS}/{job.pk}/{verb}", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "not_allowed")


def test_segments_and_files_come_in_a_translations_language(api: Any, rich: User, done: Job) -> None:
    first, second = Segment.objects.filter(job=done).order_by("start")
    client, url = api(rich), f"{JOBS}/{done.pk}"
    translation = Translation.objects.create(job=done, language="de", index=0, state=EnrichmentState.RUNNING)
    TranslatedSegment.objects.create(translation=translation, segment=second, text="Fenster")
    told = client.get(f"{url}/segments?language=German").json()["segments"]
    assert [(one["id"], one["text"], one["start"], one["words"]) for one in told] == [
        (second.pk, "Fenster", second.start, [])
    ]
    unfinished = client.get(f"{url}/exports/txt?language=de")
    assert (unfinished.status_code, unfinished.json()["code"]) == (422, "not_translated")
    TranslatedSegment.objects.create(translation=translation, segment=first, text="Erstes")
    Translation.objects.update(state=EnrichmentState.DONE)
    file = client.get(f"{url}/exports/srt?language=de")
    assert f'filename="transcript-{done.pk}-de.srt"' in file["Content-Disposition"]


@pytest.mark.parametrize("path", ["segments?language=fr", "exports/txt?language=fr"])
def test_a_translation_that_was_never_asked_for_is_told(api: Any, rich: User, done: Job, path: str) -> None:
    answer = api(rich).get(f"{JOBS}/{done.pk}/{path}")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["language"])


@pytest.mark.parametrize("path", ["segments?language=klingonese", "exports/txt?language=klingonese"])
def test_a_language_that_is_none_is_told(api: Any, rich: User, done: Job, path: str) -> None:
    assert api(rich).get(f"{JOBS}/{done.pk}/{path}").status_code == 422
