"""Analyses, as a worker makes them with a model that answers over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from accounts import tokens
from accounts.models import User
from accounts.permissions import grant
from tests.core.play import Stage, fresh
from tests.enrichment.model_server import ANALYSIS, ModelServer, helpful, refused, said, shape_of
from whisper_jobs import enrichment, lifecycle, payloads
from whisper_jobs.language_models.failures import SENTENCES
from whisper_jobs.models import Analysis, Job, PromptTemplate, Step
from whisper_jobs.states import StepState

pytestmark = pytest.mark.django_db
Transcribed = Callable[..., Job]
Work = Callable[[], bool]
EN = {"analysis_language": "en"}
TALK = ("Welcome everybody.", "We talk.", "The budget is too small.")


def told(job: Job) -> dict[str, Any]:
    return dict(payloads.job_full(fresh(job))["analysis"])


def test_an_analysis_has_its_parts_with_real_times_and_a_text(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work
) -> None:
    job = transcribed(rich, *TALK, **EN)
    assert work()
    one = told(job)
    assert (one["state"], one["error"], one["model"]) == ("done", None, "model-of-the-server")
    assert one["summary"] == ANALYSIS["summary"]
    assert one["chapters"] == [{"title": "Welcome", "start": 0.0}]
    assert one["text"].startswith("They talked about the budget.\n\nKey points\n- Costs have grown.")
    assert (one["prompt_tokens"], one["completion_tokens"]) == (100, 10)
    assert fresh(job).status == "completed"
    system, user = (message["content"] for message in reachable.asked[0]["messages"])
    assert "Write in English (en)" in system
    assert "[0:00:00] Welcome everybody. We talk. The budget is too small." in user


def test_its_headings_are_in_its_language(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work
) -> None:
    job = transcribed(rich, *TALK, analysis_language="fi")
    work()
    assert "Finnish (fi)" in reachable.asked[0]["messages"][0]["content"]
    assert "Decisions\n- The price goes up." in told(job)["text"]


@pytest.mark.parametrize(
    "answer",
    ["CHECK-ANSWER as plain text", {"summary": "CHECK-ANSWER", "text": "more"}, '{"summary": "CHECK-ANSWER', [1]],
)
def test_whatever_is_answered_is_kept(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work, answer: Any
) -> None:
    reachable.behaviour = lambda asked: said(answer)
    job = transcribed(rich, *TALK, **EN)
    work()
    one = told(job)
    assert one["state"] == "done"
    assert one["decisions"] == one["chapters"] == []
    assert ("CHECK-ANSWER" if answer != [1] else "[1]") in one["text"]


def test_a_server_that_knows_no_schemas_does_as_well(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work
) -> None:
    reachable.behaviour = lambda asked: helpful(asked) if shape_of(asked) == "text" else refused(400)
    job = transcribed(rich, *TALK, **EN)
    work()
    assert told(job)["summary"] == ANALYSIS["summary"]


def test_a_server_that_fails_once_is_asked_again_after_a_pause(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work, work_patiently: Callable[[], None]
) -> None:
    reachable.then(lambda asked: refused(500), helpful)
    job = transcribed(rich, *TALK, **EN)
    assert work()
    assert not work()
    step = Step.objects.get(job=job, kind="analyse")
    assert (step.state, step.error) == (StepState.READY, SENTENCES["broken"])
    assert step.not_before is not None
    assert fresh(job).status == "finalizing"
    work_patiently()
    assert told(job)["state"] == "done"
    assert fresh(job).status == "completed"


def test_a_server_that_always_fails_costs_the_analysis_only(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work_patiently: Callable[[], None]
) -> None:
    reachable.behaviour = lambda asked: refused(500)
    job = transcribed(rich, *TALK, **EN)
    work_patiently()
    assert (told(job)["state"], told(job)["error"]) == ("failed", SENTENCES["broken"])
    assert len(reachable.asked) == 1 + len(lifecycle.RETRY_PAUSES)
    assert fresh(job).status == "completed"


def test_a_wrong_key_is_told_at_once(reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work) -> None:
    reachable.behaviour = lambda asked: refused(401)
    job = transcribed(rich, *TALK, **EN)
    work()
    assert (told(job)["state"], told(job)["error"]) == ("failed", SENTENCES["key"])
    assert len(reachable.asked) == 1


def test_an_owner_with_a_key_of_their_own_pays_for_themselves(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work
) -> None:
    tokens.store_provider_key(rich, "sk-of-alice")
    transcribed(rich, *TALK, **EN)
    work()
    assert reachable.headers[0]["authorization"] == "Bearer sk-of-alice"


def test_without_any_key_it_is_told_what_to_do(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work, settings: Any
) -> None:
    settings.TOOLS = replace(settings.TOOLS, openai_api_key="")
    job = transcribed(rich, *TALK, **EN)
    work()
    assert (told(job)["state"], told(job)["error"]) == ("failed", SENTENCES["no_key"])
    step = Step.objects.get(job=job, kind="analyse")
    assert (step.state, step.error_code, step.attempts) == (StepState.FAILED, "backend_unavailable", 1)
    assert reachable.asked == []


def test_a_model_on_the_local_network_must_be_admitted(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work, settings: Any
) -> None:
    settings.TOOLS = replace(settings.TOOLS, outbound_allow=())
    job = transcribed(rich, *TALK, **EN)
    work()
    assert "TOOLS_OUTBOUND_ALLOW" in told(job)["error"]
    assert reachable.asked == []


def test_who_has_lost_the_permission_meanwhile_sends_nothing(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work
) -> None:
    job = transcribed(rich, *TALK, **EN)
    rich.user_permissions.clear()
    grant(rich, "whisper.use")
    work()
    assert (told(job)["state"], told(job)["error"]) == ("failed", SENTENCES["not_allowed"])
    assert reachable.asked == []


def test_a_long_transcript_is_read_in_parts_each_of_them_once(
    reachable: ModelServer, transcribed: Transcribed, rich: User, settings: Any, work_patiently: Callable[[], None]
) -> None:
    settings.TOOLS = replace(settings.TOOLS, openai_context_tokens=1000)
    texts = [f"Sentence number {number} is about something else and ends here." for number in range(120)]
    reachable.then(helpful, helpful, lambda asked: refused(500), helpful)
    job = transcribed(rich, *texts, **EN)
    work_patiently()
    one = told(job)
    assert (one["state"], one["summary"]) == ("done", ANALYSIS["summary"])
    asked = [message["messages"][1]["content"] for message in reachable.asked]
    assert len(asked) > 4
    assert len(asked) - len(set(asked)) == 1, "only the part that failed is asked for twice"
    assert one["prompt_tokens"] == 100 * (len(asked) - 1)
    assert Analysis.objects.get(job=job).notes == {}


def test_an_instruction_goes_along_as_it_was_when_asked(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work
) -> None:
    job = transcribed(rich, *TALK)
    enrichment.request_analysis(job.pk, asked_by=rich, language="sv", instruction="Write minutes.")
    work()
    system = reachable.asked[0]["messages"][0]["content"]
    assert "Write minutes." in system
    assert "Swedish (sv)" in system
    assert told(job)["state"] == "done"


def test_the_template_chosen_for_new_recordings_is_used_as_it_was_then(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work
) -> None:
    PromptTemplate.objects.create(owner=rich, name="other", instruction="Write a poem.")
    chosen = PromptTemplate.objects.create(owner=rich, name="mine", instruction="Write minutes.", is_default=True)
    transcribed(rich, *TALK, **EN)
    chosen.delete()
    work()
    assert "Write minutes." in reachable.asked[0]["messages"][0]["content"]


def test_a_cancelled_job_shows_no_analysis_at_work(
    reachable: ModelServer, transcribed: Transcribed, rich: User, stage: Stage
) -> None:
    job = transcribed(rich, *TALK, **EN)
    run = stage.run("enrich")
    lifecycle.request_cancel(job.pk)
    lifecycle.hand_back(run)
    assert fresh(job).failure_code == "cancelled"
    assert told(job)["state"] == "pending"


def test_the_schema_names_every_part(reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work) -> None:
    transcribed(rich, *TALK, **EN)
    work()
    shape = reachable.asked[0]["response_format"]["json_schema"]
    assert shape["strict"] is True
    assert set(shape["schema"]["properties"]) == set(ANALYSIS)
    json.dumps(shape)
