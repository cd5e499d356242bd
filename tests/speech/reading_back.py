"""What players and programs make of files: their words, and the times of captions."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

import docx
import pypdfium2

from whisper_jobs.speech.formats import FORMATS, FormatOptions
from whisper_jobs.speech.pieces import clean
from whisper_jobs.speech.transcript import Segment, Transcript

TIME = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d)[.,](\d{3})")


@dataclass(frozen=True)
class Shown:
    start: int
    end: int
    lines: list[str]


def written(name: str, transcript: Transcript, options: FormatOptions | None = None) -> bytes:
    return b"".join(FORMATS[name].render(transcript, options))


def rendered(name: str, transcript: Transcript, options: FormatOptions | None = None) -> str:
    return written(name, transcript, options).decode()


def of(*segments: Segment) -> Transcript:
    return Transcript(segments, "en", 10.0)


def in_milliseconds(told: str) -> int:
    match = TIME.fullmatch(told)
    assert match, told
    hours, minutes, seconds, milliseconds = map(int, match.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds


def cues(text: str) -> list[Shown]:
    """Of SubRip and WebVTT, by the rule of both: captions are parted by empty lines."""
    found = []
    for block in re.split(r"\n\n+", text):
        lines = block.strip("\n").split("\n")
        timed = [number for number, line in enumerate(lines) if "-->" in line]
        if not timed:
            assert lines in (["WEBVTT"], [""]), lines
            continue
        assert len(timed) == 1
        start, end = (in_milliseconds(part) for part in lines[timed[0]].split(" --> "))
        found.append(Shown(start, end, lines[timed[0] + 1 :]))
    return found


def without_tags(line: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", line))


def letters(texts: Iterable[str]) -> str:
    """All that is said, without the spaces, which lines and paragraphs change."""
    return "".join("".join(texts).split())


def said(transcript: Transcript) -> str:
    return letters(clean(segment.text) for segment in transcript.segments)


def read_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def read_docx(content: bytes) -> list[str]:
    """The texts of paragraphs after the head, without clock and speaker."""
    paragraphs = docx.Document(io.BytesIO(content)).paragraphs
    spoken = [one for one in paragraphs if one.style is not None and one.style.name == "Spoken"]
    return ["".join(run.text for run in one.runs if run.style.name not in ("Clock", "Speaker")) for one in spoken]


def read_pdf(content: bytes) -> str:
    """All text of its pages, in the order in which it is drawn."""
    with pypdfium2.PdfDocument(content) as document:
        text = "\n".join(page.get_textpage().get_text_bounded() for page in document)
    # A hyphen at the end of a line is told by PDFium as a mark in place of both: it might belong to no word.
    return re.sub("[\x02\ufffe]", "-\n", text)


def text_of_json(content: bytes) -> str:
    return letters(segment["text"] for segment in json.loads(content)["segments"])
