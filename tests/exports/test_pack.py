"""Several transcripts in one ZIP file: from the library, from a job's page and by the API."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests.core.play import Stage
from tests.sharing.conftest import body
from tests.sharing.test_read import add_segments, translate
from whisper_jobs import archives
from whisper_jobs.models import Job
from whisper_jobs.speech.formats import FORMATS

Visit = Callable[[User | None], Client]


def opened(answer: Any) -> zipfile.ZipFile:
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    archive = zipfile.ZipFile(io.BytesIO(body(answer)))
    assert archive.testzip() is None
    return archive


def text(archive: zipfile.ZipFile, name: str) -> str:
    return archive.read(name).decode()


@pytest.fixture
def two(stage: Stage, alice: User) -> list[Job]:
    return [stage.completed(alice, source_label=title) for title in ("Board meeting", "Möte: ../../etc/passwd")]


def packed(client: Client, jobs: list[Job], **told: Any) -> Any:
    return client.post("/whisper/library/zip", {"jobs": [job.pk for job in jobs], "formats": ["txt"], **told})


def test_recordings_formats_and_languages_are_all_there(visit: Visit, two: list[Job], alice: User) -> None:
    for job in two:
        translate(job, "sv")
    archive = opened(packed(visit(alice), two, formats=["txt", "srt"], languages=["", "sv"]))
    first, second = (job.pk for job in two)
    names = [f"{first}-board-meeting", f"{second}-mote-etcpasswd"]
    wanted = [f"{name}{code}{end}" for name in names for code in ("", ".sv") for end in (".txt", ".srt")]
    assert archive.namelist() == [*wanted, "README.txt"]
    assert "window0" in text(archive, wanted[0])
    assert "sv: window0" in text(archive, f"{names[1]}.sv.srt")
    assert "8 files are here." in text(archive, "README.txt")
    assert "missing" not in text(archive, "README.txt")


def test_lists_with_commas_say_the_same(visit: Visit, two: list[Job], alice: User) -> None:
    translate(two[0], "sv")
    answer = visit(alice).get(f"/whisper/jobs/{two[0].pk}/exports.zip?formats=txt,vtt&languages=,sv")
    assert answer["Content-Disposition"] == f'attachment; filename="transcript-{two[0].pk}.zip"'
    assert len(opened(answer).namelist()) == 5


def test_every_format_can_be_packed_under_a_name_of_its_own(visit: Visit, two: list[Job], alice: User) -> None:
    archive = opened(packed(visit(alice), two, formats=[",".join(FORMATS)]))
    names = archive.namelist()
    assert len(set(names)) == len(names) == 2 * len(FORMATS) + 1
    assert all(archive.read(name) for name in names)


@pytest.mark.parametrize(
    "title", ["../../etc/passwd", "C:\\boot.ini", "a/b", "\u202egpj.exe", "CON", "🛟", "x" * 900, ".."]
)
def test_no_title_is_a_path(visit: Visit, stage: Stage, alice: User, title: str) -> None:
    job = stage.completed(alice, source_label=title[:200])
    archive = opened(packed(visit(alice), [job]))
    assert re.fullmatch(rf"{job.pk}(-[a-z0-9_-]{{1,60}})?\.txt", archive.namelist()[0])


def test_two_recordings_of_one_title_have_two_names(visit: Visit, stage: Stage, alice: User) -> None:
    jobs = [stage.completed(alice, source_label="Same") for _ in range(3)]
    assert len(set(opened(packed(visit(alice), jobs)).namelist())) == 4


def test_what_is_missing_is_told_with_the_reason(
    visit: Visit, stage: Stage, two: list[Job], alice: User, bob: User
) -> None:
    foreign = stage.completed(bob, source_label="Not for Alice")
    waiting = stage.submit(alice)
    answer = packed(visit(alice), [*two, waiting, foreign], languages=["", "fi"])
    archive = opened(answer)
    told = text(archive, "README.txt")
    assert len(archive.namelist()) == 3
    assert f"Recording {two[0].pk}: it has no finished translation to Finnish." in told
    assert f"Recording {waiting.pk}: its transcript is not finished." in told
    assert f"Recording {foreign.pk}: it is not there." in told
    assert foreign.title not in told


@pytest.mark.parametrize(
    "told",
    [
        {"jobs": []},
        {"jobs": ["x"]},
        {"jobs": ["1\0"]},
        {"jobs": ["9" * 30]},
        {"jobs": [str(number) for number in range(1, 502)]},
        {"formats": []},
        {"formats": ["exe"]},
        {"formats": ["txt\0"]},
        {"languages": ["../x"]},
        {"languages": ["\0"]},
    ],
)
def test_what_can_not_be_packed_is_refused_in_words(
    visit: Visit, two: list[Job], alice: User, told: dict[str, list[str]]
) -> None:
    asked = {"jobs": [str(two[0].pk)], "formats": ["txt"], "languages": [""], **told}
    with pytest.raises(archives.Refused, match=r"^[A-Z].*\.$"):
        archives.order(asked["jobs"], asked["formats"], asked["languages"])


def test_five_hundred_recordings_are_not_too_many(alice: User) -> None:
    asked = archives.order([",".join(map(str, range(1, 501)))], ["txt"], [])
    assert (len(asked.jobs), asked.languages) == (500, ("",))


def test_others_get_nothing_at_all(visit: Visit, two: list[Job], bob: User, nobody: User) -> None:
    assert "it is not there" in text(opened(packed(visit(bob), two)), "README.txt")
    assert visit(bob).get(f"/whisper/jobs/{two[0].pk}/exports.zip?formats=txt").status_code == 404
    assert packed(visit(nobody), two).status_code == 403
    assert packed(visit(None), two).status_code == 302


def test_a_form_of_another_site_gets_nothing(alice: User, two: list[Job]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert packed(client, two).status_code == 403


def test_the_api_has_it_too(api: Callable[[User | None], Any], stage: Stage, two: list[Job], alice: User) -> None:
    client = api(alice)
    path = f"/api/whisper/jobs/{two[0].pk}/exports.zip"
    assert len(opened(client.get(path)).namelist()) == 4
    for query, code in (("?formats=exe", "invalid"), ("?languages=/", "invalid")):
        answer = client.get(path + query)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    waiting = client.get(f"/api/whisper/jobs/{stage.submit(alice).pk}/exports.zip")
    assert (waiting.status_code, waiting.json()["code"]) == (422, "not_ready")


def test_memory_does_not_grow_with_the_number_of_recordings(stage: Stage, alice: User) -> None:
    jobs = [stage.completed(alice) for _ in range(12)]
    for job in jobs:
        add_segments(job, 400, text="What was said " * 20)

    def most_bytes(count: int) -> int:
        """That are held at once."""
        asked = archives.Order(tuple(job.pk for job in jobs[:count]), (FORMATS["txt"],), ("",))
        return max(map(len, archives.pack(asked, Job.objects.all())))

    assert most_bytes(12) <= 2 * most_bytes(2)
