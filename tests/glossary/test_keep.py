"""A person's names and terms."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from whisper_jobs import glossary
from whisper_jobs.models import Job, Term


def _file(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("terms.txt", content, content_type="text/plain")


def test_many_are_added_at_once_each_once_and_tidied(alice: User) -> None:
    added = glossary.add(alice, ["  Åsa  Öberg ", "Kubernetes", "", "Kubernetes", "a\0b\u202e", "x" * 101])
    assert added == glossary.Added(kept=3, known=0, left_out=1)
    assert glossary.texts_of(alice) == ["Kubernetes", "ab", "Åsa Öberg"]
    assert glossary.add(alice, ["Kubernetes", "Anna"]) == glossary.Added(kept=1, known=1, left_out=0)


def test_there_is_room_for_so_many(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glossary, "MOST_TERMS", 2)
    assert glossary.add(alice, ["a", "b", "c"]) == glossary.Added(kept=2, known=0, left_out=1)


def test_everybody_has_their_own(alice: User, bob: User) -> None:
    glossary.add(alice, ["Kubernetes"])
    assert glossary.texts_of(bob) == []
    assert glossary.remove(bob, ["Kubernetes"]) == 0
    assert glossary.texts_of(alice) == ["Kubernetes"]


def test_the_page_takes_lines_and_files(visit: Any, alice: User) -> None:
    client = visit(alice)
    told = client.post(
        "/whisper/glossary", {"terms": "Anna\r\nBo\n", "file": _file("\ufeffÅsa\nAnna".encode())}, follow=True
    )
    assert glossary.texts_of(alice) == ["Anna", "Bo", "Åsa"]
    assert "3 terms were added." in told.content.decode()
    assert client.get("/whisper/glossary.txt").content.decode() == "Anna\nBo\nÅsa\n"


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"terms": " \n "}, "Write at least one term."),
        ({"file": _file(b"\xff\xfe\x00")}, "no text in UTF-8"),
        ({"file": _file(b"a" * 500_001)}, "too large for a glossary"),
    ],
)
def test_what_is_no_glossary_is_refused_in_words(visit: Any, alice: User, sent: dict[str, Any], told: str) -> None:
    answer = visit(alice).post("/whisper/glossary", sent)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not Term.objects.exists()


def test_scripts_in_a_term_are_words(visit: Any, alice: User) -> None:
    glossary.add(alice, ["<script>alert(1)</script>"])
    assert "<script>alert(1)" not in visit(alice).get("/whisper/glossary").content.decode()


def test_what_is_ticked_is_taken_out(visit: Any, alice: User) -> None:
    glossary.add(alice, ["Anna", "Bo", "Åsa"])
    told = visit(alice).post("/whisper/glossary/remove", {"term": ["Anna", "Åsa"]}, follow=True)
    assert "2 terms were taken out." in told.content.decode()
    assert glossary.texts_of(alice) == ["Bo"]


def test_new_recordings_take_it_along_where_that_is_ticked(visit: Any, alice: User) -> None:
    glossary.add(alice, ["Åsa", "Kubernetes"])
    client = visit(alice)
    assert 'name="use_glossary" checked' in client.get("/whisper").content.decode()
    sent = {"source_url": "https://example.com/a.mp3", "hotwords": "Kubernetes, Bo"}
    client.post("/whisper", {**sent, "use_glossary": "on"})
    client.post("/whisper", sent)
    assert list(Job.objects.order_by("id").values_list("hotwords", flat=True)) == [
        ["Kubernetes", "Bo", "Åsa"],
        ["Kubernetes", "Bo"],
    ]


def test_programs_get_it_only_when_they_ask(api: Any, alice: User) -> None:
    glossary.add(alice, ["Åsa"])
    for told in ({}, {"use_glossary": True}):
        body = {"source_url": "https://example.com/a.mp3", **told}
        assert api(alice).post("/api/whisper/jobs", body, format="json").status_code == 201
    assert list(Job.objects.order_by("id").values_list("hotwords", flat=True)) == [[], ["Åsa"]]


def test_one_recording_takes_so_many(alice: User) -> None:
    glossary.add(alice, [f"term {place}" for place in range(300)])
    assert len(glossary.added_to(["Bo"], alice)) == glossary.MOST_HOTWORDS
    assert glossary.added_to(["Bo"], alice)[:2] == ["Bo", "term 0"]


def test_the_api_adds_tells_and_takes_out(api: Any, alice: User) -> None:
    client = api(alice)
    assert client.post("/api/whisper/glossary", {"terms": ["Bo", " Anna "]}, format="json").json()["terms"] == [
        "Anna",
        "Bo",
    ]
    assert client.get("/api/whisper/glossary").json() == {"ok": True, "terms": ["Anna", "Bo"]}
    assert client.delete("/api/whisper/glossary", {"terms": ["Bo"]}, format="json").json()["terms"] == ["Anna"]
    wrong: list[Any] = [[], "Anna", ["x" * 101], [{}]]
    for terms in wrong:
        assert client.post("/api/whisper/glossary", {"terms": terms}, format="json").status_code == 422


def test_a_full_glossary_says_so(api: Any, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glossary, "MOST_TERMS", 1)
    answer = api(alice).post("/api/whisper/glossary", {"terms": ["a", "b"]}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "glossary_full")


def test_all_terms_of_a_full_glossary_can_be_taken_out_at_once(visit: Any, alice: User) -> None:
    terms = [f"term {number}" for number in range(glossary.MOST_TERMS)]
    glossary.add(alice, terms)
    told = visit(alice).post("/whisper/glossary/remove", {"term": terms}, follow=True)
    assert "2000 terms were taken out." in told.content.decode()
    assert glossary.texts_of(alice) == []
