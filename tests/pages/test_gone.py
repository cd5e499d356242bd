"""A recording that is deleted while a page is at work on it is not found, as one that was deleted before."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from accounts.permissions import grant
from tests.core.play import Stage
from whisper_jobs import lifecycle
from whisper_jobs.models import Job
from whisper_jobs.web.page import Page


@pytest.mark.parametrize(("path", "body"), [("callback", {}), ("analyse", {"language": "sv"})])
def test_it_is_not_found(
    stage: Stage, alice: User, monkeypatch: pytest.MonkeyPatch, path: str, body: dict[str, str]
) -> None:
    grant(alice, "provider_openai")
    job, find = stage.completed(alice), Page.job

    def found_and_deleted(page: Page, job_id: int) -> Job:
        found = find(page, job_id)
        lifecycle.delete(job_id)
        return found

    monkeypatch.setattr(Page, "job", found_and_deleted)
    client = Client()
    client.force_login(alice)
    assert client.post(f"/whisper/jobs/{job.pk}/{path}", body).status_code == 404


def test_what_was_said_stays_out_of_every_cache(stage: Stage, alice: User) -> None:
    job, client = stage.completed(alice, windows=1), Client()
    client.force_login(alice)
    for path in ("/whisper", f"/whisper/jobs/{job.pk}"):
        assert client.get(path)["Cache-Control"] == "private, no-store"
