"""What comes after the words: it may take its time and fail, the words are there and the job completes all the same."""

from __future__ import annotations

import pytest

from accounts.models import User
from accounts.permissions import grant
from sharing.models import Share
from tests.core.play import Stage, fresh
from whisper_jobs import enrichment, lifecycle, outbox, payloads, recovery
from whisper_jobs.enrichment import Cost, Finding
from whisper_jobs.errors import JobError
from whisper_jobs.models import Analysis, Channel, Delivery, DeliveryState, EnrichmentState, Job, Step, Translation
from whisper_jobs.runs import NotAllowed
from whisper_jobs.states import Kind, Status, StepState

HOOK = "https://example.com/hook"
pytestmark = pytest.mark.django_db


@pytest.fixture
def rich(alice: User) -> User:
    grant(alice, "provider_openai")
    return User.objects.get(pk=alice.pk)


def words_done(stage: Stage, owner: User, **fields: object) -> Job:
    job = stage.decoded(owner, windows=1, **fields)
    stage.hear(stage.run("speech"))
    stage.assemble(stage.run("deliver"), text="all the words")
    return fresh(job)


def test_the_words_are_there_while_the_analysis_is_still_made(stage: Stage, rich: User) -> None:
    job = words_done(stage, rich, analysis_language="en")
    assert job.status == Status.FINALIZING
    assert payloads.job_full(job)["transcript_text"] == "all the words"
    run = stage.run("enrich")
    assert payloads.job_full(fresh(job))["analysis"]["state"] == "running"
    enrichment.spend(run, Cost(10, 5))
    enrichment.finish_analysis(run, Finding("In short.", "a-model", {"summary": "In short."}))
    told = payloads.job_full(fresh(job))
    assert (told["status"], told["analysis"]["state"], told["analysis"]["summary"]) == (
        "completed",
        "done",
        "In short.",
    )
    assert (told["analysis"]["prompt_tokens"], told["analysis"]["completion_tokens"]) == (10, 5)


def test_every_language_is_a_step_of_its_own(stage: Stage, rich: User) -> None:
    job = words_done(stage, rich, translation_target_languages=("sv", "de"))
    segment = job.segments.get()
    for text in ("alla orden", "alle Wörter"):
        run = stage.run("enrich")
        enrichment.add_translated(run, {segment.pk: text}, total=1)
        assert fresh(job).status == Status.FINALIZING
        enrichment.finish_translation(run, text=text, model="a-model")
    told = payloads.job_full(fresh(job))
    assert told["status"] == "completed"
    assert [(one["language"], one["text"]) for one in told["translations"]] == [
        ("sv", "alla orden"),
        ("de", "alle Wörter"),
    ]


def test_without_the_permission_it_is_left_out_and_said_so(stage: Stage, alice: User) -> None:
    job = words_done(stage, alice, analysis_language="en", translation_target_languages=("sv",))
    told = payloads.job_full(job)
    assert told["status"] == "completed"
    assert told["analysis"]["state"] == "skipped"
    assert told["analysis"]["error"]
    assert [one["state"] for one in told["translations"]] == ["skipped"]
    assert not Step.objects.filter(job=job, lane="enrich").exists()


def test_a_failure_is_told_and_the_job_completes(stage: Stage, rich: User) -> None:
    job = words_done(stage, rich, analysis_language="en")
    lifecycle.fail(stage.run("enrich"), JobError("backend_unavailable", "No key."))
    told = payloads.job_full(fresh(job))
    assert (told["status"], told["failure_code"]) == ("completed", None)
    assert (told["analysis"]["state"], told["analysis"]["error"]) == ("failed", "No key.")


def test_a_worker_that_dies_again_and_again_costs_the_analysis_only(stage: Stage, rich: User) -> None:
    job = words_done(stage, rich, analysis_language="en")
    for _ in range(recovery.MOST_LOSSES):
        recovery.lose(stage.run("enrich").step)
    told = payloads.job_full(fresh(job))
    assert (told["status"], told["analysis"]["state"]) == ("completed", "failed")


def test_an_analysis_runs_again_alone_and_the_old_one_stays_readable(stage: Stage, rich: User) -> None:
    job = words_done(stage, rich, analysis_language="en")
    enrichment.finish_analysis(stage.run("enrich"), Finding("Old.", "a-model"))
    enrichment.request_analysis(job.pk, asked_by=rich, language="sv")
    row = Analysis.objects.get(job=job)
    assert (row.state, row.text, row.language) == (EnrichmentState.PENDING, "Old.", "sv")
    with pytest.raises(NotAllowed):
        enrichment.request_analysis(job.pk, asked_by=rich, language="sv")
    run = stage.run("enrich")
    assert lifecycle.heartbeat(run.run_id)
    enrichment.finish_analysis(run, Finding("Nytt.", "a-model"))
    assert Analysis.objects.get(job=job).text == "Nytt."
    assert fresh(job).status == Status.COMPLETED


