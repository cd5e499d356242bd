"""GET …/exports/FORMAT: every format, as it is asked for, under its name and type."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import docx
import pypdfium2
import pytest
from asgiref.sync import async_to_sync

from accounts.models import User
from tests.core.play import Stage
from tests.speech.reading_back import cues
from whisper_jobs.models import Segment
from whisper_jobs.speech.formats import FORMATS

LONG = "The train that leaves at nine is late again, because it snows in the north of the country where nobody lives."


async def _whole(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


def body(answer: Any) -> bytes:
    return bytes(async_to_sync(_whole)(answer.streaming_content))


@pytest.fixture
def url(stage: Stage, alice: User) -> str:
    """Where the exports are of a job with one long segment."""
    job = stage.completed(alice, windows=1, source_label="Board & <meeting>")
    Segment.objects.filter(job=job).update(text=LONG, words=[], end=8.0, speaker="")
    return f"/api/whisper/jobs/{job.pk}/exports"


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_a_file_under_its_name_and_type(api: Any, alice: User, url: str, name: str) -> None:
    form, answer = FORMATS[name], api(alice).get(f"{url}/{name}")
    assert answer.status_code == 200
    assert answer["Content-Type"] == form.content_type
    assert re.fullmatch(
        rf'attachment; filename="transcript-\d+{re.escape(form.extension)}"', answer["Content-Disposition"]
    )
    content = body(answer)
    if form.is_text:
        assert LONG.split()[0] in content.decode()


def test_documents_carry_the_title_of_the_job(api: Any, alice: User, url: str, tmp_path: Any) -> None:
    (tmp_path / "out.docx").write_bytes(body(api(alice).get(f"{url}/docx")))
    assert docx.Document(str(tmp_path / "out.docx")).paragraphs[0].text == "Board & <meeting>"
    with pypdfium2.PdfDocument(body(api(alice).get(f"{url}/pdf"))) as document:
        assert document.get_metadata_value("Title") == "Board & <meeting>"
        assert "because it snows" in document[0].get_textpage().get_text_bounded()


def test_captions_are_one_segment_each_unless_a_preset_is_named(api: Any, alice: User, url: str) -> None:
    [plain] = cues(body(api(alice).get(f"{url}/srt")).decode())
    assert plain.lines == [LONG]
    shaped = cues(body(api(alice).get(f"{url}/srt?preset=web")).decode())
    assert all(len(line) <= 42 for cue in shaped for line in cue.lines)
    assert " ".join(line for cue in shaped for line in cue.lines) == LONG


def test_limits_replace_those_of_the_preset(api: Any, alice: User, url: str) -> None:
    for query in ("max_line=30&max_lines=1", "preset=broadcast&max_line=30&max_lines=1&max_seconds=3&gap_seconds=0.2"):
        shaped = cues(body(api(alice).get(f"{url}/vtt?{query}")).decode())
        assert all(len(cue.lines) == 1 and len(cue.lines[0]) <= 30 for cue in shaped)
        assert len(shaped) > 3


def test_words_have_times_where_they_are_asked_for(api: Any, alice: User, url: str) -> None:
    assert "<c>train</c>" in body(api(alice).get(f"{url}/vtt?words=true")).decode()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("preset=cinema", "preset"),
        ("max_line=9", "max_line"),
        ("max_line=wide", "max_line"),
        ("max_lines=0", "max_lines"),
        ("max_cps=nan", "max_cps"),
        ("max_cps=inf", "max_cps"),
        ("min_seconds=-1", "min_seconds"),
        ("min_seconds=8&max_seconds=2", "min_seconds"),
        ("max_seconds=1e9", "max_seconds"),
        ("gap_seconds=6", "gap_seconds"),
        ("preset=plain&max_line=40", "max_line"),
        ("speakers=perhaps", "speakers"),
        ("words=2", "words"),
        ("language=klingonese", "language"),
    ],
)
def test_a_bad_value_is_refused_with_its_field(api: Any, alice: User, url: str, query: str, field: str) -> None:
    answer = api(alice).get(f"{url}/srt?{query}")
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]


def test_speakers_can_be_left_out(api: Any, alice: User, url: str) -> None:
    Segment.objects.update(speaker="A")
    assert re.match(r"(A|Speaker \w+): The train", body(api(alice).get(f"{url}/txt")).decode())
    assert body(api(alice).get(f"{url}/txt?speakers=false")).decode().startswith("The train")
