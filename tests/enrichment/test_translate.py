"""Translations, segment by segment, as a worker makes them with a model that answers over HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from tests.core.play import Stage, fresh
from tests.enrichment.model_server import Asked, ModelServer, Reply, captions_of, refused, said, translated
from whisper_jobs import enrichment, payloads, recovery, results
from whisper_jobs.language_models.failures import SENTENCES
from whisper_jobs.models import Job, Step, TranslatedSegment, Translation
from whisper_jobs.moves import Fenced
from whisper_jobs.pipeline.enrich import translate
from whisper_jobs.pipeline.heart import Heart, Watch
from whisper_jobs.results import NotTranslated
from whisper_jobs.speech.formats import FORMATS
from whisper_jobs.states import StepState

pytestmark = pytest.mark.django_db
Transcribed = Callable[..., Job]
Work = Callable[[], bool]
TEXTS = [f"caption number {number}" for number in range(100)]
SV = {"translation_target_languages": ("sv",)}


def told(job: Job) -> dict[str, Any]:
    (one,) = payloads.job_full(fresh(job))["translations"]
    return dict(one)


def numbers(asked: Asked) -> list[str]:
    return [one["text"].split()[-1] for one in captions_of(asked)]


def test_every_segment_gets_its_text_in_the_other_language(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work
) -> None:
    job = transcribed(rich, "Hello there.", "", "How are you?", **SV)
    assert work()
    one = told(job)
    assert (one["state"], one["language"], one["error"], one["model"]) == ("done", "sv", None, "model-of-the-server")
    assert one["text"] == "HELLO THERE.\n\nHOW ARE YOU?"
    assert (one["prompt_tokens"], one["completion_tokens"]) == (100, 10)
    assert one["exports"]["srt"] == f"/api/whisper/jobs/{job.pk}/exports/srt?language=sv"
    assert fresh(job).status == "completed"
    assert "Swedish" in reachable.asked[0]["messages"][0]["content"]


def test_captions_in_the_other_language_keep_their_times(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work
) -> None:
    job = transcribed(rich, "Hello there.", "How are you?", **SV)
    work()
    srt = b"".join(FORMATS["srt"].render(results.transcript_of(job, "sv"))).decode()
    assert srt == (
        "1\n00:00:00,000 --> 00:00:04,000\nHELLO THERE.\n\n2\n00:00:05,000 --> 00:00:09,000\nHOW ARE YOU?\n\n"
    )
    file = json.loads(b"".join(FORMATS["json"].render(results.transcript_of(job, "sv"))))
    assert (file["language"], [one["words"] for one in file["segments"]]) == ("sv", [[], []])


def test_a_translation_that_is_not_there_is_not_exported(
    reachable: ModelServer, transcribed: Transcribed, rich: User
) -> None:
    job = transcribed(rich, "Hello there.", **SV)
    assert told(job)["exports"] == {}
    for language in ("sv", "de"):
        with pytest.raises(NotTranslated):
            results.transcript_of(job, language)


def test_many_segments_go_in_batches_with_their_neighbours(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work
) -> None:
    job = transcribed(rich, *TEXTS, **SV)
    work()
    assert [len(captions_of(asked)) for asked in reachable.asked] == [40, 40, 20]
    second = json.loads(reachable.asked[1]["messages"][1]["content"])
    assert second["before"] == TEXTS[37:40]
    assert second["translated_before"] == [text.upper() for text in TEXTS[37:40]]
    assert second["after"] == TEXTS[80:83]
    assert [one["id"] for one in second["segments"]] == list(range(1, 41))
    assert told(job)["state"] == "done"


def test_captions_that_were_left_out_are_asked_for_again_alone(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work
) -> None:
    def forgetful(asked: Asked) -> Reply:
        kept = [one for one in captions_of(asked) if len(captions_of(asked)) == 1 or not one["text"].endswith("7")]
        return said({"translations": [{"id": one["id"], "text": one["text"].upper()} for one in kept]})

    reachable.behaviour = forgetful
    job = transcribed(rich, *TEXTS[:20], **SV)
    work()
    assert told(job)["state"] == "done"
    assert [numbers(asked) for asked in reachable.asked[1:]] == [["7"], ["17"]]
    assert TranslatedSegment.objects.filter(translation__job=job).count() == 20


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": 99, "text": "of another"},
        {"id": 1, "text": "twice"},
    ],
)
def test_an_answer_for_others_than_asked_is_not_believed(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work, wrong: dict[str, Any]
) -> None:
    def first(asked: Asked) -> Reply:
        good = json.loads(json.loads(translated(asked).body)["choices"][0]["message"]["content"])["translations"]
        return said({"translations": [*good, wrong]})

    reachable.then(first, translated)
    job = transcribed(rich, *TEXTS[:4], **SV)
    work()
    assert told(job)["state"] == "done"
    texts = TranslatedSegment.objects.filter(translation__job=job).order_by("segment_id").values_list("text", flat=True)
    assert list(texts) == [text.upper() for text in TEXTS[:4]]


@pytest.mark.parametrize(
    "answer",
    [
        "CHECK-ANSWER I would be glad to help.",
        {"summary": "CHECK-ANSWER", "text": "CHECK-ANSWER"},
        {"translations": [{"id": None, "text": "x"}, {"text": "y"}, 5]},
        {"translations": {"1": "x"}},
        '{"translations": [{"id": 1, "te',
    ],
)
def test_a_model_that_cannot_do_it_is_given_up_soon_and_the_job_completes(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work, answer: Any
) -> None:
    reachable.behaviour = lambda asked: said(answer)
    job = transcribed(rich, *TEXTS, **SV)
    work()
    assert (told(job)["state"], told(job)["error"]) == ("failed", SENTENCES["untranslatable"])
    assert fresh(job).status == "completed"
    assert len(reachable.asked) == 5
    assert not work()


def test_what_was_done_before_a_failure_is_kept_and_asking_again_goes_on_there(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work
) -> None:
    reachable.then(translated, lambda asked: refused(401))
    job = transcribed(rich, *TEXTS[:50], **SV)
    work()
    assert (told(job)["state"], told(job)["error"]) == ("failed", SENTENCES["key"])
    assert TranslatedSegment.objects.filter(translation__job=job).count() == 40
    reachable.behaviour = translated
    enrichment.request_translation(job.pk, asked_by=rich, language="sv")
    work()
    assert told(job)["state"] == "done"
    assert [len(captions_of(asked)) for asked in reachable.asked] == [40, 10, 10]


def test_asking_for_a_finished_one_again_makes_it_anew(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work
) -> None:
    job = transcribed(rich, "Hello there.", **SV)
    work()
    enrichment.request_translation(job.pk, asked_by=rich, language="sv")
    assert TranslatedSegment.objects.count() == 0
    work()
    assert len(reachable.asked) == 2
    assert told(job)["state"] == "done"


def test_what_a_lost_worker_has_done_is_not_asked_for_again(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work, stage: Stage
) -> None:
    job = transcribed(rich, *TEXTS[:50], **SV)
    run = stage.run("enrich")
    first = job.segments.order_by("start")[:40]
    enrichment.add_translated(run, {one.pk: one.text.upper() for one in first}, total=50)
    recovery.lose(run.step)
    assert work()
    assert told(job)["state"] == "done"
    assert [len(captions_of(asked)) for asked in reachable.asked] == [10]


def test_failures_on_the_way_count_no_more_once_it_got_further(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work_patiently: Callable[[], None]
) -> None:
    busy = [lambda asked: refused(429)] * 3
    reachable.then(*busy, translated, *busy, translated)
    job = transcribed(rich, *TEXTS[:50], **SV)
    work_patiently()
    assert told(job)["state"] == "done"
    assert len(reachable.asked) == 8


def test_a_pause_that_the_server_asks_for_is_kept(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work
) -> None:
    reachable.behaviour = lambda asked: refused(429, Retry_After="600")
    job = transcribed(rich, "Hello there.", **SV)
    work()
    step = Step.objects.get(job=job, kind="translate")
    assert step.state == StepState.READY
    assert step.not_before is not None
    assert 590 < (step.not_before - timezone.now()).total_seconds() <= 600


def test_a_long_translation_gives_way_to_those_who_wait(
    reachable: ModelServer,
    transcribed: Transcribed,
    rich: User,
    admin: User,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("whisper_jobs.pipeline.enrich.TURN_SECONDS", 0.0)
    rich.is_superuser = True  # of the same priority as the other
    rich.save()
    long = transcribed(rich, *TEXTS, **SV)
    short = transcribed(admin, "Hello there.", **SV)
    assert work()
    step = Step.objects.get(job=long, kind="translate")
    assert (step.state, step.attempts) == (StepState.READY, 0)
    assert TranslatedSegment.objects.filter(translation__job=long).count() == 40
    assert work()
    assert told(short)["state"] == "done"
    while work():
        pass
    assert told(long)["state"] == "done"
    assert len(reachable.asked) == 4
    log = [line["message"] for line in payloads.runtime_log(long)]
    assert log.count("Translate.") == 1


def test_a_model_that_never_gets_further_does_not_give_way_for_ever(
    reachable: ModelServer,
    transcribed: Transcribed,
    rich: User,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("whisper_jobs.pipeline.enrich.TURN_SECONDS", 0.0)
    reachable.behaviour = lambda asked: said("no")
    jobs = [transcribed(rich, *TEXTS[:8], **SV) for _ in range(2)]
    while work():
        pass
    assert [told(job)["state"] for job in jobs] == ["failed", "failed"]


def test_the_answer_for_a_job_that_is_deleted_meanwhile_is_dropped(
    reachable: ModelServer, transcribed: Transcribed, rich: User, stage: Stage
) -> None:
    job, hold = transcribed(rich, "Hello there.", **SV), threading.Event()
    reachable.behaviour = lambda asked: replace(translated(asked), hold=hold)
    run = stage.run("enrich")

    def deleting() -> bool:
        if reachable.asked and not hold.is_set():
            Job.objects.filter(pk=job.pk).delete()
            hold.set()
        return False

    with pytest.raises(Fenced):
        translate(run, Watch(run, deleting, time.monotonic() + 60))
    assert hold.is_set()
    assert not Translation.objects.exists()


def test_a_worker_that_stops_leaves_the_step_to_another_at_once(
    reachable: ModelServer, transcribed: Transcribed, rich: User, heart: Heart, work: Work
) -> None:
    job, hold = transcribed(rich, "Hello there.", **SV), threading.Event()
    reachable.then(lambda asked: Reply(hold=hold), translated)
    threading.Timer(0.3, heart.stop).start()
    began = time.monotonic()
    assert work()
    assert time.monotonic() - began < 3
    hold.set()
    step = Step.objects.get(job=job, kind="translate")
    assert (step.state, step.attempts) == (StepState.READY, 0)


def test_the_language_goes_from_page_to_segments(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work, stage: Stage, api: Any
) -> None:
    job = transcribed(rich, "Hello there.", **SV)
    client = api(rich)
    refused_export = client.get(f"/api/whisper/jobs/{job.pk}/exports/srt", {"language": "sv"})
    assert refused_export.status_code == 422
    work()
    found = client.get(f"/api/whisper/jobs/{job.pk}/segments", {"language": "sv"}).json()["segments"]
    assert [one["text"] for one in found] == ["HELLO THERE."]
    assert client.get(f"/api/whisper/jobs/{job.pk}/exports/srt", {"language": "de"}).status_code == 422
    answer = client.get(f"/api/whisper/jobs/{job.pk}/exports/srt", {"language": "sv"})
    assert answer.status_code == 200
