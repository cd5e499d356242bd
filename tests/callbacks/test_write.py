"""What a callback says: the published keys, labels in English, and thin where the token asks for that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override

from accounts.models import PersonalToken, User
from sharing.models import Share
from tests.callbacks.conftest import only, send
from tests.callbacks.receiver import Receiver
from tests.core.play import Stage, fresh
from whisper_jobs import callbacks, envelope, lifecycle
from whisper_jobs.errors import FAILURES, JobError
from whisper_jobs.models import Analysis, EnrichmentState, Job, Translation

Make = Callable[..., Job]


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.SITE_URL = "https://tools.example.test"


def said(job: Job, *, thin: bool = False) -> Any:
    return envelope.completed(job, envelope.read(job, thin=thin), thin=thin)


def test_a_completed_job_is_told_in_the_published_keys(completed: Make, receiver: Receiver) -> None:
    job = completed(source_label="Customer interview", language="en")
    send()
    share = Share.objects.get(job=job)
    url = f"https://tools.example.test/shared/whisper/transcript/{share.token}"
    assert receiver.calls[0].json == {
        "ok": True,
        "event": "whisper.job.completed",
        "job": {
            "job_id": job.pk,
            "status": "completed",
            "status_label": "Completed",
            "queue_channel": "api",
            "queue_channel_label": "API queue",
            "source": "Customer interview",
            "model": "fake",
            "language": "en",
            "job_url": f"https://tools.example.test/whisper/jobs/{job.pk}",
            "share_url": url,
            "transcript_text": "done",
            "analysis_text": None,
            "translations": [],
            "share": {"url": url},
        },
    }


def test_a_failed_job_is_told_with_its_error_and_without_texts(
    stage: Stage, alice: User, asked: dict[str, Any], receiver: Receiver
) -> None:
    job = stage.prepared(alice, source_label="Customer interview", **asked)
    lifecycle.fail(stage.run("fetch"), JobError("source_not_found"))
    send()
    assert receiver.calls[0].json == {
        "ok": False,
        "event": "whisper.job.failed",
        "job": {
            "job_id": job.pk,
            "status": "failed",
            "status_label": "Failed",
            "queue_channel": "api",
            "queue_channel_label": "API queue",
            "source": "Customer interview",
            "model": "fake",
            "language": None,
            "job_url": f"https://tools.example.test/whisper/jobs/{job.pk}",
            "failure_code": "source_not_found",
            "failure_error": FAILURES["source_not_found"],
        },
    }


def test_what_a_language_model_added_is_told(completed: Make) -> None:
    job = completed()
    Analysis.objects.create(job=job, language="en", state=EnrichmentState.DONE, text="In short: yes.")
    Translation.objects.create(job=job, language="sv", index=0, state=EnrichmentState.DONE, text="klart")
    Translation.objects.create(job=job, language="de", index=1, state=EnrichmentState.FAILED, error="no")
    told = said(job)["job"]
    assert told["analysis_text"] == "In short: yes."
    assert told["translations"] == [
        {"language": "sv", "text": "klart", "state": "done"},
        {"language": "de", "text": None, "state": "failed"},
    ]


def test_an_analysis_that_is_being_made_anew_is_told_as_it_was(completed: Make) -> None:
    job = completed()
    Analysis.objects.create(job=job, language="en", state=EnrichmentState.RUNNING, text="In short: yes.")
    assert said(job)["job"]["analysis_text"] == "In short: yes."


def test_a_thin_callback_has_links_in_place_of_texts(completed: Make, receiver: Receiver, token: PersonalToken) -> None:
    PersonalToken.objects.filter(pk=token.pk).update(thin_callbacks=True)
    job = completed()
    Translation.objects.create(job=job, language="sv", index=0, state=EnrichmentState.DONE, text="hemligt")
    Analysis.objects.create(job=job, language="en", state=EnrichmentState.DONE, text="hemligt")
    send()
    (call,) = receiver.calls
    told = call.json["job"]
    assert told["transcript"] == "omitted"
    assert b"hemligt" not in call.body
    assert b"transcript_text" not in call.body
    assert told["translations"] == [{"language": "sv", "state": "done"}]
    base = f"https://tools.example.test/api/whisper/transcribe/jobs/{job.pk}"
    assert told["api_url"] == base
    assert told["exports"]["srt"] == f"{base}/exports/srt"
    assert told["share"] == {"url": told["share_url"]}


def test_labels_are_english_whoever_asked(completed: Make) -> None:
    with override("sv"):
        told = said(completed())["job"]
    assert (told["status_label"], told["queue_channel_label"]) == ("Completed", "API queue")


def test_letters_of_every_alphabet_arrive(completed: Make, receiver: Receiver) -> None:
    completed(source_label="Räksmörgås 寿司 🎧 \u2028 </script>")
    send()
    assert receiver.calls[0].json["job"]["source"] == "Räksmörgås 寿司 🎧 \u2028 </script>"


@pytest.mark.parametrize("gone", ["revoked_at", "expires_at"])
def test_a_share_that_opens_nothing_any_more_is_not_told(completed: Make, gone: str) -> None:
    job = completed()
    Share.objects.filter(job=job).update(**{gone: timezone.now() - timedelta(seconds=1)})
    told = said(job)["job"]
    assert (told["share_url"], told["share"]) == (None, None)


def test_what_was_rolled_back_is_never_told(
    stage: Stage, alice: User, asked: dict[str, Any], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction that completes the job fails after it has made the callback due."""
    job = stage.decoded(alice, windows=1, **asked)
    stage.hear(stage.run("speech"))
    run = stage.run("deliver")
    with monkeypatch.context() as patch:
        patch.setattr("whisper_jobs.pen.Edit.write", failing)
        with pytest.raises(RuntimeError):
            stage.assemble(run, text="done")
    assert fresh(job).is_terminal is False
    send()
    assert receiver.calls == []
    stage.assemble(run, text="done")
    send()
    assert len(receiver.calls) == 1


def failing(edit: object) -> None:
    raise RuntimeError("the disk is full")


def test_a_job_without_a_callback_sends_nothing(stage: Stage, alice: User, receiver: Receiver) -> None:
    stage.completed(alice, windows=1)
    send()
    assert receiver.calls == []


def test_a_body_that_can_not_be_written_is_a_failure_and_holds_up_no_other(
    completed: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = completed(), completed()
    write = callbacks._envelope

    def half(delivery: Any) -> Any:
        if delivery.job_id == first.pk:
            raise KeyError("a defect")
        return write(delivery)

    monkeypatch.setattr(callbacks, "_envelope", half)
    send()
    assert [call.json["job"]["job_id"] for call in receiver.calls] == [second.pk]
    delivery = callbacks.newest(first)
    assert delivery is not None
    assert (delivery.state, delivery.attempts, delivery.run_id) == ("due", 1, None)


def test_only_one_row_is_made_with_a_job(completed: Make) -> None:
    completed()
    assert only().attempts == 0
