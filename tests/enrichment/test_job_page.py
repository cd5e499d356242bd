"""What a job's page shows of analyses and translations, and asking for them there, without scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.permissions import grant
from tests.core.play import Stage
from tests.enrichment.model_server import ModelServer, refused, said
from whisper_jobs import lifecycle, payloads
from whisper_jobs.errors import JobError
from whisper_jobs.language_models.failures import SENTENCES
from whisper_jobs.models import Analysis, Job, PromptTemplate, Translation

pytestmark = pytest.mark.django_db
Transcribed = Callable[..., Job]
Work = Callable[[], bool]
Visit = Callable[[User | None], Client]
BOTH = {"analysis_language": "en", "translation_target_languages": ("sv",)}


def part(page: str) -> str:
    return page.partition('<section class="analysis')[2].partition('<div class="columns">')[0]


def test_all_parts_are_there_and_chapters_lead_to_their_time(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work, visit: Visit
) -> None:
    job = transcribed(rich, "Hello there.", "How are you?", **BOTH)
    while work():
        pass
    page = visit(rich).get(f"/whisper/jobs/{job.pk}").text
    shown = part(page)
    for text in ("They talked about the budget.", "Costs have grown.", "The price goes up.", "Write to the customers"):
        assert text in shown
    assert '<a href="#t=0" data-seconds="0.000"><span class="number">0:00:00</span><span>Welcome</span>' in shown
    assert "model-of-the-server" in shown
    assert "110 tokens" in shown
    assert '<button type="button" data-language="sv" aria-pressed="false">Swedish</button>' in page
    without_scripts = "".join(piece.partition("</noscript>")[0] for piece in page.split("<noscript>")[1:])
    assert "HELLO THERE." in without_scripts
    assert f'href="/api/whisper/jobs/{job.pk}/exports/srt?language=sv"' in without_scripts


def test_what_a_model_writes_is_text_and_never_markup(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work, visit: Visit
) -> None:
    evil = "<script>alert(1)</script>"
    reachable.behaviour = lambda asked: said(
        {"summary": evil, "key_points": [evil], "chapters": [{"title": evil, "start": "0:00:00"}], evil: evil}
    )
    job = transcribed(rich, "Hello there.", analysis_language="en")
    work()
    page = visit(rich).get(f"/whisper/jobs/{job.pk}").text
    assert evil not in page
    assert "&lt;script&gt;alert(1)" in page


def test_an_answer_without_parts_is_shown_as_it_is(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work, visit: Visit
) -> None:
    reachable.behaviour = lambda asked: said("All went well.\n\nNobody complained.")
    job = transcribed(rich, "Hello there.", analysis_language="en")
    work()
    shown = part(visit(rich).get(f"/whisper/jobs/{job.pk}").text)
    assert "<p>All went well.</p>\n\n<p>Nobody complained.</p>" in shown


def test_a_failure_is_told_in_the_page(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work, visit: Visit
) -> None:
    reachable.behaviour = lambda asked: refused(402)
    job = transcribed(rich, "Hello there.", **BOTH)
    while work():
        pass
    shown = part(visit(rich).get(f"/whisper/jobs/{job.pk}").text)
    assert shown.count(SENTENCES["quota"].replace("'", "&#x27;")) == 2
    assert 'data-language="sv"' not in shown


def test_asking_on_the_page_makes_what_was_asked_for(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work, visit: Visit
) -> None:
    job, client = transcribed(rich, "Hello there."), visit(rich)
    template = PromptTemplate.objects.create(owner=rich, name="Minutes", instruction="Write minutes.")
    assert ">Minutes</option>" in client.get(f"/whisper/jobs/{job.pk}").text
    answer = client.post(f"/whisper/jobs/{job.pk}/analyse", {"language": "sv", "template": template.pk})
    assert answer.headers["location"] == f"/whisper/jobs/{job.pk}#analysis"
    client.post(f"/whisper/jobs/{job.pk}/translate", {"language": "de"})
    assert 'data-state="pending"' in part(client.get(f"/whisper/jobs/{job.pk}").text)
    while work():
        pass
    told = payloads.job_full(job)
    assert (told["analysis"]["state"], told["analysis"]["language"]) == ("done", "sv")
    assert [(one["state"], one["language"]) for one in told["translations"]] == [("done", "de")]
    assert "Write minutes." in reachable.asked[0]["messages"][0]["content"]


@pytest.mark.parametrize(
    "asked",
    [("analyse", {}), ("analyse", {"language": "klingon"}), ("analyse", {"language": "sv", "template": 999})]
    + [("translate", {}), ("translate", {"language": "x" * 300})],
)
def test_asking_for_what_is_not_offered_is_refused(
    transcribed: Transcribed, rich: User, visit: Visit, asked: tuple[str, dict[str, Any]]
) -> None:
    job, (path, fields) = transcribed(rich, "Hello there."), asked
    page = visit(rich).post(f"/whisper/jobs/{job.pk}/{path}", fields, follow=True).text
    assert "Choose from what is offered." in page
    assert not Analysis.objects.exists() and not Translation.objects.exists()


def test_a_template_of_somebody_else_is_not_offered(
    transcribed: Transcribed, rich: User, bob: User, visit: Visit
) -> None:
    job = transcribed(rich, "Hello there.")
    other = PromptTemplate.objects.create(owner=bob, name="Of bob", instruction="Secret.")
    client = visit(rich)
    assert "Of bob" not in client.get(f"/whisper/jobs/{job.pk}").text
    client.post(f"/whisper/jobs/{job.pk}/analyse", {"language": "sv", "template": other.pk})
    assert not Analysis.objects.exists()


def test_asking_twice_is_refused_while_the_first_is_being_made(
    transcribed: Transcribed, rich: User, visit: Visit
) -> None:
    job, client = transcribed(rich, "Hello there."), visit(rich)
    client.post(f"/whisper/jobs/{job.pk}/analyse", {"language": "sv"})
    page = client.post(f"/whisper/jobs/{job.pk}/analyse", {"language": "de"}, follow=True).text
    assert "This is being made already." in page
    assert Analysis.objects.get().language == "sv"


def test_nothing_is_asked_for_before_there_is_a_transcript(stage: Stage, rich: User, visit: Visit) -> None:
    job, client = stage.submit(rich), visit(rich)
    page = client.get(f"/whisper/jobs/{job.pk}").text
    assert "can analyse and translate the transcript when it is complete" in part(page)
    assert "/analyse" not in page
    page = client.post(f"/whisper/jobs/{job.pk}/analyse", {"language": "sv"}, follow=True).text
    assert "no finished transcript yet" in page


def test_a_failed_job_has_no_such_part(stage: Stage, rich: User, visit: Visit) -> None:
    job = stage.submit(rich)
    lifecycle.fail(stage.run("fetch"), JobError("source_not_found"))
    page = visit(rich).get(f"/whisper/jobs/{job.pk}").text
    assert 'id="analysis" aria-labelledby="analysis-title" hidden' in page


def test_it_says_where_the_text_is_sent(
    reachable: ModelServer, transcribed: Transcribed, rich: User, visit: Visit
) -> None:
    job, client = transcribed(rich, "Hello there."), visit(rich)
    for path in (f"/whisper/jobs/{job.pk}", "/whisper"):
        assert "The text of the transcript is sent to 127.0.0.1." in client.get(path).text


def test_without_the_permission_the_page_says_why_there_is_none(
    transcribed: Transcribed, alice: User, visit: Visit
) -> None:
    job, client = transcribed(alice, "Hello there.", **BOTH), visit(alice)
    page = client.get(f"/whisper/jobs/{job.pk}").text
    assert "Your account may not use a language model." in part(page)
    assert "/analyse" not in page
    client.post(f"/whisper/jobs/{job.pk}/analyse", {"language": "sv"})
    client.post(f"/whisper/jobs/{job.pk}/translate", {"language": "sv"})
    assert {row.state for row in (*Analysis.objects.all(), *Translation.objects.all())} == {"skipped"}


def test_a_manager_who_asks_needs_and_uses_the_own_permission(
    transcribed: Transcribed, alice: User, charlie: User, visit: Visit
) -> None:
    job = transcribed(alice, "Hello there.")
    visit(charlie).post(f"/whisper/jobs/{job.pk}/analyse", {"language": "sv"})
    assert not Analysis.objects.exists()
    grant(charlie, "provider_openai")
    visit(User.objects.get(pk=charlie.pk)).post(f"/whisper/jobs/{job.pk}/analyse", {"language": "sv"})
    assert Analysis.objects.get(job=job).asked_by == charlie


def test_the_job_of_somebody_else_does_not_exist(transcribed: Transcribed, rich: User, bob: User, visit: Visit) -> None:
    job, client = transcribed(rich, "Hello there."), visit(bob)
    assert client.get(f"/whisper/jobs/{job.pk}/enrichment").status_code == 404
    for path in ("analyse", "translate"):
        assert client.post(f"/whisper/jobs/{job.pk}/{path}", {"language": "sv"}).status_code == 404
    assert visit(None).get(f"/whisper/jobs/{job.pk}/enrichment").status_code == 302


def test_the_part_alone_is_that_of_the_page(
    reachable: ModelServer, transcribed: Transcribed, rich: User, work: Work, visit: Visit
) -> None:
    job, client = transcribed(rich, "Hello there.", **BOTH), visit(rich)
    while work():
        pass
    alone = client.get(f"/whisper/jobs/{job.pk}/enrichment").text
    whole = client.get(f"/whisper/jobs/{job.pk}").text
    for mark in ('<div class="enrichment"', '<div class="languages'):
        assert mark + alone.partition(mark)[2].partition("</div>")[0] in whole
    assert "<html" not in alone


def test_the_composer_offers_it_to_those_who_may(alice: User, rich: User, visit: Visit) -> None:
    page = visit(rich).get("/whisper").text
    assert 'name="analysis_language"' in page
    assert page.count('<select class="input" name="translation_target_languages"') == 3
    rich.user_permissions.remove(*rich.user_permissions.filter(codename="provider_openai"))
    page = visit(rich).get("/whisper").text
    assert "analysis_language" not in page
    assert "translation_target_languages" not in page


def test_what_the_composer_asks_for_is_made(rich: User, visit: Visit) -> None:
    asked = {"source_url": "https://example.com/a.mp3", "analysis_language": "sv"}
    visit(rich).post("/whisper", {**asked, "translation_target_languages": ["de", "", "fr", "de"]})
    job = Job.objects.get()
    assert job.analysis_language == "sv"
    assert job.translation_target_languages == ["de", "fr"]
    assert Translation.objects.filter(job=job).count() == 2


def test_the_composer_refuses_languages_that_nobody_knows(rich: User, visit: Visit) -> None:
    asked = {"source_url": "https://example.com/a.mp3", "translation_target_languages": ["klingon"]}
    answer = visit(rich).post("/whisper", asked)
    assert answer.status_code == 422
    assert not Job.objects.exists()
