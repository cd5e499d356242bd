"""Word and PDF files: read with the libraries that others read them with."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial

import docx
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.speech.reading_back import letters, of, read_docx, read_pdf, said, written
from whisper_jobs.speech.formats import FormatOptions, Labels
from whisper_jobs.speech.formats.bidi import visual
from whisper_jobs.speech.transcript import Segment, Transcript

anything = st.text(st.characters(exclude_categories=()), max_size=60)
#: What the PDF's own font has, and a reader gives back letter for letter.
drawn = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200)
times = st.floats(min_value=0, max_value=90_000)
TALK = Transcript(
    [
        Segment(0, 2, "Shall we begin?", speaker="Ada"),
        Segment(2, 4, "Yes.", speaker="Björn"),
        Segment(3700, 3702, "Then that is done.", speaker="Ada"),
    ],
    "en",
    3702.0,
    "Board meeting",
    date(2026, 11, 21),
)


def transcripts(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Transcript]:
    segments = st.lists(st.builds(Segment, times, times, texts), max_size=6)
    return st.builds(Transcript, segments.map(tuple), st.sampled_from([None, "en", "ja"]), st.none() | times, texts)


@settings(max_examples=40)
@given(transcripts(anything))
def test_word_gives_back_every_letter(transcript: Transcript) -> None:
    assert letters(read_docx(written("docx", transcript))) == said(transcript)


@settings(max_examples=40)
@given(transcripts(drawn))
def test_a_pdf_gives_back_every_letter(transcript: Transcript) -> None:
    silent = Transcript(transcript.segments, transcript.language, None)
    found = read_pdf(written("pdf", silent))
    assert said(transcript) in _without_clocks(found)


def _without_clocks(text: str) -> str:
    return letters([re.sub(r"(?m)^\d+:\d\d:\d\d |^\d+ / \d+\s*$", "", text.replace("\r", ""))])


@settings(max_examples=40)
@given(transcripts(anything))
def test_no_text_breaks_a_pdf(transcript: Transcript) -> None:
    with pypdfium2.PdfDocument(written("pdf", transcript)) as document:
        assert len(document) >= 1


def test_word_has_title_facts_speakers_clocks_and_page_numbers() -> None:
    content = written("docx", TALK)
    document = docx.Document(io.BytesIO(content))
    assert [paragraph.text for paragraph in document.paragraphs] == [
        "Board meeting",
        "2026-11-21 · 1:01:42",
        "Speakers: Ada, Björn",
        "0:00:00\tAda: Shall we begin?",
        "0:00:02\tBjörn: Yes.",
        "1:01:40\tAda: Then that is done.",
    ]
    assert document.core_properties.title == "Board meeting"
    footer = document.sections[0].footer.paragraphs[0]._p.xml
    assert 'w:instr="PAGE"' in footer and 'w:instr="NUMPAGES"' in footer
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert package.testzip() is None
        for name in package.namelist():
            if name.endswith((".xml", ".rels")):
                ElementTree.fromstring(package.read(name))


def test_a_pdf_has_title_facts_speakers_clocks_and_page_numbers() -> None:
    told = read_pdf(written("pdf", TALK)).replace("\r", "").split("\n")
    assert told == [
        "Board meeting",
        "2026-11-21 · 1:01:42",
        "Speakers: Ada, Björn",
        "Ada",
        "0:00:00 Shall we begin?",
        "Björn",
        "0:00:02 Yes.",
        "Ada",
        "1:01:40 Then that is done.",
        "1 / 1",
    ]
    with pypdfium2.PdfDocument(written("pdf", TALK)) as document:
        assert document.get_metadata_value("Title") == "Board meeting"


@pytest.mark.parametrize("name", ["docx", "pdf"])
def test_labels_and_speakers_are_the_readers_choice(name: str) -> None:
    def text(options: FormatOptions, transcript: Transcript = TALK) -> str:
        content = written(name, transcript, options)
        if name == "pdf":
            return read_pdf(content)
        return "\n".join(paragraph.text for paragraph in docx.Document(io.BytesIO(content)).paragraphs)

    assert "Talare: Ada, Björn" in text(FormatOptions(labels=Labels(speakers="Talare")))
    assert "Ada" not in text(FormatOptions(speakers=False))
    draft = Transcript(TALK.segments, "en", 1.0, is_draft=True)
    assert "Utkast" in text(FormatOptions(labels=Labels(draft="Utkast")), draft)


def test_a_long_pdf_keeps_every_word_within_its_pages() -> None:
    long = of(*(Segment(n, n + 1, f"Sentence number {n} is said here.") for n in range(600)))
    content = written("pdf", long)
    with pypdfium2.PdfDocument(content) as document:
        assert len(document) > 5
        for number, page in enumerate(document, start=1):
            text = page.get_textpage()
            assert f"{number} / {len(document)}" in text.get_text_bounded()
            for at in range(text.count_rects()):
                left, bottom, right, top = text.get_rect(at)
                assert left > 20 and bottom > 20 and right < 575 and top < 822
    assert said(long) in _without_clocks(read_pdf(content))


def test_a_word_wider_than_the_page_is_cut_where_the_line_ends() -> None:
    assert "a" * 400 in _without_clocks(read_pdf(written("pdf", of(Segment(0, 1, "a" * 400)))))


def test_what_a_pdf_has_no_letter_for_is_a_box_and_told() -> None:
    shown = read_pdf(written("pdf", of(Segment(0, 1, "yes 😀 नहीं"))))
    assert "yes □ □□□□" in shown
    assert Labels().missing in shown
    assert Labels().missing not in read_pdf(written("pdf", of(Segment(0, 1, "Grüße, привет, γειά, 你好"))))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh", "我们今天讨论语音识别"),
        ("ja", "日本語の字幕です"),
        ("ko", "안녕하세요여러분"),
        ("ru", "Привет"),
        ("el", "Καλημέρα"),
    ],
)
def test_other_scripts_can_be_copied_out_of_a_pdf(language: str, text: str) -> None:
    content = written("pdf", Transcript([Segment(0, 1, text)], language, 1.0))
    assert text in letters([read_pdf(content)])


def test_text_from_right_to_left_is_drawn_so() -> None:
    assert visual("שלום עולם", right_to_left=True) == "םלוע םולש"
    assert visual("abc שלום 123 (x)", right_to_left=False) == "abc 123 םולש (x)"
    assert visual("שלום (12) abc", right_to_left=True) == "abc (12) םולש"
    arabic = visual("سلام", right_to_left=True)
    # The lam and alef are one letter, and the meem stands alone at the end, which is left.
    assert [hex(ord(letter)) for letter in arabic] == ["0xfee1", "0xfefc", "0xfeb3"]


def test_the_same_transcript_gives_the_same_pdf() -> None:
    assert written("pdf", TALK) == written("pdf", TALK)


def test_files_that_are_made_at_the_same_time_do_not_mix() -> None:
    talks = [of(Segment(0, 1, "".join(chr(0x3B1 + (n * k) % 24) for k in range(900)))) for n in range(1, 7)]
    alone = [written("pdf", talk) for talk in talks]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(partial(written, "pdf"), talks)) == alone
