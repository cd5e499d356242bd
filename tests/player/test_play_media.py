"""The original for the player of somebody who is signed in: in parts, only to those who see the job, and never as a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from tests.core.play import Stage
from whisper_jobs.models import Job

Visit = Callable[[User | None], Client]
SOUND = bytes(range(256)) * 20


@pytest.fixture
def talk(stage: Stage, alice: User) -> Job:
    file = SimpleUploadedFile("talk.mp3", SOUND, "audio/mpeg")
    return stage.submit(alice, source_url="", media_file=file, source_label="Talk")


def body(answer: Any) -> bytes:
    async def collected() -> bytes:
        return b"".join([piece async for piece in answer.streaming_content])

    return async_to_sync(collected)()


def path(job: Job) -> str:
    return f"/whisper/jobs/{job.pk}/media"


def test_the_whole_and_a_part(visit: Visit, talk: Job, alice: User) -> None:
    answer = visit(alice).get(path(talk))
    assert (answer.status_code, answer["Content-Type"], body(answer)) == (200, "audio/mpeg", SOUND)
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["Cache-Control"] == "private, no-store"
    assert "sandbox" in answer["Content-Security-Policy"]
    part = visit(alice).get(path(talk), headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, body(part)) == (206, SOUND[1000:2000])
    assert part["Content-Range"] == f"bytes 1000-1999/{len(SOUND)}"
    beyond = visit(alice).get(path(talk), headers={"Range": "bytes=999999-"})
    assert beyond.status_code == 416


def test_only_those_who_see_the_job_hear_it(
    visit: Visit, talk: Job, bob: User, charlie: User, nobody: User, admin: User
) -> None:
    assert visit(bob).get(path(talk)).status_code == 404
    assert visit(nobody).get(path(talk)).status_code == 403
    assert visit(None).get(path(talk)).status_code == 302
    assert visit(charlie).get(path(talk)).status_code == 200
    assert visit(admin).get(path(talk)).status_code == 200


@pytest.mark.parametrize(
    ("mime", "name"), [("text/html", "x.html"), ("image/svg+xml", "x.svg"), ("audio/x-evil", ""), ("", "")]
)
def test_what_browsers_do_not_play_is_not_sent_and_the_page_says_so(
    visit: Visit, talk: Job, alice: User, mime: str, name: str
) -> None:
    Job.objects.update(source_mime=mime, source_filename=name)
    assert visit(alice).get(path(talk)).status_code == 404
    page = visit(alice).get(f"/whisper/jobs/{talk.pk}").text
    assert "Browsers can&#x27;t play this kind of recording." in page
    assert "data-player" not in page


def test_a_file_that_is_gone_is_not_found(visit: Visit, talk: Job, alice: User) -> None:
    default_storage.delete(talk.media)
    assert visit(alice).get(path(talk)).status_code == 404


def test_a_recording_that_is_not_here_yet_has_its_place_kept(visit: Visit, stage: Stage, alice: User) -> None:
    job = stage.submit(alice)
    client = visit(alice)
    page = client.get(f"/whisper/jobs/{job.pk}").text
    assert 'data-awaited="yes"' in page
    assert "can be played here as soon as it is on this server" in page
    assert client.get(path(job)).status_code == 404
    Job.objects.update(media="media/0/original", source_mime="audio/mpeg")
    part = client.get(f"/whisper/jobs/{job.pk}/player").text
    assert f'src="{path(job)}"' in part
    assert "data-awaited" not in part


def test_a_title_that_is_a_script_stays_a_title(visit: Visit, talk: Job, alice: User) -> None:
    Job.objects.update(source_label='"><script>alert(1)</script>', source_mime="video/mp4")
    page = visit(alice).get(f"/whisper/jobs/{talk.pk}").text
    assert "<script>alert(1)" not in page
    assert 'data-kind="video"' in page


def test_a_film_has_the_transcript_as_captions_when_it_is_there(visit: Visit, stage: Stage, alice: User) -> None:
    job = stage.completed(alice)
    Job.objects.update(media="media/0/original", source_mime="video/mp4")
    part = visit(alice).get(f"/whisper/jobs/{job.pk}/player").text
    captions = f"/api/whisper/jobs/{job.pk}/exports/vtt?preset=web"
    assert f'<track kind="captions" default src="{captions}" srclang="en"' in part
    assert visit(alice).get(captions).status_code == 200
    Job.objects.update(source_mime="audio/mpeg")
    assert "<track" not in visit(alice).get(f"/whisper/jobs/{job.pk}/player").text
