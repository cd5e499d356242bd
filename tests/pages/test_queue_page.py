"""/whisper without scripts: the list, its filters, and the form."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from tests.core.play import Stage, fresh
from whisper_jobs.models import Job
from whisper_jobs.web import sample

Visit = Callable[[User | None], Client]
URL = "https://example.com/talk.mp3"


def titles(page: str) -> list[str]:
    shown = page.partition('id="jobs"')[2].partition("</ul>")[0]
    return re.findall(r'data-field="title" href="[^"]+">([^<]*)</a>', shown)


def test_everybody_sees_their_own_recordings_newest_first(visit: Visit, stage: Stage, alice: User, bob: User) -> None:
    stage.submit(alice, source_label="first")
    stage.submit(bob, source_label="of bob")
    stage.submit(alice, source_label="second")
    assert titles(visit(alice).get("/whisper").text) == ["second", "first"]


def test_a_manager_sees_all_and_whose_they_are(visit: Visit, stage: Stage, alice: User, charlie: User) -> None:
    stage.submit(alice, source_label="of alice")
    page = visit(charlie).get("/whisper").text
    assert titles(page) == ["of alice"]
    assert "alice@example.test" in page


def test_filters_and_search_are_links_and_a_form_that_work_alone(visit: Visit, stage: Stage, alice: User) -> None:
    stage.completed(alice, source_label="Board meeting")
    stage.submit(alice, source_label="Voice memo")
    client = visit(alice)
    assert titles(client.get("/whisper?status=completed").text) == ["Board meeting"]
    assert titles(client.get("/whisper?status=active").text) == ["Voice memo"]
    assert titles(client.get("/whisper?q=board").text) == ["Board meeting"]
    page = client.get("/whisper?status=failed").text
    assert titles(page) == []
    assert "No recording matches" in page


def test_more_than_a_page_goes_on_behind_a_link(
    visit: Visit, stage: Stage, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("whisper_jobs.web.views.PAGE_OF_JOBS", 2)
    for number in range(3):
        stage.submit(alice, source_label=f"number {number}")
    client = visit(alice)
    first = client.get("/whisper").text
    assert titles(first) == ["number 2", "number 1"]
    following = re.search(r'id="more" href="([^"]+)"', first)
    assert following is not None
    assert titles(client.get(following[1]).text) == ["number 0"]


@pytest.mark.parametrize("cursor", ["x", "-1", "9" * 30, "²"])
def test_a_cursor_that_was_tampered_with_is_ignored(visit: Visit, stage: Stage, alice: User, cursor: str) -> None:
    stage.submit(alice, source_label="there")
    assert titles(visit(alice).get("/whisper", {"cursor": cursor}).text) == ["there"]


def test_an_empty_queue_offers_the_sample_which_becomes_a_job(visit: Visit, alice: User) -> None:
    client = visit(alice)
    page = client.get("/whisper").text
    assert "Try it with a sample recording" in page
    assert f'src="{sample.url()}"' in page
    answer = client.post("/whisper/sample")
    job = Job.objects.get()
    path = sample.path()
    assert path is not None
    assert answer.headers["location"] == f"/whisper/jobs/{job.pk}"
    assert (job.owner, job.language, job.source_size_bytes) == (alice, "en", path.stat().st_size)


def test_a_link_handed_in_without_a_script_becomes_a_job(visit: Visit, alice: User) -> None:
    sent = {"source_url": URL, "model": "pocketsphinx", "language": "sv", "source_label": "Talk", "source_note": "N"}
    answer = visit(alice).post("/whisper", sent)
    job = Job.objects.get()
    assert answer.headers["location"] == f"/whisper/jobs/{job.pk}"
    kept = (job.source_url, job.requested_model, job.language, job.source_label, job.source_note, job.channel)
    assert kept == (URL, "pocketsphinx", "sv", "Talk", "N", "web")


def test_a_file_handed_in_without_a_script_becomes_a_job(visit: Visit, alice: User) -> None:
    file = SimpleUploadedFile("../memo.wav", b"RIFF" + bytes(100), "audio/wav")
    visit(alice).post("/whisper", {"source_url": "", "media_file": file})
    job = Job.objects.get()
    assert (job.source_filename, job.source_size_bytes, job.requested_model) == ("memo.wav", 104, "auto")


def _file(content: bytes = b"x") -> SimpleUploadedFile:
    return SimpleUploadedFile("a.wav", content, "audio/wav")


@pytest.mark.parametrize(
    ("sent", "field", "sentence"),
    [
        ({}, "source_url", "Put in a link or choose a file."),
        ({"source_url": URL, "media_file": _file()}, "media_file", "Hand in a link or a file, not both."),
        ({"media_file": _file(b"")}, "media_file", "This file is empty."),
        ({"source_url": "http://10.0.0.1/a.mp3"}, "source_url", "not on the public internet"),
        ({"source_url": "ftp://example.com/a"}, "source_url", "Only http and https addresses can be opened."),
        ({"source_url": URL, "model": "no-such"}, "model", "no-such"),
        ({"source_url": URL, "language": "xx"}, "language", "xx"),
    ],
)
def test_what_cannot_be_accepted_is_told_beside_its_field(
    visit: Visit, alice: User, sent: dict[str, Any], field: str, sentence: str
) -> None:
    answer = visit(alice).post("/whisper", sent)
    assert answer.status_code == 422
    told = re.search(rf'data-error="{field}">([^<]*)<', answer.text)
    assert told is not None
    assert sentence in told[1]
    assert f'aria-describedby="{field}_error"' in answer.text
    assert not Job.objects.exists()


def test_a_file_over_the_limit_is_told_beside_the_file(visit: Visit, alice: User, settings: Any) -> None:
    settings.TOOLS = type(settings.TOOLS)(**{**_fields(settings.TOOLS), "upload_max_mb": 1})
    answer = visit(alice).post("/whisper", {"media_file": _file(bytes(3 << 20))})
    assert answer.status_code == 422
    assert "larger than this server takes (1 MB)" in answer.text
    assert not Job.objects.exists()


def _fields(env: Any) -> dict[str, Any]:
    return {name: getattr(env, name) for name in env.__dataclass_fields__}


def test_titles_cannot_smuggle_markup_into_the_page(visit: Visit, stage: Stage, alice: User) -> None:
    job = stage.submit(alice, source_label="</script><img src=x onerror=alert(1)>")
    for path in ("/whisper", f"/whisper/jobs/{fresh(job).pk}"):
        page = visit(alice).get(path).text
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page


@pytest.mark.parametrize("path", ["/login", "/whisper", "/whisper/jobs/{id}", "/nowhere"])
def test_no_page_has_inline_scripts_or_styles_and_the_browser_is_told_to_run_none(
    visit: Visit, stage: Stage, alice: User, path: str
) -> None:
    job = stage.submit(alice)
    client = visit(None if path == "/login" else alice)
    answer = client.get(path.format(id=job.pk))
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    scripts = re.findall(r"<script[^>]*>", answer.text)
    assert scripts
    assert all("src=" in tag or 'type="application/json"' in tag for tag in scripts)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", answer.text)