def test_a_lost_or_stopped_worker_leaves_a_step_of_a_completed_job_to_another(stage: Stage, rich: User) -> None:
    job = words_done(stage, rich)
    enrichment.request_translation(job.pk, asked_by=rich, language="sv")
    recovery.lose(stage.run("enrich").step)
    lifecycle.hand_back(stage.run("enrich"))
    run = stage.run("enrich")
    enrichment.finish_translation(run, text="klart", model="a-model")
    assert Translation.objects.get(job=job).state == EnrichmentState.DONE


def test_nothing_is_asked_for_before_there_are_words(stage: Stage, rich: User) -> None:
    job = stage.submit(rich)
    with pytest.raises(NotAllowed):
        enrichment.request_analysis(job.pk, asked_by=rich, language="en")
    with pytest.raises(NotAllowed):
        enrichment.request_translation(job.pk, asked_by=rich, language="sv")


def test_a_restart_tries_what_was_cancelled_once_more(stage: Stage, rich: User) -> None:
    job = words_done(stage, rich, analysis_language="en")
    lifecycle.request_cancel(job.pk)
    assert fresh(job).failure_code == "cancelled"
    lifecycle.restart(job.pk)
    stage.assemble(stage.run("deliver"), text="all the words")
    enrichment.finish_analysis(stage.run("enrich"), Finding("Done.", "a-model"))
    assert fresh(job).status == Status.COMPLETED


def test_the_end_of_an_api_job_opens_its_share_and_makes_its_callback_due(stage: Stage, alice: User) -> None:
    job = stage.submit(alice, channel=Channel.API, callback_url=HOOK)
    assert payloads.job_full(job)["callback"]["status"] == "pending"
    assert Delivery.objects.get(job=job).state == DeliveryState.HELD
    stage.prepare(stage.run("speech"))
    lifecycle.finish_fetch(stage.run("fetch"), media="media/0/original")
    stage.decode(stage.run("fetch"), 1)
    stage.hear(stage.run("speech"))
    stage.assemble(stage.run("deliver"), text="done")
    sent = Delivery.objects.get(job=job)
    assert (sent.state, sent.event, sent.url) == (DeliveryState.DUE, outbox.COMPLETED, HOOK)
    assert payloads.job_full(fresh(job))["share"]["url"].endswith(Share.objects.get(job=job).token)


def test_a_web_job_is_shared_and_called_back_by_nobody(stage: Stage, alice: User) -> None:
    job = stage.completed(alice, windows=1)
    assert not Share.objects.exists()
    assert not Delivery.objects.exists()
    assert payloads.job_full(job)["callback"] is None


def test_a_failed_job_calls_back_and_after_a_restart_once_more(stage: Stage, alice: User) -> None:
    job = stage.submit(alice, channel=Channel.API, callback_url=HOOK)
    lifecycle.fail(stage.run("fetch"), JobError("source_not_found"))
    first = Delivery.objects.get(job=job)
    assert (first.state, first.event) == (DeliveryState.DUE, outbox.FAILED)
    lifecycle.restart(job.pk)
    states = list(Delivery.objects.filter(job=job).order_by("id").values_list("state", flat=True))
    assert states == [DeliveryState.DROPPED, DeliveryState.HELD]
    assert Step.objects.filter(job=job, kind=Kind.FETCH, state=StepState.READY).exists()


def test_an_end_that_is_rolled_back_makes_no_callback_due(
    stage: Stage, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.submit(alice, channel=Channel.API, callback_url=HOOK)
    run = stage.run("fetch")

    def full(*_args: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("whisper_jobs.pen._recount", full)
    with pytest.raises(OSError, match="no space"):
        lifecycle.fail(run, JobError("source_not_found"))
    assert Delivery.objects.get().state == DeliveryState.HELD


def test_who_asks_for_it_answers_for_it(stage: Stage, alice: User, admin: User) -> None:
    job = words_done(stage, alice, analysis_language="en")
    enrichment.request_analysis(job.pk, asked_by=admin, language="en")
    assert Analysis.objects.get(job=job).asked_by == admin
