"""Notes in files: always in JSON, in documents when they are asked for, never in what strangers download."""

from __future__ import annotations

import json
from typing import Any

import docx
import pypdfium2
import pytest

from accounts.models import User
from sharing import owning
from tests.native.test_export import body
from whisper_jobs import notes
from whisper_jobs.models import Job


@pytest.fixture
def url(talk: Job, alice: User) -> str:
    """Where the exports are of a talk with a note and a highlight."""
    notes.add(talk.pk, by=alice, start=1, end=3, text="Ask *the* port.", colour=2)
    notes.add(talk.pk, by=alice, start=12, end=12.5)
    return f"/api/whisper/jobs/{talk.pk}/exports"


def test_json_has_them_all(api: Any, alice: User, url: str) -> None:
    told = json.loads(body(api(alice).get(f"{url}/json")))
    assert told["notes"] == [
        {
            "start": 1.0,
            "end": 3.0,
            "quote": "harbour is",
            "text": "Ask *the* port.",
            "author": alice.email,
            "colour": "blue",
        },
        {
            "start": 12.0,
            "end": 12.5,
            "quote": "Nobody wants the crane",
            "text": "",
            "author": alice.email,
            "colour": "yellow",
        },
    ]
    assert len(told["segments"]) == 2


def test_text_has_them_behind_the_paragraph_in_which_they_begin(api: Any, alice: User, url: str) -> None:
    by = f"Note, {alice.email}"
    plain = body(api(alice).get(f"{url}/txt?notes=true")).decode()
    assert plain.split("\n\n") == [
        "The harbour is closed today",
        f"{by}: “harbour is” Ask *the* port.",
        "Nobody wants the crane",
        f"{by}: “Nobody wants the crane”\n",
    ]
    marked = body(api(alice).get(f"{url}/markdown?notes=true")).decode()
    assert f"`0:00:01` **{by}:** “harbour is” Ask \\*the\\* port." in marked


def test_documents_have_them_and_name_no_speaker_for_them(api: Any, alice: User, url: str, tmp_path: Any) -> None:
    (tmp_path / "out.docx").write_bytes(body(api(alice).get(f"{url}/docx?notes=true")))
    told = [one.text for one in docx.Document(str(tmp_path / "out.docx")).paragraphs]
    assert any("Ask *the* port." in line for line in told)
    assert not any(line.startswith("Speakers") for line in told)
    with pypdfium2.PdfDocument(body(api(alice).get(f"{url}/pdf?notes=true"))) as document:
        assert "Ask *the* port." in document[0].get_textpage().get_text_bounded()


@pytest.mark.parametrize("name", ["txt", "markdown", "srt"])
def test_where_nobody_asks_there_are_none(api: Any, alice: User, url: str, name: str) -> None:
    assert "port" not in body(api(alice).get(f"{url}/{name}")).decode()


@pytest.mark.parametrize("name", ["json", "txt?notes=true"])
def test_strangers_get_none(visit: Any, alice: User, talk: Job, url: str, name: str) -> None:
    owning.share(talk.pk, {})
    talk.refresh_from_db()
    share = talk.shares.get()
    told = body(visit(None).get(f"/shared/whisper/transcript/{share.token}/transcript.{name}")).decode()
    assert "harbour" in told
    assert "port" not in told
