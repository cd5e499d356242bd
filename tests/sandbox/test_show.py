"""Pages say what belongs to the sandbox, and offer nothing that can't be done with it."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from accounts.permissions import grant
from tests.core.play import Stage
from tests.sandbox.conftest import HandIn, Play
from whisper_jobs.models import Channel
from whisper_jobs.sandbox import Script

BADGE = '<span class="pill draft">Sandbox</span>'


def test_its_job_has_a_badge_in_lists_and_on_its_page(
    visit: Any, hand_in: HandIn, play: Play, stage: Stage, robin: User
) -> None:
    real, made_up = stage.completed(robin, channel=Channel.API), play(hand_in())
    page = visit(robin)
    assert BADGE in page.get(f"/whisper/jobs/{made_up.pk}").text
    assert BADGE not in page.get(f"/whisper/jobs/{real.pk}").text
    assert page.get("/whisper/library").text.count(BADGE) == 1
    rows = page.get("/whisper").text.partition('id="jobs"')[2].partition("</ol>")[0]
    assert rows.count('data-field="sandbox" >') == 1


@pytest.mark.parametrize("script", [Script(), Script(finish_in=None), Script(error="model_unavailable")])
def test_its_page_offers_no_work(visit: Any, hand_in: HandIn, play: Play, robin: User, script: Script) -> None:
    grant(robin, "provider_openai")
    job = hand_in(script)
    job = job if script.finish_in is None else play(job)
    html = visit(robin).get(f"/whisper/jobs/{job.pk}").text
    for act in ('value="diarize"', 'value="refill"', f"/whisper/jobs/{job.pk}/analyse", "as soon as it is on this"):
        assert act not in html


def test_work_that_is_asked_for_all_the_same_is_refused_in_words(
    visit: Any, hand_in: HandIn, play: Play, robin: User
) -> None:
    grant(robin, "provider_openai")
    job, page = play(hand_in()), visit(robin)
    for path, form in (
        ("speech", {"act": "diarize"}),
        ("analyse", {"language": "en"}),
        ("translate", {"language": "sv"}),
    ):
        told = page.post(f"/whisper/jobs/{job.pk}/{path}", form, follow=True).text
        assert "This recording belongs to the sandbox" in told, path
    assert [step.kind for step in job.steps.order_by("id")] == ["rehearse", "assemble"]
