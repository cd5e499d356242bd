"""Several links or files in one form, without a script: each becomes a job of its own, and nothing is lost at a limit."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from whisper_jobs import uploads
from whisper_jobs.models import Job

Visit = Callable[[User | None], Client]
LINKS = [f"https://example.com/{name}.mp3" for name in "abc"]


def _file(name: str, content: bytes = b"RIFF") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "audio/wav")


def handed_in() -> list[str]:
    return [job.source_url or job.source_filename for job in Job.objects.order_by("pk")]


def said(answer: Any) -> str:
    return unescape(answer.content.decode())


def test_each_line_is_a_recording(visit: Visit, alice: User) -> None:
    sent = {"source_url": "\r\n".join([*LINKS, "", LINKS[0]]), "language": "sv"}
    answer = visit(alice).post("/whisper", sent, follow=True)
    assert handed_in() == LINKS
    assert {job.language for job in Job.objects.all()} == {"sv"}
    assert "3 recordings are in the queue." in said(answer)


def test_each_file_is_a_recording(visit: Visit, alice: User) -> None:
    visit(alice).post("/whisper", {"media_file": [_file("a.wav"), _file("b.wav", b"RIFF2")]})
    assert handed_in() == ["a.wav", "b.wav"]
    assert sorted(job.source_size_bytes or 0 for job in Job.objects.all()) == [4, 5]


def test_a_title_for_several_is_numbered(visit: Visit, alice: User) -> None:
    visit(alice).post("/whisper", {"source_url": "\n".join(LINKS), "source_label": "Talk"})
    assert [job.source_label for job in Job.objects.order_by("pk")] == ["Talk 1", "Talk 2", "Talk 3"]


@pytest.mark.parametrize("wrong", ["http://10.0.0.1/a", "ftp://example.com/a", "https://example.com/" + "a" * 4000])
def test_a_line_that_can_not_be_taken_is_named_and_nothing_is_handed_in(visit: Visit, alice: User, wrong: str) -> None:
    text = "\n".join([*LINKS, wrong])
    answer = visit(alice).post("/whisper", {"source_url": text})
    assert answer.status_code == 422
    assert f"{wrong}: " in said(answer).partition('data-error="source_url"')[2]
    assert text in said(answer).replace("\r", "")
    assert handed_in() == []


def test_an_empty_file_among_others_is_named(visit: Visit, alice: User) -> None:
    answer = visit(alice).post("/whisper", {"media_file": [_file("a.wav"), _file("b.wav", b"")]})
    assert "b.wav: This file is empty." in said(answer)
    assert handed_in() == []


def test_at_a_limit_it_is_told_which_are_in_and_the_links_that_are_not_stay_in_the_form(
    visit: Visit, alice: User
) -> None:
    User.objects.filter(pk=alice.pk).update(max_queued_jobs=2)
    answer = visit(alice).post("/whisper", {"source_url": "\n".join(LINKS)})
    assert answer.status_code == 422
    assert handed_in() == LINKS[:2]
    assert "2 recordings are in the queue." in said(answer)
    assert f"These are not: {LINKS[2]}" in said(answer)
    assert f"{LINKS[2]}</textarea>" in said(answer)
    assert LINKS[0] not in said(answer).partition("</textarea>")[0]


def test_a_full_disk_in_the_middle_is_told_in_the_same_way(visit: Visit, alice: User, monkeypatch: Any) -> None:
    store, calls = uploads.store_upload, []

    def second_fails(file: Any) -> Any:
        calls.append(file)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return store(file)

    monkeypatch.setattr(uploads, "store_upload", second_fails)
    answer = visit(alice).post("/whisper", {"media_file": [_file("a.wav"), _file("b.wav"), _file("c.wav")]})
    assert handed_in() == ["a.wav"]
    assert "These are not: b.wav, c.wav" in said(answer)


def test_links_and_files_together_are_refused(visit: Visit, alice: User) -> None:
    answer = visit(alice).post("/whisper", {"source_url": LINKS[0], "media_file": [_file("a.wav")]})
    assert "Hand in a link or a file, not both." in said(answer)


def test_more_links_than_can_be_taken_at_once_are_refused(visit: Visit, alice: User) -> None:
    answer = visit(alice).post("/whisper", {"source_url": "\n".join(f"https://example.com/{n}" for n in range(201))})
    assert "at most 200 links" in said(answer)
    assert handed_in() == []


def test_a_nul_byte_harms_nothing(visit: Visit, alice: User) -> None:
    visit(alice).post("/whisper", {"source_url": "https://example.com/a\0b.mp3"})
    assert handed_in() == ["https://example.com/ab.mp3"]
