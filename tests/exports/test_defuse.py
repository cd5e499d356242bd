"""What was said or typed is only ever text, in every format: no formula, markup, link, macro or line of times."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from datetime import date
from xml.etree import ElementTree

import pypdfium2
import pytest

from whisper_jobs.speech.formats import FORMATS
from whisper_jobs.speech.formats.texts import _MARKS
from whisper_jobs.speech.transcript import Segment, Transcript

FORMULAS = (
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "  =1+1",
    "＝1+1",
    '=HYPERLINK("http://evil.test","x")',
    "\u200b=1+1",
    "\ufeff=1+1",
)
MARKUP = "<script>alert(1)</script> [x](javascript:alert(1)) ![i](http://evil.test/p.png) <img src=x onerror=alert(1)>"
WORD = (
    "</w:t></w:r><w:fldSimple w:instr=\"DDEAUTO c:\\\\cmd\"/><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;"
)


def written(name: str, text: str, speaker: str | None = None) -> bytes:
    told = Transcript((Segment(0.0, 2.0, text, speaker=speaker),), "en", 2.0, title=text, date=date(2026, 1, 1))
    return b"".join(FORMATS[name].render(told))


@pytest.mark.parametrize("evil", FORMULAS)
@pytest.mark.parametrize("name", ["csv", "tsv"])
def test_no_cell_begins_as_a_formula(name: str, evil: str) -> None:
    table = written(name, evil, speaker=evil).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(table), delimiter="," if name == "csv" else "\t"))
    assert len(rows) == 2
    for cell in rows[1]:
        assert not cell.strip("\u200b\ufeff \t\r\n").startswith(("=", "+", "-", "@", "＝")), cell


def test_a_quote_does_not_end_its_cell() -> None:
    rows = list(csv.reader(io.StringIO(written("csv", 'a","b\n"c').decode("utf-8-sig"))))
    assert [len(row) for row in rows] == [4, 4]


def test_markdown_holds_no_markup() -> None:
    shown = written("markdown", MARKUP, speaker=MARKUP).decode()
    assert not re.search(r"(?<!\\)<(script|img)", shown)
    assert not re.search(r"(?<!\\)\]\(", shown) and not re.search(r"(?<!\\)!\[", shown.replace("\\[", ""))
    assert _MARKS.search("`")


@pytest.mark.parametrize("line", ["# head", "- item", "1. one", "> said", "---", "```", "| a | b |", "    code"])
def test_no_text_begins_a_line_of_markdown(line: str) -> None:
    last = written("markdown", line).decode().strip().splitlines()[-1]
    assert last.startswith("`0:00:00` ")


def test_captions_hold_no_tags_and_no_times_of_their_own() -> None:
    evil = "00:00:01.000 --> 00:00:09.000\n<c.evil>now</c>\n\nNOTE x\n\nSTYLE\n::cue{}"
    for name, arrows in (("vtt", 1), ("srt", 1)):
        told = written(name, evil, speaker=evil).decode()
        assert told.count(" --> ") == arrows
        assert "<c.evil>" not in told or name == "srt"
        # A block of its own begins after an empty line.
        assert not re.search(r"\n\n(STYLE|NOTE)", told)


def test_a_document_is_text_alone() -> None:
    package = zipfile.ZipFile(io.BytesIO(written("docx", WORD + MARKUP, speaker=WORD)))
    for name in package.namelist():
        if name.endswith((".xml", ".rels")):
            tree = ElementTree.fromstring(package.read(name))
            assert not [one for one in tree.iter("{*}fldSimple") if "DDE" in str(dict(one.attrib))]
    assert b"<!DOCTYPE" not in package.read("word/document.xml")
    assert not [name for name in package.namelist() if "vba" in name.lower() or "embeddings" in name]


def test_a_pdf_runs_and_links_nothing() -> None:
    content = written("pdf", MARKUP + ") Tj /JS (app.alert(1)) /URI (http://evil.test)")
    with pypdfium2.PdfDocument(content) as document:
        assert "alert(1)" in document[0].get_textpage().get_text_range()
        assert not list(document[0].get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_FORM]))
    # Outside of streams, which are compressed.
    objects = re.sub(rb"stream.*?endstream", b"", content, flags=re.DOTALL)
    title = re.sub(rb"/Title \(.*?\) /Trapped", b"", objects, flags=re.DOTALL)
    assert not re.search(rb"/(JS|JavaScript|OpenAction|AA|Launch|URI|EmbeddedFile|Annots)\b", title)


@pytest.mark.parametrize("name", ["json", "verbose_json"])
def test_json_can_stand_in_a_page(name: str) -> None:
    content = written(name, MARKUP).decode()
    assert MARKUP in json.dumps(json.loads(content), ensure_ascii=False)
